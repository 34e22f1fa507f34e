"""From an attack's scores to its figures with intervals, by record and by person.

An attacker who asks "was this household in the training data?" holds all its records, not one. They add up each
record's log odds of membership, learned on shadow models that played the target; where there were none, the normal
scores of the records' ranks stand for them. The sum was chosen among sum, mean and largest on shopping baskets by
household (665 households of 18 baskets, LiRA): AUC 0.998, 0.996 and 0.922, for 0.908 by single basket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gnomon.auditing.evidence.assemble import AuditCase, Judging
from gnomon.auditing.inputs.roles import by_group
from gnomon.auditing.results.scoring import Attempt, Rehearsed, with_scores
from gnomon.auditing.settings import Progress
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.documents.record import (
    AttackResult,
    AtThreshold,
    ClassResult,
    Curve,
    Estimate,
    Histogram,
    Percentiles,
    PrecisionAtPrior,
    TprAtFpr,
)
from gnomon.core.documents.record_parts import FdrAccusations, GroupResult, RatePoint, Rehearsal
from gnomon.core.plan import StatisticsPlan
from gnomon.engines.local import Engine, LocalEngine, Task, in_order
from gnomon.stats.calibration import oracle
from gnomon.stats.classes import class_rates, percentiles
from gnomon.stats.clusters import Groups, worth_of_shares
from gnomon.stats.curves import histogram, thin_roc
from gnomon.stats.false_discovery import accusations
from gnomon.stats.intervals import Interval
from gnomon.stats.low_fpr import TprPoint, tpr_at_fprs
from gnomon.stats.rates import Rates, precision_at_prior, rates_at_threshold
from gnomon.stats.risk import log_odds
from gnomon.stats.roc import auc
from gnomon.stats.samples import tied_share


def estimate(interval: Interval) -> Estimate:
    """A figure with its interval."""
    return Estimate(value=interval.value, low=interval.low, high=interval.high)


def tpr_points(
    members: Floats,
    nonmembers: Floats,
    fprs: Sequence[float],
    level: float,
    groups: Groups | None = None,
    wider: float = 1.0,
) -> list[TprAtFpr]:
    """The true-positive rate at each false-positive rate, or why it is refused; intervals by group if given."""
    found = tpr_at_fprs(members, nonmembers, fprs, confidence=level, groups=groups, wider=wider)
    return [_shown(point) for point in found]


def _shown(point: TprPoint) -> TprAtFpr:
    if point.tpr is None:
        return TprAtFpr(fpr=point.fpr, tpr=None, refused=point.reason)
    return TprAtFpr(fpr=point.fpr, tpr=estimate(point.tpr), false_positives=point.false_positives)


STEP = 2.0**-20
LEAST_GROUPS = 10  # of each kind; fewer say nothing about people
LOG_ODDS = "sum of the records' log odds of membership, learned on shadow models that played the target"
RANKS = "sum of the normal scores of the records' ranks (there were no rehearsals to learn odds on)"


@dataclass(frozen=True)
class Truth:
    """What scores of the n audited rows are held against; small enough to send to other processes.

    Attributes:
        labels: (n,) class ids.
        classes: names of the classes.
        member: (n,) the truth.
        groups: (n,) the person or household of each row; None without groups.
        trained: the persons of all rows that the target was trained on; None without groups.
        sides: the units of members and of others, for intervals; None where every row stands for itself.
        distinct: positions of the rows without further copies on one side.
        judging: which rows judge each other.
        units: (n,) what changes sides as a whole by chance; None where every row stands for itself.
    """

    labels: Ints
    classes: tuple[str, ...]
    member: Bools
    groups: NDArray[Any] | None
    trained: NDArray[Any] | None
    sides: Groups | None
    distinct: Ints
    judging: Judging
    units: NDArray[Any] | None

    @classmethod
    def of(cls, case: AuditCase) -> Truth:
        """What an audit knows of its rows."""
        known = case.member, case.groups, case.trained, case.sides, case.distinct, case.judging, case.units
        return cls(case.evidence.labels, tuple(case.data.classes), *known)


def measure_groups(attempt: Attempt, truth: Truth, plan: StatisticsPlan) -> GroupResult | None:
    """One attack on groups that are wholly members against groups that are wholly not; None where there are too few."""
    scores = attempt.scored.scores
    if scores is None or truth.groups is None or truth.trained is None:
        return None
    _, index = np.unique(truth.groups, return_inverse=True)
    rows = np.bincount(index)
    inside, outside = _sides(truth.groups, truth.member, truth.trained)
    if min(int(inside.sum()), int(outside.sum())) < LEAST_GROUPS or rows[inside | outside].max() == 1:
        return None
    combined = combine(scores, attempt.rehearsed, truth.groups, truth.member, truth.trained)
    sides: tuple[Floats, Floats] = (combined[inside], combined[outside])
    return GroupResult(
        rule=LOG_ODDS if attempt.rehearsed.played else RANKS,
        members=int(inside.sum()),
        nonmembers=int(outside.sum()),
        mixed=int((~inside & ~outside).sum()),
        rows=float(rows[inside | outside].mean()),
        auc=estimate(auc(*sides, confidence=plan.confidence)),
        tpr_at_fpr=tpr_points(*sides, plan.fprs, plan.confidence),
    )


def combine(scores: Floats, rehearsed: Rehearsed, of_row: NDArray[Any], member: Bools, trained: NDArray[Any]) -> Floats:
    """Scores (g,) of persons, in the order of ``np.unique(of_row)``; NaN for a person who stands on both sides.

    Args:
        scores: of the audited rows (n,).
        rehearsed: what shadows playing the target taught about the attack.
        of_row: persons of the audited rows (n,).
        member: the truth (n,).
        trained: persons of the rows that the target was trained on.
    """
    _, index = np.unique(of_row, return_inverse=True)
    inside, outside = _sides(of_row, member, trained)
    evidence = np.where(_counted(index, inside, outside), _additive(scores, rehearsed), 0.0)
    combined: Floats = np.where(inside | outside, np.bincount(index, evidence), np.nan)
    return combined


def _counted(of_row: Ints, inside: Bools, outside: Bools) -> Bools:
    """Rows (n,) that count for their persons: as many for each as for the one of the same rank on the other side.

    A sum grows with the number of its records. If members had more records than others, their number alone would tell
    them apart, model or no model.
    """
    first, sizes = np.unique(of_row, return_index=True, return_counts=True)[1:]
    most = sizes.copy()
    for own, other in ((inside, outside), (outside, inside)):
        if own.any() and other.any():
            ranked = np.flatnonzero(own)[np.lexsort((first[own], sizes[own]))]
            shares = (np.arange(len(ranked)) + 0.5) / len(ranked)
            most[ranked] = np.minimum(
                sizes[ranked], np.quantile(sizes[other], shares, method="inverted_cdf").astype(np.int64)
            )
    order = np.argsort(of_row, kind="stable")
    place = np.empty(len(of_row), dtype=np.int64)
    place[order] = np.arange(len(of_row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    counted: Bools = place < most[of_row]
    return counted


def _sides(of_row: NDArray[Any], member: Bools, trained: NDArray[Any]) -> tuple[Bools, Bools]:
    """Persons (g,) of whom every audited row is a member, and persons of whom no row was trained on."""
    groups, index = np.unique(of_row, return_inverse=True)
    inside: Bools = np.bincount(index, member) == np.bincount(index)
    outside: Bools = ~np.isin(groups, trained)
    return inside, outside


def _additive(scores: Floats, rehearsed: Rehearsed) -> Floats:
    """Scores (n,) that may be added up over a person's records: 0 says nothing.

    They are rounded to steps that add up exactly: persons whose records score alike tie, in whatever order the records
    stand, and the last bits of a sum (which depend on how many threads made it) break no tie.
    """
    from scipy.stats import rankdata

    if rehearsed.played:
        return _stepped(log_odds([(p.scores, p.member) for p in rehearsed.played], scores))
    return _stepped(ndtri((rankdata(scores) - 0.5) / len(scores)))


def _stepped(values: Floats) -> Floats:
    stepped: Floats = np.round(values / STEP) * STEP
    return stepped


FDRS = (0.1, 0.01)


def accuse(scores: Floats, member: Bools, groups: NDArray[Any] | None = None) -> list[FdrAccusations]:
    """Half of the non-members calibrate; the other half stand among the members, and must not be accused too often.

    A person's records calibrate together or not at all: no candidate is held against other records of their own.

    Args:
        scores: of the audited rows ``(n,)``, in shuffled order, higher = more like a member.
        member: the truth ``(n,)``.
        groups: the person or household of each row ``(n,)``.
    """
    others = np.flatnonzero(~member)
    half = len(others) // 2
    if groups is not None:
        others = by_group(others, groups)
        while half and groups[others[half - 1]] == groups[others[half]]:
            half -= 1
    known, candidates = others[:half], np.concatenate([np.flatnonzero(member), others[half:]])
    if len(known) == 0:
        return []
    found = [accusations(scores[candidates], scores[known], fdr) for fdr in FDRS]
    return [
        FdrAccusations(
            fdr=one.fdr,
            accused=one.count,
            members=int((one.accused & member[candidates]).sum()),
            persons=None if groups is None else len(np.unique(groups[candidates[one.accused]])),
            candidates=len(candidates),
            calibration=len(known),
            least=one.least,
            reason=one.reason,
        )
        for one in found
    ]


PRIORS = (0.5, 0.1, 0.01)
LARGEST = 1e300  # JSON has no infinity
SCORES_HERE = 50_000  # scores of all attacks together that other processes would not measure sooner


def measure_all(
    attempts: Sequence[Attempt], case: AuditCase, plan: StatisticsPlan, engine: Engine, progress: Progress
) -> list[AttackResult]:
    """The figures of all attacks, in their order; where there is much to count, in the engine's processes."""
    advance, truth = progress.stage("statistics", len(attempts)), Truth.of(case)
    tasks = [Task(f"statistics of {a.scored.name}", measure, (a, truth, plan)) for a in attempts]
    return in_order(where_to_count(attempts, engine), tasks, advance)


