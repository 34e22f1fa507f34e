"""How far leakage varies: by slice of the records, and from one training of the target to another.

Slices are classes, values of a column, quantiles of a column: many looks at the same scores. Every interval is given at
the level at which all of them hold together (Bonferroni), so the most exposed slice may be named although it was found
by looking. Where the audited rows chose the attack too, all attacks count that it was chosen among: of two slices and
20 attacks that find nothing, an interval of the chosen one missed 0.5 in 18 % of runs otherwise.

The interval of one audited model covers the choice of records only. What would another training have leaked? Repeated
targets show it: each draws its members anew from the audited rows and faces the same shadows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.evidence.answers import AnswerSet, apply_output_mitigations
from gnomon.auditing.evidence.assemble import AuditCase, assemble, found_by_pool
from gnomon.auditing.inputs.roles import by_group
from gnomon.auditing.prepare import Prepared
from gnomon.auditing.results.figures import estimate, tpr_points
from gnomon.auditing.results.scoring import Attempt, Scored, attempt_all, with_scores
from gnomon.core.arrays import Bools, Ints, column_values, is_frame, is_sparse
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.data.features import Feature
from gnomon.core.documents.record import AttackResult, Estimate
from gnomon.core.documents.record_parts import Repeats, RepeatSpread, SliceResult, Slicing
from gnomon.core.errors import PlanError, UsageError, did_you_mean
from gnomon.core.plan import StatisticsPlan
from gnomon.core.protocols import Trainer
from gnomon.core.seeds import Seeds
from gnomon.shadow.pool import ShadowPool
from gnomon.stats.clusters import split_groups
from gnomon.stats.intervals import spread
from gnomon.stats.low_fpr import sampled_tprs
from gnomon.stats.roc import auc

MOST_VALUES = 50  # more distinct values than this ask for quantiles
LEAST_ROWS = 10  # members and non-members of a slice; fewer are counted, not measured


@dataclass(frozen=True)
class Cut:
    """One way to part the rows of a data set."""

    name: str  # as in the plan
    slices: tuple[str, ...]
    index: Ints  # (N,) which slice each row of the data set belongs to


def cut_rows(wanted: Sequence[str], data: Dataset) -> list[Cut]:
    """The slices that a plan asks for, before anything is trained.

    Args:
        wanted: "class", a column's name, or "name:q" for q quantiles of a column of numbers.
        data: the rows.

    Raises:
        PlanError: an unknown column, quantiles of text, or more values than make sense as slices.
    """
    return [_cut(name, data) for name in wanted]


def _cut(wanted: str, data: Dataset) -> Cut:
    if wanted == "class":
        return Cut(wanted, tuple(f"class = {name}" for name in data.classes), data.y)
    name, _, quantiles = wanted.rpartition(":") if ":" in wanted else (wanted, "", "")
    features = {f.name: f for f in data.features.features}
    if wanted in features:  # a column may have a colon in its name
        name, quantiles = wanted, ""
    if name not in features:
        known = ["class", *features]
        raise PlanError(f'statistics.slices: no column "{name}"{did_you_mean(name, known)}')
    values = _column(features[name], data)
    if quantiles:
        return _quantiles(wanted, values, quantiles)
    names, index = np.unique(values, return_inverse=True)
    if len(names) > MOST_VALUES:
        raise PlanError(
            f'statistics.slices: "{wanted}" has {len(names):,} values; ask for quantiles, such as "{wanted}:4"'
        )
    return Cut(wanted, tuple(f"{name} = {_spell(value)}" for value in names), index.astype(np.int64))


def _column(feature: Feature, data: Dataset) -> NDArray[np.generic]:
    if len(feature.columns) > 1:
        block = np.asarray(data.x.iloc[:, list(feature.columns)] if is_frame(data.x) else _flat(data))
        block = block if is_frame(data.x) else block[:, list(feature.columns)]
        return np.asarray(block.argmax(axis=1))
    place = feature.columns[0]
    if is_sparse(data.x):
        return np.asarray(data.x[:, [place]].toarray()[:, 0])
    column = column_values(data.x.iloc[:, place]) if is_frame(data.x) else _flat(data)[:, place]
    return column if column.dtype.kind in "biuf" else column.astype(str)


def _flat(data: Dataset) -> NDArray[np.generic]:
    return np.asarray(data.x).reshape(len(data), -1)


def _quantiles(wanted: str, values: NDArray[np.generic], count: str) -> Cut:
    if not count.isdigit() or not 2 <= int(count) <= MOST_VALUES:
        raise PlanError(f'statistics.slices: expected 2 to {MOST_VALUES} quantiles, such as "age:4", got "{wanted}"')
    if values.dtype.kind not in "biuf":
        raise PlanError(f'statistics.slices: "{wanted}" asks for quantiles of a column of text; leave the number away')
    numbers, column = values.astype(np.float64), wanted.rpartition(":")[0]
    known = numbers[~np.isnan(numbers)]
    if len(known) == 0:
        return Cut(wanted, (f"{column} is missing",), np.zeros(len(numbers), dtype=np.int64))
    shares = np.linspace(0, 1, int(count) + 1)[1:-1]
    edges = np.unique(np.quantile(known, shares, method="higher"))
    edges = edges[edges > known.min()]
    index = np.searchsorted(edges, numbers, side="right")
    bounds = [known.min(), *edges]
    names = [f"{column} from {_spell(low)} to under {_spell(high)}" for low, high in pairwise(bounds)]
    names.append(f"{column} from {_spell(bounds[-1])} up")
    if len(known) < len(numbers):
        index[np.isnan(numbers)] = len(names)
        names.append(f"{column} is missing")
    return Cut(wanted, tuple(names), index.astype(np.int64))


def _spell(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


@dataclass(frozen=True)
class Share:
    """The error that all intervals of a record's slices share."""

    intervals: int
    confidence: float  # of all of them together

    @property
    def level(self) -> float:
        """The confidence of each interval (Bonferroni)."""
        return 1 - (1 - self.confidence) / self.intervals


