import numpy as np
import pytest
from scipy.stats import ttest_1samp

from gnomon.core.errors import DataError
from gnomon.stats.intervals import spread


def test_it_is_students_interval() -> None:
    values = [0.61, 0.66, 0.58, 0.7]
    reference = ttest_1samp(values, 0.0).confidence_interval(0.9)
    result = spread(values, confidence=0.9)
    assert result.mean is not None
    assert (result.mean.low, result.mean.high) == pytest.approx((reference.low, reference.high))
    assert (result.repeats, result.lowest, result.highest) == (4, 0.58, 0.7)


def test_it_covers_the_recipes_mean() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        mean = spread(rng.normal(0.6, 0.02, 5).tolist()).mean
        assert mean is not None
        covered += mean.low <= 0.6 <= mean.high
    assert 929 <= covered <= 971


def test_a_single_target_shows_no_spread() -> None:
    result = spread([0.6])
    assert (result.mean, result.deviation, result.lowest) == (None, None, 0.6)


@pytest.mark.parametrize("values", [[], [float("nan")], [float("inf"), 0.5]])
def test_what_is_no_figure_is_refused(values: list[float]) -> None:
    with pytest.raises(DataError, match="finite"):
        spread(values)