def where_to_count(attempts: Sequence[Attempt], engine: Engine) -> Engine:
    """This process where there is little to count, else this machine's processes."""
    scores = sum(len(a.scores) for a in with_scores(attempts))
    return engine.here if scores > SCORES_HERE else LocalEngine(1)


def measure(attempt: Attempt, truth: Truth, plan: StatisticsPlan) -> AttackResult:
    """The figures of one attack on the audited rows, and in rehearsals."""
    scored, rehearsed = attempt.scored, attempt.rehearsed
    result = AttackResult(
        name=scored.name,
        title=scored.title,
        paper=scored.paper,
        status=scored.status,
        reason=scored.reason,
        skipped=scored.skipped,
        traceback=scored.traceback,
        needs=scored.needs,
        options=scored.options,
        seconds=scored.seconds,
        queries=scored.queries,
        notes=scored.notes,
        wider=truth.judging.wider(scored.needs),
    )
    if scored.scores is None:
        return result
    scores, member, level = scored.scores, truth.member, plan.confidence
    inside, outside, groups = scores[member], scores[~member], truth.sides
    wider = result.wider
    best = oracle(inside, outside, confidence=level, groups=groups).rates
    rates = (
        best
        if scored.calibrated == "oracle"
        else rates_at_threshold(inside, outside, scored.threshold, confidence=level, groups=groups)
    )
    points = tpr_at_fprs(inside, outside, plan.fprs, confidence=level, groups=groups, wider=wider)
    roc, bins = thin_roc(inside, outside, confidence=level, groups=groups, wider=wider), histogram(inside, outside)
    return result.model_copy(
        update={
            "auc": estimate(auc(inside, outside, confidence=level, groups=groups, wider=wider)),
            "advantage": estimate(rates.advantage),
            "tpr_at_fpr": [_shown(point) for point in points],
            "at_threshold": _at_threshold(rates, scored.calibrated),
            "oracle": _at_threshold(best, "oracle"),
            "precision_at_prior": _priors(inside, outside, points, level, groups),
            "roc": Curve(fpr=_list(roc.fpr), tpr=_list(roc.tpr), low=_list(roc.low), high=_list(roc.high)),
            "histogram": Histogram(
                edges=_list(bins.edges), members=bins.members.tolist(), nonmembers=bins.nonmembers.tolist()
            ),
            **_by_class(scores, truth, rates.threshold),
            "tied_share": tied_share(scores),
            "accusations": accuse(scores[truth.distinct], member[truth.distinct], truth.groups),
            "groups": measure_groups(attempt, truth, plan),
            "rehearsals": [
                Rehearsal(auc=p.auc, tpr_at_fpr=[RatePoint(fpr=f, tpr=t) for f, t in p.tpr.items()])
                for p in rehearsed.played
            ],
        }
    )


