import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gnomon.core.arrays import check_labels, check_log_probs, fingerprint, log_from_logits, log_from_probabilities
from gnomon.core.errors import DataError, ModelError


@given(arrays(np.float64, (5, 3), elements=st.floats(-700, 700)))
def test_logits_become_log_probabilities_that_sum_to_one(logits: np.ndarray) -> None:
    logs = log_from_logits(logits, rows=5, classes=3, source="model")
    assert logs.dtype == np.float32
    np.testing.assert_allclose(np.exp(logs.astype(float)).sum(axis=1), 1, atol=1e-5)


def test_probabilities_of_exactly_zero_and_one_are_kept() -> None:
    logs = log_from_probabilities([[1.0, 0.0], [0.25, 0.75]], rows=2, classes=2, source="model")
    assert logs[0].tolist() == [0.0, -np.inf]


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([[0.5, 0.6]], "must sum to 1"),
        ([[np.nan, 1.0]], "finite"),
        ([[np.inf, 0.0]], "finite"),
        ([[-0.5, 1.5]], "declare"),
        ([[3.0, -2.0]], "declare"),
        ([[1.0]], "at least 2 classes"),
        ([0.5, 0.5], "shape"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        log_from_probabilities(probabilities, rows=1, classes=None, source="model")


def test_nan_log_probabilities_are_refused() -> None:
    with pytest.raises(ModelError, match="NaN"):
        check_log_probs(np.array([[np.nan, 0.0]]), rows=1, classes=2, source="model")


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0, 3], "0 .. 2, got 3 in row 1"), ([0, -1], "got -1"), ([0.5, 1.0], "integers"), ([0], "shape")],
)
def test_labels_outside_the_classes_are_refused(labels: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_labels(labels, rows=2, classes=3, source="data")


@given(arrays(np.int64, (4, 2), elements=st.integers(0, 9)), st.integers(0, 7))
def test_a_fingerprint_changes_with_any_value(array: np.ndarray, place: int) -> None:
    other = array.copy()
    other.reshape(-1)[place] += 1
    assert fingerprint(array) == fingerprint(array.copy())
    assert fingerprint(array) != fingerprint(other)


def test_a_fingerprint_knows_shape_type_order_and_column_names() -> None:
    base = np.arange(6)
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    different = [
        fingerprint(base),
        fingerprint(base.reshape(2, 3)),
        fingerprint(base.astype(np.float64)),
        fingerprint(base[::-1]),
        fingerprint(frame),
        fingerprint(frame.rename(columns={"a": "c"})),
        fingerprint(frame[["b", "a"]]),
        fingerprint(frame.assign(b=["xy", ""])),
    ]
    assert len(set(different)) == len(different)
    assert fingerprint(frame) == fingerprint(frame.copy())
