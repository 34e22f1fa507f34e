"""Chance that an answer brings with it: the same answer always draws the same numbers.

A mitigation that drew anew for each query could be undone by asking again and averaging.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats

STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
DECIMALS = 2  # of the log-probabilities: how many rows are asked at once changes the last bits of an answer
LOWEST = -1e6  # stands for minus infinity


def draw_uniform(answers: Floats, count: int, seed: int) -> Floats:
    """Numbers (n, count) in (0, 1), each row decided by that row of the answers (to two decimals) and the seed.

    Args:
        answers: (n, c) natural-log probabilities.
        count: numbers a row.
        seed: the owner's secret; who knows it can compute the draws.

    >>> answers = np.log([[0.2, 0.8], [0.5, 0.5]])
    >>> draws = draw_uniform(answers, 3, seed=7)
    >>> bool((draw_uniform(answers[1:], 3, seed=7) == draws[1:]).all())
    True
    """
    whole = np.round(np.maximum(np.asarray(answers, dtype=np.float64), LOWEST) * 10**DECIMALS).astype(np.int64)
    state = np.full(len(whole), np.uint64(seed % 2**64))
    for column in whole.T:
        state = _mix(state + STEP ^ _mix(column.astype(np.uint64)))
    places = np.arange(1, count + 1, dtype=np.uint64) * STEP
    bits = _mix(state[:, None] + places[None, :])
    uniform: Floats = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return uniform


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finishing step of SplitMix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * FIRST
    values = (values ^ (values >> np.uint64(27))) * SECOND
    return values ^ (values >> np.uint64(31))
