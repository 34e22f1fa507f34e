"""Levels of features: drawn as believed, tilted in log-odds."""

import numpy as np
import pytest
from tests.synthesis.test_searchers_guided import skewed
from tests.synthesis.toy import bits, mixed

from gnomon.core.data.features import Feature, FeatureSpace
from gnomon.synthesis import Cells, Marginals
from gnomon.synthesis.searchers import make_levels

Z = 4.5


def drawn(levels, n, features, tilt):
    rows, places = np.repeat(np.arange(n), features), np.tile(np.arange(features), n)
    uniform = np.random.default_rng(0).random(n * features)
    return levels.draw(np.tile(tilt, (n, 1)), rows, places, uniform).reshape(n, features)


@pytest.mark.parametrize("known", [None, skewed()])
def test_without_a_tilt_values_are_drawn_as_believed(known):
    n, levels = 40_000, make_levels(mixed(), known)
    codes = drawn(levels, n, 5, np.zeros(levels.width))
    twin = (
        mixed().random_codes(n, np.random.default_rng(1))
        if known is None
        else known.draw_codes(n, np.random.default_rng(1))
    )
    assert (np.abs(codes.mean(axis=0) - twin.mean(axis=0)) < Z * np.sqrt(2) * codes.std(axis=0) / np.sqrt(n)).all()
    for i in range(5):
        for q in (0.05, 0.3, 0.6, 0.9):
            at = np.quantile(twin[:, i], q)
            assert abs((codes[:, i] <= at).mean() - (twin[:, i] <= at).mean()) < Z * np.sqrt(0.5 / n)
    mixed().encode(mixed().decode(codes))  # legal
    assert (np.abs(levels.design(codes).mean(axis=0)) < Z * 0.5 / np.sqrt(n)).all()


def test_bits_are_drawn_as_believed_and_tilted_in_log_odds():
    n, space = 50_000, bits(3)
    known = Marginals(space, tuple(Cells((0.0, 1.0), (0.0, 1.0), (1 - p, p)) for p in (0.1, 0.5, 0.9)), smoothing=0)
    levels = make_levels(space, known)
    for tilt in (0.0, 1.5, -1.5):
        share = drawn(levels, n, 3, np.full(3, tilt)).mean(axis=0)
        odds = np.array([1 / 9, 1, 9]) * np.exp(tilt)
        expected = odds / (1 + odds)
        assert (np.abs(share - expected) < Z * np.sqrt(expected * (1 - expected) / n)).all()


def test_categories_are_tilted_in_log_odds():
    n = 50_000
    space = FeatureSpace((Feature("bit", "binary", (0,)), Feature("hot", "categorical", (1, 2, 3))))
    known = Marginals(
        space, (Cells((0.0, 1.0), (0.0, 1.0), (1, 1)), Cells((0.0, 1.0, 2.0), (0.0, 1.0, 2.0), (5, 3, 2))), 0
    )
    codes = drawn(make_levels(space, known), n, 2, np.array([0, 0, 0, 1.0, -1.0]))
    weight = np.array([5, 3 * np.e, 2 / np.e])
    share = np.bincount(codes[:, 1].astype(int), minlength=3) / n
    assert (np.abs(share - weight / weight.sum()) < Z * 0.5 / np.sqrt(n)).all()
