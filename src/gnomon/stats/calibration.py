"""Choosing a threshold: on shadow scores (calibration), or on the audited rows themselves (an oracle, so called).

An attacker does not know who is a member, so their threshold must come from models that they trained themselves. A
threshold chosen on the audited rows flatters the attack; it is computed for comparison only.

How well a classifier's stated confidence matches how often it is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gnomon.core.arrays import Floats, Ints
from gnomon.stats.clusters import Groups
from gnomon.stats.rates import Rates, rates_at_threshold
from gnomon.stats.roc import roc_curve
from gnomon.stats.samples import check_scores, split_scores


@dataclass(frozen=True)
class Oracle:
    """The best threshold on the audited rows themselves: an upper bound that no attacker is promised.

    Its intervals ignore that the threshold was chosen on the same rows, so they lie too high.
    """

    rates: Rates


def calibrate_threshold(scores: ArrayLike, member: ArrayLike) -> float:
    """The threshold of the best balanced accuracy on calibration scores, such as those of shadow models.

    It lies midway between the two neighbouring scores that it separates. Where several thresholds are equally good, the
    highest one wins (fewest accusations), so the result does not depend on the order of rows.

    Args:
        scores: calibration scores ``(n,)``, higher = more like a member.
        member: mask of true members ``(n,)``.

    Returns:
        t; scores ``>= t`` are to be accused. Minus infinity accuses everybody. Plus infinity accuses nobody but a
        score of plus infinity.

    Raises:
        DataError: an empty side, NaN, or a mask that is not boolean.

    >>> calibrate_threshold([0.1, 0.2, 0.6, 0.8], [False, False, True, True])
    0.4
    """
    members, nonmembers = split_scores(scores, member)
    curve = roc_curve(members, nonmembers)
    # In whole numbers: rates that are equal must compare as equal.
    gain = curve.true_positives * curve.nonmembers - curve.false_positives * curve.members
    levels = curve.thresholds
    start = 1 if levels[1] == np.inf else 0  # no number lies above plus infinity, so "nobody" can't be had there
    best = start + int(np.argmax(gain[start:]))
    if best == 0:
        return math.inf
    if best + 1 == levels.size:
        return -math.inf
    return midway(float(levels[best + 1]), float(levels[best]))


def oracle(
    members: ArrayLike, nonmembers: ArrayLike, *, confidence: float = 0.95, groups: Groups | None = None
) -> Oracle:
    """Rates of the threshold with the best balanced accuracy on these very scores, intervals by group if given.

    Raises:
        DataError: an empty sample, or NaN.

    >>> oracle([3, 2, 1], [2, 0, 0]).rates.threshold
    0.5
    """
    m, n = check_scores(members, source="members"), check_scores(nonmembers, source="nonmembers")
    member = np.arange(m.size + n.size) < m.size
    threshold = calibrate_threshold(np.concatenate([m, n]), member)
    return Oracle(rates_at_threshold(m, n, threshold, confidence=confidence, groups=groups))


def midway(below: float, above: float) -> float:
    """A threshold that accuses ``above`` and spares ``below``, which is lower: their middle, if there is one.

    >>> midway(1.0, 2.0), midway(-math.inf, 2.0)
    (1.5, 2.0)
    """
    if math.isinf(below) and math.isinf(above):
        return 0.0
    if math.isinf(below) or math.isinf(above):
        return above
    middle = below / 2 + above / 2
    return middle if below < middle <= above else above


BINS = 15


def expected_calibration_error(log_probs: Floats, labels: Ints, *, bins: int = BINS) -> float:
    """Mean distance between the largest probability of an answer and the share of such answers that are right.

    Answers are put into bins of equal width by their largest probability (Guo, Pleiss, Sun & Weinberger, 2017).

    Args:
        log_probs: (n, c) natural-log probabilities.
        labels: (n,) class ids.
        bins: number of bins over [0, 1].

    Returns:
        A number in [0, 1]; 0 where every confidence is right on average.

    >>> expected_calibration_error(np.log([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1]))  # sure to 80 %, right in half
    0.3
    """
    stated = np.exp(log_probs.max(axis=1).astype(np.float64))
    right = log_probs.argmax(axis=1) == labels
    place = np.minimum((stated * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=right - stated, minlength=bins)
    return round(float(np.abs(gaps).sum()) / len(labels), 12)
