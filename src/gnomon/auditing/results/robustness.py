"""How far a result rests on one attack, on the number of shadow models, and on one training of the target.

Do attacks name the same records? The overlap of the rows that each ranks highest says so. Would more shadow models
help? The likelihood-ratio attack with 2, 4, 8, ... of those that there are says so. What would another training have
leaked? The interval of one audited model covers the choice of records only, so repeated targets show it: each draws its
members anew from the audited rows and faces the same shadows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks import make_attack
from gnomon.auditing.evidence.answers import AnswerSet, apply_output_mitigations
from gnomon.auditing.evidence.assemble import AuditCase, assemble, found_by_pool
from gnomon.auditing.inputs.roles import by_group
from gnomon.auditing.prepare import Prepared
from gnomon.auditing.results.figures import estimate, rank_auc, tpr_points
from gnomon.auditing.results.scoring import Attempt, Scored, attempt_all, score_attack
from gnomon.core.arrays import Bools, Floats
from gnomon.core.data.dataset import Roles
from gnomon.core.documents.record import Agreement, AttackResult, ByShadows, Estimate, ShadowGain, ShadowPoint
from gnomon.core.documents.record_parts import Repeats, RepeatSpread
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import Trainer
from gnomon.core.seeds import Seeds
from gnomon.shadow.pool import ShadowPool
from gnomon.stats.clusters import split_groups
from gnomon.stats.comparison import auc_difference, tpr_difference
from gnomon.stats.intervals import spread
from gnomon.stats.low_fpr import sampled_tprs
from gnomon.stats.roc import auc

TOP_SHARE = 0.01  # of the audited rows
LEAST_TOP = 10  # fewer say nothing
MOST_ATTACKS = 6


def agree(scored: Sequence[Scored], headline: str | None, case: AuditCase) -> Agreement | None:
    """Jaccard overlaps of the top 1 % between the headline attack and the five best others by AUC.

    An attack whose scores tie so widely that it names no top (correctness gives two values) is left out.

    Args:
        scored: all attacks.
        headline: name of the headline attack, which comes first.
        case: the audited rows.

    Returns:
        None with fewer than two such attacks, or fewer than 100 rows.
    """
    n = len(case.member)
    top = max(LEAST_TOP, round(TOP_SHARE * n))
    if n < 10 * LEAST_TOP:
        return None
    found = [(s.name, s.scores, _top_rows(s.scores, top)) for s in scored if s.scores is not None]
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


def by_shadows(
    case: AuditCase, options: Mapping[str, dict[str, Any]], level: float, seeds: Seeds, fpr: float
) -> ByShadows | None:
    """LiRA (online where it can run, otherwise offline) against the number of shadow models.

    Args:
        case: the audited rows.
        options: of attacks, by name.
        level: of the intervals.
        seeds: the audit's root.
        fpr: the false-positive rate that is told.

    Returns:
        None with fewer than 4 shadow models, or if the attack can't run.
    """
    shadows = case.evidence.shadows
    name = "lira" if case.evidence.missing(make_attack("lira").needs) is None else "lira_offline"
    attack = make_attack(name, options.get(name, {}))
    if shadows is None or case.evidence.answers is None or shadows.n_shadows < 4:
        return None
    evidence, member, persons = _part(case, seeds)
    counts, found = shadow_counts(shadows.n_shadows), []
    for count in counts:
        scores = score_attack(attack, _first(evidence, count), seeds).scores
        if scores is None:
            return None
        found.append(scores)
    groups, wider = split_groups(persons, member), case.judging.wider(attack.needs)
    return ByShadows(
        attack=name,
        attack_title=attack.title,
        fpr=fpr,
        rows=len(member),
        points=[
            ShadowPoint(
                count=count,
                auc=estimate(auc(s[member], s[~member], confidence=level, groups=groups, wider=wider)),
                tpr=tpr_points(s[member], s[~member], [fpr], level, groups, wider)[0],
            )
            for count, s in zip(counts, found, strict=True)
        ],
        gain=_gain(counts, found, member, persons, fpr, level, wider, seeds),
    )


def _gain(
    counts: list[int],
    found: list[Floats],
    member: Bools,
    persons: NDArray[Any] | None,
    fpr: float,
    level: float,
    wider: float,
    seeds: Seeds,
) -> ShadowGain:
    rng = seeds.child("ladder", "gain").generator()
    pair = found[-1], found[-2], member
    rates = tpr_difference(*pair, fpr, rng=rng, confidence=level, groups=persons, wider=wider).result
    return ShadowGain(
        before=counts[-2],
        after=counts[-1],
        auc=estimate(auc_difference(*pair, confidence=level, groups=persons, wider=wider).difference),
        tpr=None if rates is None else estimate(rates.difference),
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


def refuse_repeats(count: int, trainer: Trainer | None, roles: Roles) -> None:
    """Says before anything is trained that targets can't be repeated.

    Raises:
        UsageError: nobody knows the recipe, or members of a repeated target would stand in the attacker's pool.
    """
    if count == 1:
        return
    if trainer is None:
        raise UsageError("target.repeats: nobody knows the target's recipe; give it in [trainer]")
    if roles.view == "adversary" and len(np.intersect1d(roles.audited, roles.pool)):
        raise UsageError(
            "target.repeats: audited non-members also stand in the attacker's pool, so they cannot be members of "
            "another target; set data.keep_apart = true"
        )


def add_repeats(results: Sequence[AttackResult], answers: AnswerSet, prepared: Prepared) -> list[AttackResult]:
    """The results with the spread over repeated targets, as many as the plan asks for (the audited one counts)."""
    count, statistics = prepared.plan.target.repeats, prepared.plan.statistics
    engine, progress = prepared.engine, prepared.progress
    if count == 1:
        return list(results)
    cases = _train(count - 1, answers, prepared)
    tried = [
        (
            case,
            attempt_all(prepared.attacks, case.evidence, 0, statistics.fprs, seeds, engine, progress),
        )
        for case, seeds in cases
    ]
    return [
        result
        if result.auc is None
        else result.model_copy(update={"repeats": _spread(result, tried, statistics.confidence)})
        for result in results
    ]


def _train(count: int, answers: AnswerSet, prepared: Prepared) -> list[tuple[AuditCase, Seeds]]:
    """The evidence of so many further targets, and the seeds of each."""
    data, trainer, queries = answers.case.data, prepared.inputs.trainer, answers.queries
    assert trainer is not None  # `refuse_repeats` came first
    roots = [prepared.seeds.child("repeat", i) for i in range(count)]
    drawn = [_redrawn(answers.case, root, whole=prepared.plan.data.split_by_group) for root in roots]
    seeds = [root.child("target").integer() for root in roots]
    advance = prepared.progress.stage("repeats", count)
    pool = ShadowPool(prepared.store, prepared.engine, trainer)
    trained = [r.train for r in drawn]
    found = pool.answers(data, trained, queries.asked, seeds, advance, queries.observations)
    found = apply_output_mitigations(found, trained, seeds, data, queries, prepared)
    return [
        (
            assemble(
                data,
                one,
                queries,
                found_by_pool(found, i),
                answers.pool,
                reveal=prepared.reveal,
                query=None,
                seeds=root,
            ),
            root,
        )
        for i, (one, root) in enumerate(zip(drawn, roots, strict=True))
    ]


def _redrawn(case: AuditCase, seeds: Seeds, *, whole: bool) -> Roles:
    """Other members from the audited rows, as many as before; with ``whole``, whole groups but for one."""
    roles, groups = case.roles, case.data.groups
    order = seeds.child("members").generator().permutation(roles.audited)
    if whole and groups is not None:
        order = by_group(order, groups)
    members, others = np.sort(order[: len(roles.members)]), np.sort(order[len(roles.members) :])
    return replace(roles, members=members, nonmembers=others, train=members)


def _spread(result: AttackResult, tried: Sequence[tuple[AuditCase, Sequence[Attempt]]], level: float) -> Repeats | None:
    """Spread of one attack's figures over the audited target and the repeated ones."""
    assert result.auc is not None
    sides = [
        (a.scored.scores[case.member], a.scored.scores[~case.member])
        for case, attempts in tried
        for a in attempts
        if a.scored.name == result.name and a.scored.scores is not None
    ]
    if len(sides) < len(tried):
        return None
    areas = [result.auc.value, *(auc(*pair).value for pair in sides)]
    rates = []
    for point in result.tpr_at_fpr:
        known = [rate for pair in sides for rate in sampled_tprs(*pair, [point.fpr]).values()]
        if point.tpr is not None and len(known) == len(sides):
            rates.append(_spread_of([point.tpr.value, *known], point.fpr, level))
    return Repeats(targets=len(areas), auc=_spread_of(areas, None, level), tpr_at_fpr=rates)


def _spread_of(values: list[float], fpr: float | None, level: float) -> RepeatSpread:
    found = spread(values, confidence=level)
    mean = None
    if found.mean is not None:
        mean = Estimate(value=found.mean.value, low=max(0.0, found.mean.low), high=min(1.0, found.mean.high))
    return RepeatSpread(
        fpr=fpr, values=values, mean=mean, deviation=found.deviation, lowest=found.lowest, highest=found.highest
    )
