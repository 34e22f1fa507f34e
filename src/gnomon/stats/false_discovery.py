"""How many records can be accused if at most a wanted share of the accusations may be false.

A wrapper over any score: each record's score becomes a conformal p-value against scores of known non-members, and
Benjamini & Hochberg's step-up rule (1995) chooses how many of the smallest to accuse. The expected share of non-members
among the accused, the false-discovery rate, is then at most as wanted, whatever the score's distribution (Bates et al.,
2023), as long as calibration non-members and accused non-members come from one population.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gnomon.core.arrays import Bools
from gnomon.core.errors import UsageError
from gnomon.stats.samples import Doubles, check_scores


@dataclass(frozen=True)
class Accusations:
    """Who can be accused at a wanted false-discovery rate."""

    fdr: float  # as wanted
    accused: Bools  # (n,) in the order of the scores
    count: int
    threshold: float | None  # lowest accused score; None if nobody is accused
    p_values: Doubles  # (n,) in (0, 1]
    least: int | None  # the calibration sample can resolve no fewer accusations than this; None: too small for any
    reason: str | None  # why nobody could have been accused, whatever the scores


def conformal_p_values(scores: ArrayLike, calibration: ArrayLike) -> Doubles:
    """The chance that a non-member scores as high: ``(1 + #{calibration >= score}) / (1 + z)`` (Vovk et al., 2005).

    Args:
        scores: of the records in question ``(n,)``, higher = more like a member.
        calibration: scores of known non-members ``(z,)``, which are not among the records in question.

    Returns:
        p-values ``(n,)`` in ``[1 / (z + 1), 1]``.

    Raises:
        DataError: an empty sample, or NaN.

    >>> conformal_p_values([5.0, 1.0, -1.0], [0.0, 1.0, 2.0])
    array([0.25, 0.75, 1.  ])
    """
    array = check_scores(scores, source="scores")
    known = np.sort(check_scores(calibration, source="calibration"))
    as_high = known.size - np.searchsorted(known, array, side="left")
    return np.asarray((1.0 + as_high) / (1.0 + known.size), dtype=np.float64)


def accusations(scores: ArrayLike, calibration: ArrayLike, fdr: float) -> Accusations:
    """Accuses as many records as a wanted false-discovery rate allows.

    Args:
        scores: of the records in question ``(n,)``, higher = more like a member.
        calibration: scores of known non-members ``(z,)`` of the same population, none of them among the records.
        fdr: the wanted expected share of non-members among the accused, in (0, 1).

    Returns:
        The accused, and the fewest that a calibration sample of this size can ever accuse.

    Raises:
        DataError: an empty sample, or NaN.
        UsageError: fdr outside (0, 1).

    >>> result = accusations([9.0, 8.0, 0.5], [0.0, 1.0, 2.0, 3.0] * 25, fdr=0.1)
    >>> result.accused, result.count, result.threshold
    (array([ True,  True, False]), 2, 8.0)
    """
    if not 0.0 < fdr < 1.0:
        raise UsageError(f"expected fdr strictly between 0 and 1 (such as 0.1), got fdr={fdr}")
    array = check_scores(scores, source="scores")
    p_values = conformal_p_values(array, calibration)
    n, smallest = array.size, 1.0 / (np.asarray(calibration).size + 1)
    ordered = np.sort(p_values)
    passing = np.flatnonzero(ordered * n <= fdr * np.arange(1, n + 1) * (1 + 1e-12))
    accused = p_values <= ordered[passing[-1]] if passing.size else np.zeros(n, dtype=np.bool_)
    least = max(1, math.ceil(n * smallest / fdr * (1 - 1e-12)))
    reason = None
    if least > n:
        reason = (
            f"too few calibration non-members (have {np.asarray(calibration).size:,}, "
            f"need {math.ceil(1 / fdr) - 1:,} or more)"
        )
    return Accusations(
        fdr,
        accused,
        int(np.count_nonzero(accused)),
        float(array[accused].min()) if accused.any() else None,
        p_values,
        least if least <= n else None,
        reason,
    )
