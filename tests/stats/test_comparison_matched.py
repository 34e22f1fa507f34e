"""The difference of two matched shares: coverage simulated, ends, symmetry."""

import numpy as np
import pytest

from gnomon.core.errors import DataError
from gnomon.stats.comparison import matched_difference


@pytest.mark.parametrize(("n", "gain", "loss"), [(50, 0.1, 0.05), (400, 0.02, 0.02), (400, 0.01, 0.06)])
def test_the_interval_covers_what_it_says(n: int, gain: float, loss: float) -> None:
    rng, held, runs = np.random.default_rng(0), 0, 2000
    for _ in range(runs):
        kind = rng.choice(4, size=n, p=[gain, loss, 0.6, 0.4 - gain - loss])
        found = matched_difference((kind == 0) | (kind == 2), (kind == 1) | (kind == 2))
        held += found.low <= gain - loss <= found.high
    assert held / runs > 0.935


def test_agreement_on_every_row_is_no_difference() -> None:
    assert matched_difference([True, False], [True, False]).high == 0.0


def test_turned_round_it_is_the_negative() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(100) < 0.7, rng.random(100) < 0.5
    one, other = matched_difference(a, b), matched_difference(b, a)
    assert one.value == pytest.approx(-other.value)
    assert one.low == pytest.approx(-other.high)


def test_it_needs_the_same_rows() -> None:
    with pytest.raises(DataError, match="same rows"):
        matched_difference([True], [True, False])
