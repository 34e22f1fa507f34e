"""Outputs of every declared kind become the same log-probabilities."""

import numpy as np
import pytest

from gnomon.core.errors import ModelError, UsageError
from gnomon.core.outputs import OUTPUTS, check_outputs, log_from_outputs

PROBABILITIES = np.array([[0.25, 0.75], [0.9, 0.1]])
SAME = {
    "probabilities": PROBABILITIES,
    "logits": np.log(PROBABILITIES) + 3.0,
    "log_probabilities": np.log(PROBABILITIES),
}


@pytest.mark.parametrize("outputs", OUTPUTS)
def test_all_kinds_say_the_same(outputs: str) -> None:
    found = log_from_outputs(SAME[outputs], outputs, rows=2, classes=2, source="model")
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.exp(found), PROBABILITIES, rtol=1e-5)


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
@pytest.mark.parametrize(
    ("outputs", "column"),
    [
        ("probabilities", [0.75, 0.1]),
        ("logits", [np.log(3), np.log(1 / 9)]),
        ("log_probabilities", [np.log(0.75), np.log(0.1)]),
    ],
)
def test_one_number_a_row_is_the_second_of_two_classes(
    outputs: str, column: list[float], shape: tuple[int, ...]
) -> None:
    found = log_from_outputs(np.reshape(column, shape), outputs, rows=2, classes=2, source="model")
    np.testing.assert_allclose(np.exp(found), PROBABILITIES, rtol=1e-5)


def test_certain_answers_in_one_column_keep_both_ends() -> None:
    found = log_from_outputs([0.0, 1.0], "probabilities", rows=2, classes=2, source="model")
    np.testing.assert_array_equal(np.exp(found), [[1, 0], [0, 1]])
    found = log_from_outputs([-np.inf, 0.0], "log_probabilities", rows=2, classes=2, source="model")
    np.testing.assert_array_equal(np.exp(found), [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("array", "outputs", "classes", "words"),
    [
        ([0.2, 0.3], "probabilities", 3, r"model: expected probabilities of shape \(2, 3\), got \(2,\).*two classes"),
        ([0.2, 0.3], "log_probabilities", 2, "must not be above 0, got 0.3"),
        ([[0.2, 0.3]], "probabilities", 2, "sum to 1"),
        ([[np.nan, 0.3]], "logits", 2, "NaN"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(array: list, outputs: str, classes: int, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        log_from_outputs(array, outputs, rows=len(array), classes=classes, source="model")


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match='did you mean "logits"'):
        check_outputs("logit")
