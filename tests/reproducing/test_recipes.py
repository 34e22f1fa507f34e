"""The recipes that plans of a reproduction name answer like what they stand for."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from gnomon.models import FunctionTrainer
from gnomon.reproducing import recipes

X, Y = load_digits(return_X_y=True)


@pytest.mark.parametrize("n_classes", [10, 2])
def test_support_vectors_answer_as_scikit_learns_own(n_classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "ROWS_AT_ONCE", 50)  # several blocks
    kept = n_classes > Y
    x, y, rows = X[kept][:200], Y[kept][:200], X[kept][200:320]
    decisions = SVC(decision_function_shape="ovr").fit(x, y).decision_function(rows)
    if n_classes == 2:
        decisions = np.stack([-decisions, decisions], axis=1)
    answers = recipes.support_vectors(x, y, n_classes, 0)(rows)
    np.testing.assert_allclose(answers, softmax(decisions, axis=1), atol=1e-9)


def test_support_vectors_leave_a_class_without_rows_at_zero() -> None:
    answers = recipes.support_vectors(X[Y != 3], Y[Y != 3], 10, 0)(X[:20])
    assert (answers[:, 3] == 0).all()


def test_automl_chooses_and_its_choice_is_decided_by_the_seed() -> None:
    pytest.importorskip("flaml")
    trainer = FunctionTrainer(recipes.automl, {"rounds": 6})
    one, again = trainer.train(X, Y, 10, [np.arange(300)] * 2, [2**62 + 1] * 2)
    np.testing.assert_array_equal(one.log_probs(X[300:400]), again.log_probs(X[300:400]))
    assert (one.log_probs(X[300:]).argmax(axis=1) == Y[300:]).mean() > 0.6
