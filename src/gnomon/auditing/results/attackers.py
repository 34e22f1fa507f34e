"""The ladder: what each more knowing attacker gains, from the predicted label to shadow models and gradients.

On each rung stands the attack that does best in rehearsals (shadow models play the target) among those whose needs fit
the rung, so the audited rows do not choose it. Without enough shadow models to rehearse they must, and the rung says
so. The attacker of the first rungs is handed no shadow models; only the choice of their attack uses them.

What an audit says beyond its attacks' figures, where there are shadow models: ladder, agreement, more shadows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from gnomon.attacks import ATTACKS, make_attack
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.prepare import Prepared
from gnomon.auditing.results.figures import estimate, rank_auc, tpr_points
from gnomon.auditing.results.robustness import agree, by_shadows
from gnomon.auditing.results.scoring import Attempt, Rehearsed, choose, score_attack
from gnomon.core.answers import Reveal
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.record import Agreement, ByShadows, Rung
from gnomon.core.evidence import ANSWERS, WHITE_BOX, Evidence, Need, reads_labels_only
from gnomon.core.plan import AttacksPlan
from gnomon.core.protocols import Attack
from gnomon.core.seeds import Seeds
from gnomon.stats.low_fpr import sampled_tprs
from gnomon.stats.roc import auc

OFFLINE: frozenset[Need] = ANSWERS | {"shadows_out", "pool", "population", "x"}
ONLINE: frozenset[Need] = OFFLINE | {"shadows"}
SHADOWS: frozenset[Need] = frozenset({"shadows_out", "pool"})
REHEARSED_ROWS = 10_000  # enough to choose by, and quick however large the pool is


@dataclass(frozen=True)
class Candidate:
    """An attack that fits a rung: its scores on the audited rows, and what rehearsals taught."""

    name: str
    title: str
    needs: Sequence[str]
    scores: Floats  # (n,)
    rehearsed: Rehearsed


@dataclass(frozen=True)
class Judge:
    """What all rungs share: the audited rows, the rate that attacks are chosen and told by, and the seeds."""

    case: AuditCase
    attacks: AttacksPlan
    confidence: float
    seeds: Seeds
    fpr: float

    def rung(self, key: str, title: str, candidates: Sequence[Candidate]) -> Rung | None:
        """The rung of these attacks; None if there is none of them."""
        if not candidates:
            return None
        chosen_on: Literal["shadows", "audited rows", "no choice"] = "no choice"
        best = candidates[0]
        if len(candidates) > 1:
            name = choose({c.name: c.rehearsed for c in candidates}, self.fpr)
            chosen_on = "audited rows" if name is None else "shadows"
            best = (
                max(candidates, key=lambda c: rank_auc(c.scores, self.case.member))
                if name is None
                else next(c for c in candidates if c.name == name)
            )
        inside, outside = best.scores[self.case.member], best.scores[~self.case.member]
        level, groups, wider = self.confidence, self.case.sides, self.case.judging.wider(best.needs)
        return Rung(
            key=key,
            title=title,
            attack=best.name,
            attack_title=best.title,
            chosen_on=chosen_on,
            auc=estimate(auc(inside, outside, confidence=level, groups=groups, wider=wider)),
            tpr=tpr_points(inside, outside, [self.fpr], level, groups, wider)[0],
        )


def climb_ladder(attempts: Sequence[Attempt], judge: Judge) -> list[Rung]:
    """The rungs, the least knowing attacker first.

    Args:
        attempts: the audit's attacks; those that fit a rung with shadow models are reused.
        judge: the audited rows, and how attacks are chosen.
    """
    evidence = judge.case.evidence
    if evidence.answers is None or evidence.pool is None:
        return []
    small = _rehearsable(evidence, judge.seeds)
    own = _answer_attacks(evidence, small, judge)
    rungs = [
        judge.rung(_key(reveal), title, _answer_attacks(evidence.through(reveal), small.through(reveal), judge))
        for reveal, title in lesser_answers(evidence.reveal, evidence.n_classes)
    ]
    rungs.append(judge.rung("answers", str(evidence.reveal).removeprefix("the "), own))
    asking = [a for a in attempts if "query" in a.scored.needs and reads_labels_only(a.scored.needs)]
    labels_first = evidence.reveal.kind != "rounded"
    rungs.insert(int(labels_first), judge.rung("queries", "labels of further queries", _tried(asking)))
    known = {c.name: c for c in own}
    for key, title, allowed, new, stand_in in (
        ("offline", "+ shadow models without the record", OFFLINE, SHADOWS, "lira_offline"),
        ("online", "+ shadow models with and without it", ONLINE, frozenset({"shadows"}), "lira"),
    ):
        if evidence.missing(make_attack(stand_in).needs) is not None:
            continue
        known |= {c.name: c for c in _tried([a for a in attempts if allowed >= set(a.scored.needs)])}
        if not any(_needs(name, attempts) & new for name in known):
            attack = make_attack(stand_in, judge.attacks.options.get(stand_in, {}))
            known |= {c.name: c for c in _score([attack], evidence, small, judge)}
        rungs.append(judge.rung(key, title, list(known.values())))
    outsiders = [a for a in attempts if "membership_half" not in a.scored.needs]
    white = [a for a in outsiders if WHITE_BOX & set(a.scored.needs)]
    rungs.append(judge.rung("gradients", "+ gradients (white box)", _tried(white)))
    following = [a for a in outsiders if "checkpoints" in a.scored.needs]
    rungs.append(judge.rung("checkpoints", "+ checkpoints of the training", _tried(following)))
    return [rung for rung in rungs if rung is not None]


def lesser_answers(reveal: Reveal, n_classes: int) -> list[tuple[Reveal, str]]:
    """What the same target might reveal instead, the least first; nothing where it can't be told from its answers.

    >>> [title for _, title in lesser_answers(Reveal(), 10)]
    ['predicted label only', 'top 3 probabilities', 'probabilities rounded to 1 decimal']
    >>> lesser_answers(Reveal("rounded", 2), 10)
    []
    """
    if reveal.kind in ("labels", "rounded"):
        return []  # rounding may have tied the first two classes: the label that the target would name is lost
    rungs = [(Reveal("labels"), "predicted label only")]
    if n_classes > 3 and (reveal.kind == "full" or reveal.amount > 3):
        rungs.append((Reveal("top", 3), "top 3 probabilities"))
    if reveal.kind == "full":
        rungs.append((Reveal("rounded", 1), "probabilities rounded to 1 decimal"))
    return rungs


def _key(reveal: Reveal) -> str:
    return reveal.kind if reveal.kind in ("full", "labels") else f"{reveal.kind}:{reveal.amount}"


def _needs(name: str, attempts: Sequence[Attempt]) -> frozenset[Need]:
    tried = (frozenset[Need](a.scored.needs) for a in attempts if a.scored.name == name)  # type: ignore[arg-type]
    return next(tried, next((frozenset(a.needs) for a in ATTACKS if a.name == name), frozenset()))


def _rehearsable(evidence: Evidence, seeds: Seeds) -> Evidence:
    """What rehearsals need, on so many rows of the pool that they stay quick."""
    pool = evidence.pool
    assert pool is not None
    if len(pool.rows) > REHEARSED_ROWS:
        rng = seeds.child("ladder", "rows").generator()
        pool = pool.at(np.sort(rng.choice(len(pool.rows), REHEARSED_ROWS, replace=False)))
    return replace(evidence, pool=pool, population=None, x=None, query=None, gradients=None, variants=())


def _answer_attacks(evidence: Evidence, small: Evidence, judge: Judge) -> list[Candidate]:
    """All attacks that read nothing but answers, whether the plan names them or not: they cost next to nothing."""
    options = judge.attacks.options
    seen = {"labels"} if evidence.reveal.kind == "labels" else ANSWERS  # nobody takes the entropy of a label
    attacks = [make_attack(a.name, options.get(a.name, {})) for a in ATTACKS if a.needs <= seen]
    return _score(attacks, evidence, small, judge)


def _score(attacks: Sequence[Attack], evidence: Evidence, small: Evidence, judge: Judge) -> list[Candidate]:
    found = [(attack, score_attack(attack, evidence, judge.seeds)) for attack in attacks]
    stages: list[tuple[Evidence, Bools]] = []
    if small.can_rehearse and small.pool is not None:
        count = min(judge.attacks.rehearsals, small.pool.n_shadows)
        stages = [small.rehearse(i) for i in range(count)]
    return [
        Candidate(scored.name, scored.title, scored.needs, scored.scores, _rehearsed(attack, stages, judge))
        for attack, scored in found
        if scored.scores is not None
    ]


def _rehearsed(attack: Attack, stages: Sequence[tuple[Evidence, Bools]], judge: Judge) -> Rehearsed:
    areas: list[float] = []
    rates: list[float] = []
    for i, (evidence, member) in enumerate(stages):
        scores = score_attack(attack, evidence, judge.seeds.child("ladder", i)).scores
        if scores is None:
            return Rehearsed()
        areas.append(rank_auc(scores, member))
        rates += sampled_tprs(scores[member], scores[~member], [judge.fpr]).values()
    if not areas:
        return Rehearsed()
    tpr = {judge.fpr: float(np.mean(rates))} if rates else {}
    return Rehearsed(auc=float(np.mean(areas)), tpr=tpr)


def _tried(attempts: Sequence[Attempt]) -> list[Candidate]:
    """Those of the audit's own attacks that brought scores."""
    return [
        Candidate(a.scored.name, a.scored.title, a.scored.needs, a.scored.scores, a.rehearsed)
        for a in attempts
        if a.scored.scores is not None
    ]


@dataclass(frozen=True)
class Further:
    """The record's fields of these names."""

    ladder: list[Rung] = field(default_factory=list)
    agreement: Agreement | None = None
    by_shadows: ByShadows | None = None


def look_further(attempts: Sequence[Attempt], headline: str | None, case: AuditCase, prepared: Prepared) -> Further:
    """Everything of it, from scores that are there and a few cheap attacks more; nothing if the plan says no.

    Args:
        attempts: the audit's attacks.
        headline: name of the headline attack.
        case: the audited rows.
        prepared: the plan and the seeds.
    """
    attacks, statistics = prepared.plan.attacks, prepared.plan.statistics
    if not attacks.ladder or case.evidence.shadows is None:
        return Further()
    judge = Judge(case, attacks, statistics.confidence, prepared.seeds, case.least_fpr(statistics.fprs))
    return Further(
        ladder=climb_ladder(attempts, judge),
        agreement=agree([a.scored for a in attempts], headline, case),
        by_shadows=by_shadows(case, attacks.options, statistics.confidence, prepared.seeds, judge.fpr),
    )
