import numpy as np
import pandas as pd
import pytest

from gnomon.core.data.dataset import make_dataset
from gnomon.core.errors import DataError


def test_labels_of_any_kind_become_class_ids() -> None:
    data = make_dataset(np.zeros((3, 2)), ["b", "a", "b"])
    assert data.classes == ("a", "b")
    assert data.y.tolist() == [1, 0, 1]
    assert data.ids.tolist() == ["0", "1", "2"]


def test_taking_rows_keeps_everything_together() -> None:
    data = make_dataset(pd.DataFrame({"v": [1.0, 2.0, 3.0]}), [0, 1, 0], ids=["x", "y", "z"], groups=[7, 8, 9])
    taken = data.take(np.array([2, 0]))
    assert taken.x["v"].tolist() == [3.0, 1.0]
    assert (taken.ids.tolist(), taken.y.tolist(), list(taken.groups)) == (["z", "x"], [0, 0], [9, 7])


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((0, 2)), [], "at least one row"),
        (np.zeros((3, 2)), [0, 0, 0], "at least 2 classes"),
        (np.array([[1.0], [np.nan]]), [0, 1], "row 1 holds NaN"),
        (np.array([[np.inf], [0.0]]), [0, 1], "row 0 holds NaN or infinity"),
        (pd.DataFrame({"age": [1.0, np.inf]}), [0, 1], 'column "age"'),
        (np.zeros((2, 2)), [0], "expected 2 labels"),
        (np.zeros((2, 2)), [0.5, 1.0], "fractions"),
        (np.zeros((2, 2)), [np.nan, 1.0], "has no label"),
        (np.array([["a"], ["b"]]), [0, 1], "array of numbers"),
    ],
)
def test_bad_rows_are_refused_in_one_line(x: object, y: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        make_dataset(x, y)
    assert "\n" not in str(caught.value)
