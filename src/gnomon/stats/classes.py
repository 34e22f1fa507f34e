"""Leakage class by class, and the percentiles over classes in which Shokri et al. (2017) present it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gnomon.core.arrays import check_labels
from gnomon.core.errors import UsageError
from gnomon.stats.roc import placements
from gnomon.stats.samples import check_scores, split_scores


@dataclass(frozen=True)
class ClassRates:
    """One class at the attack's threshold; None where the class holds too little to say."""

    label: int
    members: int
    nonmembers: int
    precision: float | None  # members and non-members weighted equally; None if nobody is accused or a side is empty
    recall: float | None  # None without members
    fpr: float | None  # None without non-members
    auc: float | None  # None if a side is empty


@dataclass(frozen=True)
class ClassPercentiles:
    """Percentiles over classes."""

    p10: float
    p25: float
    p50: float
    p75: float
    p90: float


def class_rates(
    scores: ArrayLike, member: ArrayLike, labels: ArrayLike, threshold: float | None, *, classes: int
) -> tuple[ClassRates, ...]:
    """Precision, recall, FPR and AUC within each class, at one threshold.

    Args:
        scores: ``(n,)``, higher = more like a member.
        member: mask of true members ``(n,)``.
        labels: class ids ``(n,)``, ``0 .. classes - 1``.
        threshold: accuses scores ``>= threshold``; None accuses nobody.
        classes: number of classes c.

    Returns:
        One entry a class, ``(c,)``, empty classes included.

    Raises:
        DataError: shapes differ, a label is outside, a side is empty, or scores hold NaN.
        UsageError: the threshold is NaN.

    >>> class_rates([3, 1, 2, 0], [True, True, False, False], [0, 1, 0, 1], 2.0, classes=2)[0]
    ClassRates(label=0, members=1, nonmembers=1, precision=0.5, recall=1.0, fpr=1.0, auc=1.0)
    """
    array = check_scores(scores, source="scores")
    split_scores(array, member)
    mask = np.asarray(member)
    ids = check_labels(labels, rows=array.size, classes=classes, source="labels")
    if threshold is not None and np.isnan(threshold):
        raise UsageError("expected a threshold that is a number (or None, which accuses nobody), got NaN")
    accused = np.zeros(array.size, dtype=np.bool_) if threshold is None else array >= threshold
    order = np.lexsort((array, ids))
    bounds = np.searchsorted(ids[order], np.arange(classes + 1))
    return tuple(
        _one_class(label, array[rows], mask[rows], accused[rows])
        for label in range(classes)
        for rows in [order[bounds[label] : bounds[label + 1]]]
    )


def _one_class(label: int, scores: np.ndarray, member: np.ndarray, accused: np.ndarray) -> ClassRates:
    """Rates of one class, whose rows are sorted by score."""
    n1 = int(np.count_nonzero(member))
    n0 = int(member.size) - n1
    recall = float(accused[member].mean()) if n1 else None
    fpr = float(accused[~member].mean()) if n0 else None
    precision = area = None
    if recall is not None and fpr is not None:
        precision = recall / (recall + fpr) if recall + fpr > 0 else None
        area = float(placements(scores[member], scores[~member]).mean())
    return ClassRates(label, n1, n0, precision, recall, fpr, area)


def percentiles(values: Iterable[float | None]) -> ClassPercentiles | None:
    """The 10th, 25th, 50th, 75th and 90th percentile of the values that are there; None if none is.

    >>> percentiles([0.0, None, 1.0]).p25
    0.25
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    return ClassPercentiles(*(float(q) for q in np.quantile(known, [0.10, 0.25, 0.50, 0.75, 0.90])))
