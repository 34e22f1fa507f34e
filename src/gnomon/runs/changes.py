"""One figure of two audits: the difference, its interval, and whether it is more than noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from gnomon.core.documents.comparison import Change, FigureChange
from gnomon.core.documents.record import AttackResult, Estimate
from gnomon.stats.intervals import Interval


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
    estimate = Estimate(value=difference.value, low=difference.low, high=difference.high)
    return FigureChange(figure=name, first=first, second=second, difference=estimate, change=_judge(estimate))


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
