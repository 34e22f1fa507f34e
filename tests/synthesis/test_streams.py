import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.seeds import mix
from gnomon.synthesis.streams import Streams, stream_keys, uniform_at

Z = 4.5


def streams(n, seed=1):
    return Streams(stream_keys(seed, np.zeros(n, dtype=np.int64), np.arange(n)), np.zeros(n, dtype=np.uint64))


def test_the_finaliser_is_that_of_splitmix64():
    # First outputs of SplitMix64 from state 1234567 (the published test vector of the generator).
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + golden * i) % 2**64 for i in (1, 2, 3)], dtype=np.uint64)
    assert mix(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@settings(max_examples=50)
@given(d=st.integers(1, 60), n=st.integers(1, 8), seed=st.integers(0, 2**62), data=st.data())
def test_picks_are_distinct_and_as_many_as_asked(d, n, seed, data):
    k = np.array(data.draw(st.lists(st.integers(1, d), min_size=n, max_size=n)), dtype=np.int64)
    rows, features, uniform = streams(n, seed).picks(d, k)
    assert np.bincount(rows, minlength=n).tolist() == k.tolist()
    assert len(np.unique(rows * d + features)) == k.sum()
    assert features.min() >= 0
    assert features.max() < d
    assert uniform.min() >= 0
    assert uniform.max() < 1


@settings(max_examples=30)
@given(n=st.integers(2, 9), seed=st.integers(0, 99), data=st.data())
def test_a_stream_reads_the_same_alone_and_among_others(n, seed, data):
    k = np.array(data.draw(st.lists(st.integers(1, 20), min_size=n, max_size=n)), dtype=np.int64)
    together = streams(n, seed)
    rows, features, uniform = together.picks(20, k)
    after = together.uniform()
    i = data.draw(st.integers(0, n - 1))
    alone = Streams(streams(n, seed).keys[i : i + 1], np.zeros(1, dtype=np.uint64))
    _, own_features, own_uniform = alone.picks(20, k[i : i + 1])
    assert own_features.tolist() == features[rows == i].tolist()
    assert own_uniform.tolist() == uniform[rows == i].tolist()
    assert alone.uniform()[0] == after[i]


@pytest.mark.parametrize(("d", "k"), [(10, 3), (40, 20), (12, 9), (5, 5)])
def test_every_feature_and_pair_is_picked_as_often(d, k):
    n = 20_000
    rows, features, uniform = streams(n).picks(d, np.full(n, k))
    chosen = np.zeros((n, d), dtype=bool)
    chosen[rows, features] = True
    share = k / d
    assert (np.abs(chosen.mean(axis=0) - share) <= Z * np.sqrt(share * (1 - share) / n)).all()
    together = (chosen.T.astype(float) @ chosen / n)[np.triu_indices(d, 1)]
    pair = k * (k - 1) / (d * (d - 1))
    assert (np.abs(together - pair) <= 5.5 * np.sqrt(pair * (1 - pair) / n) + 1e-12).all()
    means = np.array([uniform[features == j].mean() for j in range(d)])
    assert (np.abs(means - 0.5) < Z / np.sqrt(12 * n * share)).all()


def test_numbers_are_uniform_and_streams_unlike():
    n = 200_000
    numbers = uniform_at(np.repeat(stream_keys(3, np.array([4]), np.array([5])), n), np.arange(n, dtype=np.uint64))
    counts = np.bincount((numbers * 100).astype(int), minlength=100)
    assert abs(((counts - n / 100) ** 2 / (n / 100)).sum() - 99) < 5 * np.sqrt(2 * 99)
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < Z / np.sqrt(n)
    classes, attempts = (v.reshape(-1) for v in np.meshgrid(np.arange(100), np.arange(100)))
    keys = np.concatenate([stream_keys(root, classes, attempts) for root in (0, 1)])
    assert len(np.unique(keys)) == len(keys)