def measure_slices(
    cuts: Sequence[Cut],
    headline: str | None,
    scored: Sequence[Scored],
    case: AuditCase,
    plan: StatisticsPlan,
    among: int = 1,
) -> list[Slicing]:
    """The headline attack, slice by slice; every figure shares the error with all others of all slicings.

    ``among``: of how many attacks the audited rows chose the headline; their figures share the error too.
    """
    attack = next((s for s in scored if s.name == headline and s.scores is not None), None)
    if attack is None or not cuts:
        return []
    parts = [[(name, cut.index == i) for i, name in enumerate(cut.slices)] for cut in cuts]
    measured = sum(_enough(part[case.audited], case.member) for cut in parts for _, part in cut)
    share = Share(max(1, 2 * measured * among), plan.confidence)  # an AUC and a true-positive rate each
    return [_slicing(cut.name, part, attack, case, share, plan.fprs) for cut, part in zip(cuts, parts, strict=True)]


def _enough(mask: Bools, member: Bools) -> bool:
    return min(int((mask & member).sum()), int((mask & ~member).sum())) >= LEAST_ROWS


def _slicing(
    name: str,
    parts: Sequence[tuple[str, Bools]],
    attack: Scored,
    case: AuditCase,
    share: Share,
    fprs: Sequence[float],
) -> Slicing:
    assert attack.scores is not None
    member = case.member
    # a rate that fewer than ten wrong accusations decide would have no interval to speak of
    masks = [part[case.audited] for _, part in parts]
    fewest = min((int((mask & ~member).sum()) for mask in masks if _enough(mask, member)), default=0)
    fpr = min((f for f in fprs if f * fewest >= 10), default=max(fprs))
    results = [
        _slice(of, part, attack, case, fpr, share.level)
        for (of, part), mask in zip(parts, masks, strict=True)
        if mask.any()
    ]
    known = sorted((r for r in results if r.auc is not None), key=lambda r: r.auc.value if r.auc else 0.0)
    disparity = None
    if len(known) > 1 and known[0].auc is not None and known[-1].auc is not None:
        low, high = known[0].auc, known[-1].auc
        # Both intervals hold together with all others, so their difference does, whichever two are picked.
        disparity = Estimate(value=high.value - low.value, low=high.low - low.high, high=high.high - low.low)
    return Slicing(
        name=name,
        attack=attack.name,
        level=share.level,
        intervals=share.intervals,
        slices=results,
        most=known[-1].name if disparity else None,
        least=known[0].name if disparity else None,
        disparity=disparity,
    )


def _slice(name: str, part: Bools, attack: Scored, case: AuditCase, fpr: float, level: float) -> SliceResult:
    scores, member, mask = attack.scores, case.member, part[case.audited]
    assert scores is not None
    inside, outside = scores[mask & member], scores[mask & ~member]
    if not _enough(mask, member):
        return SliceResult(name=name, members=len(inside), nonmembers=len(outside), auc=None)
    threshold = attack.threshold
    groups = None if case.units is None else split_groups(case.units[mask], member[mask])
    wider = case.judging_in(part).wider(attack.needs)
    return SliceResult(
        name=name,
        members=len(inside),
        nonmembers=len(outside),
        auc=estimate(auc(inside, outside, confidence=level, groups=groups, wider=wider)),
        tpr=tpr_points(inside, outside, [fpr], level, groups, wider)[0],
        recall=None if threshold is None else float((inside >= threshold).mean()),
        fpr=None if threshold is None else float((outside >= threshold).mean()),
    )


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
        (a.scores[case.member], a.scores[~case.member])
        for case, attempts in tried
        for a in with_scores(attempts)
        if a.scored.name == result.name
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
