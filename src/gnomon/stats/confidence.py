"""How well a classifier's stated confidence matches how often it is right."""

from __future__ import annotations

import numpy as np

from gnomon.core.arrays import Floats, Ints

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
