import numpy as np
from tests.synthesis.toy import Linear, bits, log_softmax, mixed

from gnomon.synthesis import Cells, ClimbRules, Marginals, climb, count_marginals
from gnomon.synthesis.searchers import Guided

NAMES = tuple("abcdef")


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
