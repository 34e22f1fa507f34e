"""From statistics to the parts of a record."""

from __future__ import annotations

from gnomon.core.arrays import Floats
from gnomon.core.documents.record import Estimate, TprAtFpr
from gnomon.stats.clusters import Groups
from gnomon.stats.intervals import Interval
from gnomon.stats.low_fpr import tpr_at_fpr


def estimate(interval: Interval) -> Estimate:
    """A figure with its interval."""
    return Estimate(value=interval.value, low=interval.low, high=interval.high)


def tpr_point(members: Floats, nonmembers: Floats, fpr: float, level: float, groups: Groups | None = None) -> TprAtFpr:
    """The true-positive rate at a false-positive rate, or why it is refused; its interval by group if given."""
    found = tpr_at_fpr(members, nonmembers, fpr, confidence=level, groups=groups)
    if found.tpr is None:
        return TprAtFpr(fpr=fpr, tpr=None, refused=found.reason)
    return TprAtFpr(fpr=fpr, tpr=estimate(found.tpr), false_positives=found.false_positives)
