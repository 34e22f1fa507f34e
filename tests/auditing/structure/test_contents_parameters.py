"""Numbers that were fitted to the training rows."""

import numpy as np
import pytest
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import MLPClassifier
from tests.auditing.structure.test_examine import X, Y, seen

from gnomon.auditing.structure.contents import FittedPart, fitted_numbers


def test_weights_that_equal_a_row_by_chance_are_no_stored_rows() -> None:
    bits = np.zeros((60, 3))
    bits[:30, 0] = 1
    assert seen(GaussianNB().fit(bits, Y), bits)[0]["stored-rows"] == 0


def test_a_network_by_hand() -> None:
    model = MLPClassifier((4,), max_iter=1, alpha=0.0, random_state=0)
    with pytest.warns(match="Maximum iterations"):
        model.fit(X, Y)
    values, findings = seen(model)
    assert values == {"stored-rows": 0, "few-degrees-of-freedom": 60 - (3 * 4 + 4 + 4 + 1)}
    assert findings == {"risky-parameter"}


def test_numbers_are_counted_by_hand() -> None:
    rows = {"GaussianNB": 2 * 2 * 3 + 2, "BernoulliNB": 2 * 3 + 2}
    for model in (GaussianNB().fit(X, Y), BernoulliNB().fit(X, Y)):
        assert fitted_numbers(FittedPart(model, X)) == rows[type(model).__name__]
    assert fitted_numbers(FittedPart(object(), X)) is None


def test_a_torch_networks_numbers_are_its_parameters() -> None:
    torch = pytest.importorskip("torch")
    assert fitted_numbers(FittedPart(torch.nn.Linear(3, 2), None)) == 3 * 2 + 2
