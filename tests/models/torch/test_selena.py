"""Split-AI's split, and what is distilled from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

torch = pytest.importorskip("torch")

from gnomon.core.errors import DataError, UsageError  # noqa: E402
from gnomon.core.seeds import Seeds  # noqa: E402
from gnomon.models.sklearn import SklearnTrainer  # noqa: E402
from gnomon.models.torch.selena import SelenaTrainer, hold_out  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402


@pytest.mark.parametrize(("rows", "k", "times"), [(1, 2, 1), (7, 25, 10), (400, 25, 10), (13, 4, 3)])
def test_each_row_is_held_out_of_exactly_so_many(rows: int, k: int, times: int) -> None:
    held = hold_out(rows, k, times, np.random.default_rng(3))
    assert held.shape == (rows, k)
    assert (held.sum(axis=1) == times).all()
    if rows == 400:  # and evenly: each submodel lacks 160 rows, give or take five deviations
        assert np.abs(held.sum(axis=0) - 160).max() < 5 * (400 * 0.4 * 0.6) ** 0.5


def noise(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Labels that have nothing to do with the rows: whatever is known of them has been learnt by heart."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 30)).astype(np.float32), rng.integers(0, 4, n)


def test_labels_of_chance_are_not_learnt_by_heart() -> None:
    x, y = noise()
    members = np.arange(150)
    plain = TorchTrainer(hidden=(64,), epochs=60, batch=20, learning_rate=5e-3, device="cpu")
    [open_book] = plain.train(x, y, 4, [members], [0])
    [closed] = SelenaTrainer(plain, 10, 4).train(x, y, 4, [members], [0])

    def accuracy(model: Any, rows: np.ndarray) -> float:
        return float((model.log_probs(x[rows]).argmax(1) == y[rows]).mean())

    assert accuracy(open_book, members) > 0.95
    assert accuracy(closed, members) < 0.45
    assert accuracy(closed, np.arange(150, 300)) < 0.45


def test_answers_come_from_models_that_never_saw_the_row() -> None:
    x, y = noise(60)
    recipe = TorchTrainer(hidden=(16,), epochs=20, learning_rate=0.02, device="cpu")
    trainer = SelenaTrainer(recipe, submodels=5, held_out=2)
    answers = trainer._split_answers(x, y, 4, 7)
    held = hold_out(60, 5, 2, Seeds(7).child("split").generator())
    wanted = np.zeros((60, 4))
    for j in range(5):
        seed = Seeds(7).child("submodel", j).integer()
        [model] = recipe.train(x, y, 4, [np.flatnonzero(~held[:, j])], [seed])
        wanted[held[:, j]] += np.exp(model.log_probs(x[held[:, j]])) / 2
    np.testing.assert_allclose(answers, wanted, atol=1e-4)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)


def test_what_cannot_be_is_refused() -> None:
    recipe = TorchTrainer(epochs=1)
    for k, times in ((5, 5), (5, 0)):
        with pytest.raises(UsageError, match="held out of at least 1"):
            SelenaTrainer(recipe, k, times)
    with pytest.raises(DataError, match="leave a submodel without any"):
        SelenaTrainer(recipe, 3, 2).train(*noise(20), 4, [np.arange(1)], [0])
    with pytest.raises(UsageError, match="soft labels"):
        SelenaTrainer(SklearnTrainer(DecisionTreeClassifier()))  # type: ignore[arg-type]
