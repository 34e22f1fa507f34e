import numpy as np
import pytest
from tests.synthesis.toy import Linear, bits, log_softmax, mixed

from gnomon.core.data.features import Feature, FeatureSpace
from gnomon.synthesis import Cells, ClimbRules, Marginals, climb, count_marginals
from gnomon.synthesis.guided import Guided
from gnomon.synthesis.levels import make_levels
from gnomon.synthesis.searchers import Spot
from gnomon.synthesis.streams import Streams, stream_keys

Z = 4.5
NAMES = tuple("abcdef")


def streams(n, seed=0):
    return Streams(stream_keys(seed, np.zeros(n, dtype=np.int64), np.arange(n)), np.zeros(n, dtype=np.uint64))


def skewed():
    """Marginals of the mixed space, far from uniform, with numbers in ranges and single values."""
    cells = (
        Cells((0.0, 1.0), (0.0, 1.0), (90.0, 10.0)),
        Cells((0.0, 1.0, 2.0), (0.0, 1.0, 2.0), (10.0, 70.0, 20.0)),
        Cells((0.0, 2.0, 20.0), (0.0, 9.0, 30.0), (50.0, 30.0, 20.0)),
        Cells((-1.0, 0.25), (0.0, 0.25), (60.0, 40.0)),
        Cells((0.0, 3.0), (0.0, 3.0), (25.0, 75.0)),
    )
    return Marginals(mixed(), cells, smoothing=5.0)


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


def test_the_model_learns_a_linear_target():
    space, target = bits(40), Linear(40, 5, scale=0.5)
    guided = Guided(space, 5, None, 1.0)
    rng = np.random.default_rng(0)
    for _ in range(150):
        codes = space.random_codes(300, rng)
        guided.learn(codes, target(codes))
    true = target.weights - target.weights.mean(axis=1, keepdims=True)
    learned = guided.save()["weights"] - guided.save()["weights"].mean(axis=1, keepdims=True)
    assert np.corrcoef(true.reshape(-1), learned.reshape(-1))[0, 1] > 0.98


def test_hidden_answers_and_single_rows_do_not_derail_it():
    guided = Guided(mixed(), 2, skewed(), 1.0)
    rng = np.random.default_rng(0)
    for _ in range(200):
        codes = mixed().random_codes(int(rng.integers(1, 3)), rng)
        hidden = rng.random((len(codes), 2)) < 0.4
        hidden[:, 0] = False
        guided.learn(codes, np.where(hidden, -np.inf, np.log(0.5)).astype(np.float32))
    assert all(np.isfinite(array).all() for array in guided.save().values())
    assert np.abs(guided.save()["weights"]).max() < 100


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


def sparse_world():
    """Rare bits, of which each class has its own: records drawn evenly from all bits look like no class."""
    rng = np.random.default_rng(0)
    prototypes = rng.random((6, 120)) < 0.1
    known = (rng.random((400, 120)) < np.where(prototypes[rng.integers(0, 6, 400)], 0.6, 0.03)).astype(np.uint8)
    weights = 2.0 * (prototypes - prototypes.mean(axis=0)).T

    def ask(x):
        return log_softmax((x - 0.1) @ weights - 2.0 * np.abs(x.sum(axis=1, keepdims=True) - 10) * (np.arange(6) > 3))

    return ask, count_marginals(known, bits(120))


def test_the_guided_climb_takes_far_fewer_queries_by_the_same_rule():
    ask, known = sparse_world()
    rules = ClimbRules(confmin=0.5)
    costs = {}
    for searcher, marginals in (("plain", None), ("guided", None), ("guided", known)):
        found = climb(
            ask, bits(120), NAMES, 40, np.random.default_rng(1), searcher=searcher, marginals=marginals, rules=rules
        )
        answers = np.exp(ask(found.x))
        assert (answers.argmax(axis=1) == found.y).all()
        assert (answers[np.arange(len(found)), found.y] > 0.5).all()
        assert len(np.unique(found.x, axis=0)) > 0.98 * len(found)  # no record is found again and again
        costs[searcher, marginals is not None] = found.queries_per_record
    assert costs["guided", False] < costs["plain", False]
    assert costs["guided", True] < costs["plain", False] / 2
