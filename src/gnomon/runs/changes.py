"""Which rows of two audits are compared; one value of both: difference, interval, whether it is more than noise."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri, stdtrit

from gnomon.auditing.outcome import Outcome
from gnomon.auditing.results.figures import estimate
from gnomon.core.arrays import Ints
from gnomon.core.documents.comparison import Change, FigureChange
from gnomon.core.documents.record import AttackResult, Estimate
from gnomon.stats.intervals import Interval

LEAST_SHARED = 0.5  # of each run's members and non-members; below it, pairs would leave too much out
SIDES_CHANGED = 0.05  # share of rows that are members here and non-members there, from which on errors may be opposed


COUNTED = re.compile(r"((members|nonmembers|pool):)?\d+")  # an id that is made where the user gives none


@dataclass(frozen=True)
class Pairs:
    """Positions of the rows that are compared: the same rows in the same role, or all rows of each run apart."""

    kind: Literal["same rows", "common rows", "none"]
    first: Ints
    second: Ints
    opposed: bool  # many rows are members in one run and non-members in the other


def pair_rows(first: Outcome, second: Outcome) -> Pairs:
    """Rows with equal ids and equal membership, if both runs have mostly these.

    Ids that only count rows say nothing of rows of other content: those of other files would be taken for the same.
    """
    everything = Pairs("none", np.arange(len(first.ids)), np.arange(len(second.ids)), False)
    if not first.ids or not second.ids or len(set(first.ids)) < len(first.ids):
        return everything
    data = first.record.data, second.record.data
    if len(set(second.ids)) < len(second.ids) or data[0].name != data[1].name:
        return everything
    if data[0].fingerprint != data[1].fingerprint and (_counted(first) or _counted(second)):
        return everything
    _, at_first, at_second = np.intersect1d(
        np.asarray(first.ids), np.asarray(second.ids), assume_unique=True, return_indices=True
    )
    roles = [np.asarray(first.member, dtype=bool), np.asarray(second.member, dtype=bool)]
    same = roles[0][at_first] == roles[1][at_second]
    opposed = bool((~same).sum() > SIDES_CHANGED * min(len(first.ids), len(second.ids)))
    shared = roles[0][at_first[same]]
    enough = all(
        side > 1 and side >= LEAST_SHARED * int((role == kind).sum())
        for role in roles
        for kind, side in ((True, int(shared.sum())), (False, int((~shared).sum())))
    )
    if not enough:
        return Pairs("none", everything.first, everything.second, opposed)
    whole = len(shared) == len(first.ids) == len(second.ids)
    return Pairs("same rows" if whole else "common rows", at_first[same], at_second[same], opposed)


def _counted(outcome: Outcome) -> bool:
    """Whether ids are the rows' numbers, and nobody said that they are more."""
    own = outcome.record.plan.get("data", {}).get("id") is not None
    return not own and all(COUNTED.fullmatch(one) for one in outcome.ids)


def from_records(
    one: AttackResult, other: AttackResult, fprs: Sequence[float], level: float, recorded: float
) -> list[FigureChange]:
    """Without scores: the records' own intervals, widened to the level as if they were normal, and added in full."""
    wider = float(ndtri((1 + level) / 2) / ndtri((1 + recorded) / 2))
    figures = []
    for fpr in (None, *fprs):
        estimates = [r.auc if fpr is None else next(p.tpr for p in r.tpr_at_fpr if p.fpr == fpr) for r in (one, other)]
        name = "AUC" if fpr is None else tpr_name(fpr)
        if estimates[0] is None or estimates[1] is None:
            figures.append(refused(name, "too few non-members"))
        else:
            intervals = [
                Interval(e.value, e.value - wider * (e.value - e.low), e.value + wider * (e.high - e.value))
                for e in estimates
                if e is not None
            ]
            figures.append(unpaired(name, intervals[0], intervals[1], True))
    return figures


def unpaired(name: str, first: Interval, second: Interval, opposed: bool) -> FigureChange:
    """The difference of two figures from their own intervals (Zou & Donner, 2008).

    Independent errors add as squares. Where a row is a member in one run and a non-member in the other, a row that is
    easy to accuse lifts one figure and lowers the other; then errors add up in full, which holds whatever they do.
    """
    join = (lambda a, b: a + b) if opposed else math.hypot
    value = second.value - first.value
    low = value - join(second.value - second.low, first.high - first.value)
    high = value + join(second.high - second.value, first.value - first.low)
    return figure_change(name, first.value, second.value, Interval(value, max(low, -1.0), min(high, 1.0)))


def figure_change(name: str, first: float, second: float, difference: Interval) -> FigureChange:
    """A difference with what it amounts to."""
    found = estimate(difference)
    return FigureChange(figure=name, first=first, second=second, difference=found, change=_judge(found))


def other_trainings(result: AttackResult, fpr: float | None) -> list[float]:
    """The AUC, or a true-positive rate, of an attack on each repeated target, or in each rehearsal where none is."""
    if result.repeats is not None:
        spreads = (result.repeats.auc, *result.repeats.tpr_at_fpr)
        return next((s.values for s in spreads if s.fpr == fpr), [])
    if fpr is None:
        return [r.auc for r in result.rehearsals]
    return [p.tpr for r in result.rehearsals for p in r.tpr_at_fpr if p.fpr == fpr]


def with_retraining(figure: FigureChange, first: list[float], second: list[float], level: float) -> FigureChange:
    """Widens a difference by what models of one recipe differ by, as far as rehearsals tell.

    Each figure is that of one trained model, so the difference carries the spread between models twice. The spread over
    rehearsals is pooled over both runs; it holds some of the choice of records too, so this errs towards noise.
    """
    freedom = sum(max(0, len(values) - 1) for values in (first, second))
    if figure.difference is None or freedom == 0:
        return figure
    squares = sum(float(np.var(values)) * len(values) for values in (first, second) if len(values) > 1)
    half = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(2 * squares / freedom)
    value = figure.difference.value
    low = value - math.hypot(half, value - figure.difference.low)
    high = value + math.hypot(half, figure.difference.high - value)
    retrained = Estimate(value=value, low=max(low, -1.0), high=min(high, 1.0))
    return figure.model_copy(update={"retrained": retrained, "change": _judge(retrained)})


def _judge(difference: Estimate | Interval) -> Change:
    return "worse" if difference.low > 0 else "better" if difference.high < 0 else "within noise"


def refused(name: str, reason: str | None) -> FigureChange:
    """A figure that can't be compared, and why."""
    return FigureChange(figure=name, first=None, second=None, difference=None, change="not comparable", refused=reason)


def tpr_name(fpr: float) -> str:
    """What a true-positive rate is called in a comparison."""
    return f"TPR at {100 * fpr:.6g}% FPR"
