"""Noisy versions of real records (Shokri et al. 2017, section V-C): the attacker holds records like the target's."""

from __future__ import annotations

import numpy as np

from gnomon.core.arrays import Rows
from gnomon.core.data.features import FeatureSpace


def noisy(x: Rows, space: FeatureSpace, rate: float, rng: np.random.Generator) -> Rows:
    """Real records in which each feature, with probability ``rate``, takes another value.

    A bit is flipped, as in the paper (which flips 10 % and 20 % of them). A feature of another kind takes one of its
    other legal values, each as likely; it never keeps its value, so that ``rate`` is the share of features that differ,
    whatever their kind. Only a feature with one legal value stays as it is. A one-hot group is one feature.

    Args:
        x: (n, ...) rows, array or data frame.
        space: kinds and ranges of the features.
        rate: share of features to change, in [0, 1].
        rng: source of randomness.

    Returns:
        Rows in the same form, the records' labels still hold.

    Raises:
        UsageError: a rate outside [0, 1].
        DataError: rows that are not legal in this space.

    >>> from gnomon.core.data.features import infer_features
    >>> bits = np.tile(np.array([0, 1], dtype=np.uint8), (500, 10))
    >>> round(float((noisy(bits, infer_features(bits), 0.1, np.random.default_rng(0)) != bits).mean()), 2)
    0.1
    """
    return space.flip(x, rate, rng)
