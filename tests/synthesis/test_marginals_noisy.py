import numpy as np
import pytest
from tests.synthesis.toy import bits, mixed

from gnomon.core.errors import DataError, UsageError
from gnomon.synthesis import noisy


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.2, 1.0])
def test_bits_flip_at_the_rate(rate):
    n, d = 2000, 50
    x = (np.random.default_rng(0).random((n, d)) < 0.1).astype(np.float32)
    changed = noisy(x, bits(d), rate, np.random.default_rng(1)) != x
    assert abs(changed.mean() - rate) <= 4.5 * np.sqrt(rate * (1 - rate) / (n * d))
    for value in (0, 1):  # ones and zeros alike
        share = changed[x == value].mean()
        assert abs(share - rate) <= 4.5 * np.sqrt(rate * (1 - rate) / (x == value).sum())


def test_every_kind_of_feature_changes_at_the_rate_and_stays_legal():
    space = mixed()
    x = space.random(5000, np.random.default_rng(0))
    after = noisy(x, space, 0.3, np.random.default_rng(1))
    changed = (space.encode(after) != space.encode(x)).mean(axis=0)
    assert (np.abs(changed - 0.3) < 4.5 * np.sqrt(0.3 * 0.7 / 5000)).all()


def test_the_rows_given_are_left_alone():
    x = np.zeros((10, 4), dtype=np.float32)
    noisy(x, bits(4), 1.0, np.random.default_rng(0))
    assert (x == 0).all()


def test_a_rate_is_a_probability_and_rows_are_legal():
    with pytest.raises(UsageError, match="rate in"):
        noisy(np.zeros((1, 4)), bits(4), 1.2, np.random.default_rng(0))
    with pytest.raises(DataError, match="row 0"):
        noisy(np.full((1, 4), 7.0), bits(4), 0.2, np.random.default_rng(0))