def _by_class(scores: Floats, truth: Truth, threshold: float | None) -> dict[str, Any]:
    """What a result says of single classes."""
    rates = class_rates(scores, truth.member, truth.labels, threshold, classes=len(truth.classes))
    precision, recall = percentiles(c.precision for c in rates), percentiles(c.recall for c in rates)
    classes = [
        ClassResult(
            name=truth.classes[c.label],
            members=c.members,
            nonmembers=c.nonmembers,
            precision=c.precision,
            recall=c.recall,
            auc=c.auc,
        )
        for c in rates
    ]
    return {
        "classes": classes,
        "class_precision": None if precision is None else Percentiles(**asdict(precision)),
        "class_recall": None if recall is None else Percentiles(**asdict(recall)),
    }


def rank_auc(scores: Floats, member: Bools) -> float:
    """The AUC alone."""
    return auc(scores[member], scores[~member]).value


def _at_threshold(rates: Rates, calibrated: Literal["shadow", "attack", "oracle"]) -> AtThreshold:
    finite = rates.threshold is not None and np.isfinite(rates.threshold)
    return AtThreshold(
        threshold=rates.threshold if finite else None,
        calibrated=calibrated,
        accuracy=estimate(rates.accuracy),
        precision=None if rates.precision is None else estimate(rates.precision),
        recall=estimate(rates.recall),
        fpr=estimate(rates.fpr),
    )


def _priors(
    inside: Floats, outside: Floats, points: Sequence[TprPoint], level: float, groups: Groups | None
) -> list[PrecisionAtPrior]:
    """Precision at the lowest resolvable false-positive rate of the plan."""
    resolved = [point for point in points if point.tpr is not None]
    if not resolved:
        return []
    lowest = min(resolved, key=lambda point: point.fpr)
    least = np.inf if lowest.threshold is None else lowest.threshold
    accused = [(side >= least) & (lowest.threshold is not None) for side in (inside, outside)]
    worth = None if groups is None else worth_of_shares(accused[0], accused[1], groups)
    counts = int(accused[0].sum()), len(inside), int(accused[1].sum()), len(outside)
    found = [(prior, precision_at_prior(*counts, prior=prior, confidence=level, worth=worth)) for prior in PRIORS]
    return [
        PrecisionAtPrior(prior=prior, fpr=lowest.fpr, precision=None if interval is None else estimate(interval))
        for prior, interval in found
    ]


def _list(values: Floats) -> list[float]:
    return [float(v) for v in np.clip(values, -LARGEST, LARGEST)]
