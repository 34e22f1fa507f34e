"""What other attackers would find: the ladder, whether attacks agree, whether more shadow models would help.

The ladder shows what each more knowing attacker gains, from the predicted label to shadow models and gradients.

On each rung stands the attack that does best in rehearsals (shadow models play the target) among those whose needs fit
the rung, so the audited rows do not choose it. Without enough shadow models to rehearse they must, and the rung says
so. The attacker of the first rungs is handed no shadow models; only the choice of their attack uses them.

Do attacks name the same records? The overlap of the rows that each ranks highest says so. Would more shadow models
help? The likelihood-ratio attack with 2, 4, 8, ... of those that there are says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks import ATTACKS, make_attack
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.prepare import Prepared
from gnomon.auditing.results.figures import estimate, rank_auc, tpr_points
from gnomon.auditing.results.scoring import Attempt, Rehearsed, choose, score_attack, with_scores
from gnomon.core.answers import Reveal
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.record import Agreement, ByShadows, Rung, ShadowGain, ShadowPoint
from gnomon.core.evidence import ANSWERS, WHITE_BOX, Evidence, Need, reads_labels_only
from gnomon.core.plan import AttacksPlan
from gnomon.core.protocols import Attack
from gnomon.core.seeds import Seeds
from gnomon.stats.clusters import split_groups
from gnomon.stats.comparison import auc_difference, tpr_difference
from gnomon.stats.low_fpr import sampled_tprs
from gnomon.stats.roc import auc

OFFLINE: frozenset[Need] = ANSWERS | {"shadows_out", "pool", "population", "x"}
ONLINE: frozenset[Need] = OFFLINE | {"shadows"}
SHADOWS: frozenset[Need] = frozenset({"shadows_out", "pool"})
REHEARSED_ROWS = 10_000  # enough to choose by, and quick however large the pool is


@dataclass(frozen=True)
class Judge:
    """What all rungs share: the audited rows, the rate that attacks are chosen and told by, and the seeds."""

    case: AuditCase
    attacks: AttacksPlan
    confidence: float
    seeds: Seeds
    fpr: float

    def rung(self, key: str, title: str, candidates: Sequence[Attempt]) -> Rung | None:
        """The rung of these attacks; None if there is none of them."""
        if not candidates:
            return None
        chosen_on: Literal["shadows", "audited rows", "no choice"] = "no choice"
        best = candidates[0]
        if len(candidates) > 1:
            name = choose({c.scored.name: c.rehearsed for c in candidates}, self.fpr)
            chosen_on = "audited rows" if name is None else "shadows"
            best = (
                max(candidates, key=lambda c: rank_auc(c.scores, self.case.member))
                if name is None
                else next(c for c in candidates if c.scored.name == name)
            )
        inside, outside = best.scores[self.case.member], best.scores[~self.case.member]
        level, groups, wider = self.confidence, self.case.sides, self.case.judging.wider(best.scored.needs)
        return Rung(
            key=key,
            title=title,
            attack=best.scored.name,
            attack_title=best.scored.title,
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
    rungs.insert(int(labels_first), judge.rung("queries", "labels of further queries", with_scores(asking)))
    known = {c.scored.name: c for c in own}
    for key, title, allowed, new, stand_in in (
        ("offline", "+ shadow models without the record", OFFLINE, SHADOWS, "lira_offline"),
        ("online", "+ shadow models with and without it", ONLINE, frozenset({"shadows"}), "lira"),
    ):
        if evidence.missing(make_attack(stand_in).needs) is not None:
            continue
        known |= {c.scored.name: c for c in with_scores([a for a in attempts if allowed >= set(a.scored.needs)])}
        if not any(_needs(name, attempts) & new for name in known):
            attack = make_attack(stand_in, judge.attacks.options.get(stand_in, {}))
            known |= {c.scored.name: c for c in _score([attack], evidence, small, judge)}
        rungs.append(judge.rung(key, title, list(known.values())))
    outsiders = [a for a in attempts if "membership_half" not in a.scored.needs]
    white = [a for a in outsiders if WHITE_BOX & set(a.scored.needs)]
    rungs.append(judge.rung("gradients", "+ gradients (white box)", with_scores(white)))
    following = [a for a in outsiders if "checkpoints" in a.scored.needs]
    rungs.append(judge.rung("checkpoints", "+ checkpoints of the training", with_scores(following)))
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


def _answer_attacks(evidence: Evidence, small: Evidence, judge: Judge) -> list[Attempt]:
    """All attacks that read nothing but answers, whether the plan names them or not: they cost next to nothing."""
    options = judge.attacks.options
    seen = {"labels"} if evidence.reveal.kind == "labels" else ANSWERS  # nobody takes the entropy of a label
    attacks = [make_attack(a.name, options.get(a.name, {})) for a in ATTACKS if a.needs <= seen]
    return _score(attacks, evidence, small, judge)


def _score(attacks: Sequence[Attack], evidence: Evidence, small: Evidence, judge: Judge) -> list[Attempt]:
    found = [(attack, score_attack(attack, evidence, judge.seeds)) for attack in attacks]
    stages: list[tuple[Evidence, Bools]] = []
    if small.can_rehearse and small.pool is not None:
        count = min(judge.attacks.rehearsals, small.pool.n_shadows)
        stages = [small.rehearse(i) for i in range(count)]
    return [Attempt(s, _rehearsed(attack, stages, judge)) for attack, s in found if s.scores is not None]


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


def look_further(
    attempts: Sequence[Attempt], headline: str | None, case: AuditCase, prepared: Prepared
) -> dict[str, Any]:
    """Fields of the record beyond its attacks' figures: ladder, agreement, and what more shadow models would find.

    They come from scores that are there and a few cheap attacks more; nothing without shadow models, or if the plan
    says no.

    Args:
        attempts: the audit's attacks.
        headline: name of the headline attack.
        case: the audited rows.
        prepared: the plan and the seeds.
    """
    attacks, statistics = prepared.plan.attacks, prepared.plan.statistics
    if not attacks.ladder or case.evidence.shadows is None:
        return {}
    judge = Judge(case, attacks, statistics.confidence, prepared.seeds, case.least_fpr(statistics.fprs))
    return {
        "ladder": climb_ladder(attempts, judge),
        "agreement": agree(attempts, headline, case),
        "by_shadows": by_shadows(judge),
    }


TOP_SHARE = 0.01  # of the audited rows
LEAST_TOP = 10  # fewer say nothing
MOST_ATTACKS = 6


def agree(attempts: Sequence[Attempt], headline: str | None, case: AuditCase) -> Agreement | None:
    """Jaccard overlaps of the top 1 % between the headline attack and the five best others by AUC.

    An attack whose scores tie so widely that it names no top (correctness gives two values) is left out.

    Args:
        attempts: all attacks.
        headline: name of the headline attack, which comes first.
        case: the audited rows.

    Returns:
        None with fewer than two such attacks, or fewer than 100 rows.
    """
    n = len(case.member)
    top = max(LEAST_TOP, round(TOP_SHARE * n))
    if n < 10 * LEAST_TOP:
        return None
    found = [(a.scored.name, a.scores, _top_rows(a.scores, top)) for a in with_scores(attempts)]
    named = [(name, scores, rows) for name, scores, rows in found if rows is not None]
    named.sort(key=lambda f: (f[0] != headline, -rank_auc(f[1], case.member)))
    named = named[:MOST_ATTACKS]
    if len(named) < 2:
        return None
    masks = [rows for _, _, rows in named]
    return Agreement(
        top=top,
        rows=n,
        attacks=[name for name, _, _ in named],
        overlap=[[jaccard(a, b) for b in masks] for a in masks],
        member_share=[float(case.member[rows].mean()) for rows in masks],
        chance=top / (2 * n - top),
    )


def jaccard(a: Bools, b: Bools) -> float:
    """Rows in both over rows in either.

    >>> jaccard(np.array([True, True, False]), np.array([False, True, True]))
    0.3333333333333333
    """
    return float((a & b).sum() / (a | b).sum())


def _top_rows(scores: Floats, top: int) -> Bools | None:
    """Mask (n,) of the highest rows, ties at the cut included; None where ties would more than double their number."""
    cut = np.partition(scores, len(scores) - top)[len(scores) - top]
    rows: Bools = scores >= cut
    return rows if rows.sum() <= 2 * top else None


MOST_ROWS = 50_000  # audited rows beyond which a random part will do


def shadow_counts(m: int) -> list[int]:
    """2, 4, 8, ... and m; the last step is at least half as many again.

    >>> shadow_counts(16), shadow_counts(60), shadow_counts(9), shadow_counts(2)
    ([2, 4, 8, 16], [2, 4, 8, 16, 32, 60], [2, 4, 9], [2])
    """
    powers = [2**i for i in range(1, max(m, 1).bit_length() + 1) if 3 * 2**i <= 2 * m]
    return [*powers, m]


def by_shadows(judge: Judge) -> ByShadows | None:
    """LiRA (online where it can run, otherwise offline) against the number of shadow models.

    Args:
        judge: the audited rows, and the false-positive rate that is told.

    Returns:
        None with fewer than 4 shadow models, or if the attack can't run.
    """
    case, fpr, seeds = judge.case, judge.fpr, judge.seeds
    shadows = case.evidence.shadows
    name = "lira" if case.evidence.missing(make_attack("lira").needs) is None else "lira_offline"
    attack = make_attack(name, judge.attacks.options.get(name, {}))
    if shadows is None or case.evidence.answers is None or shadows.n_shadows < 4:
        return None
    evidence, member, persons = _part(case, seeds)
    counts, found = shadow_counts(shadows.n_shadows), []
    for count in counts:
        scores = score_attack(attack, _first(evidence, count), seeds).scores
        if scores is None:
            return None
        found.append(scores)
    level, wider, sides = judge.confidence, case.judging.wider(attack.needs), split_groups(persons, member)
    pair = found[-1], found[-2], member
    area = auc_difference(*pair, confidence=level, groups=persons, wider=wider)
    rng = seeds.child("ladder", "gain").generator()
    rates = tpr_difference(*pair, fpr, rng=rng, confidence=level, groups=persons, wider=wider).result
    return ByShadows(
        attack=name,
        attack_title=attack.title,
        fpr=fpr,
        rows=len(member),
        points=[
            ShadowPoint(
                count=count,
                auc=estimate(auc(s[member], s[~member], confidence=level, groups=sides, wider=wider)),
                tpr=tpr_points(s[member], s[~member], [fpr], level, sides, wider)[0],
            )
            for count, s in zip(counts, found, strict=True)
        ],
        gain=ShadowGain(
            before=counts[-2],
            after=counts[-1],
            auc=estimate(area.difference),
            tpr=None if rates is None else estimate(rates.difference),
        ),
    )


def _part(case: AuditCase, seeds: Seeds) -> tuple[Evidence, Bools, NDArray[Any] | None]:
    """What the attack reads, the truth and the units of chance, on all audited rows or a random part of them."""
    evidence, n = case.evidence, len(case.member)
    rows = np.arange(n)
    if n > MOST_ROWS:
        rows = np.sort(seeds.child("ladder", "audited").generator().choice(n, MOST_ROWS, replace=False))
    return evidence.at(rows), case.member[rows], None if case.units is None else case.units[rows]


def _first(evidence: Evidence, count: int) -> Evidence:
    """The same with the first shadow models only."""
    assert evidence.shadows is not None
    variants = tuple(_first(v, count) for v in evidence.variants)
    return replace(evidence, shadows=evidence.shadows.first(count), variants=variants)
