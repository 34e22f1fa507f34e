"""What searchers propose: at most k features change."""

import numpy as np
import pytest
from tests.synthesis.toy import Linear, bits

from gnomon.synthesis.searchers import Guided, Spot
from gnomon.synthesis.streams import Streams, stream_keys


def streams(n, seed=0):
    return Streams(stream_keys(seed, np.zeros(n, dtype=np.int64), np.arange(n)), np.zeros(n, dtype=np.uint64))


@pytest.mark.parametrize("k", [1, 3, 20])
def test_at_most_k_features_change(k):
    space = bits(20)
    guided = Guided(space, 6, None, 3.0)
    codes = space.random_codes(500, np.random.default_rng(0))
    guided.learn(codes, Linear(20, 6)(codes))
    classes = np.arange(500) % 6
    spot = Spot(codes, Linear(20, 6)(codes), classes, np.full(500, k))
    changed = (guided.propose(spot, streams(500)) != codes).sum(axis=1)
    assert changed.max() <= k
    assert changed.max() > 0
