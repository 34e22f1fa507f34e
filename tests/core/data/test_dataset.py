import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from gnomon.core.data.dataset import make_dataset, plain_rows
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
        (np.array([[0.0], [np.inf]]), [0, 1], r"column 0 holds infinity \(first: row 1, from 0\)"),
        (csr_array(np.array([[0.0, 0.0], [0.0, np.inf]])), [0, 1], r"column 1 holds infinity \(first: row 1, from 0\)"),
        (pd.DataFrame({"age": [1.0, np.inf]}), [0, 1], 'column "age" .*row 1'),
        (pd.DataFrame({"age": pd.array([None, np.inf], "Float64")}), [0, 1], 'column "age" .*row 1'),
        (np.zeros(2), [0, 1], r"one vector of shape \(2,\)"),
        ("rows.csv", [0, 1], 'got the path "rows.csv"'),
        (np.zeros((2, 2)), [0], "expected 2 labels"),
        (np.zeros((2, 2)), [0.5, 1.0], "fractions"),
        (np.zeros((2, 2)), [np.nan, 1.0], "the label is missing"),
        (np.array([["a"], ["b"]]), [0, 1], "array of numbers"),
    ],
)
def test_bad_rows_are_refused_in_one_line(x: object, y: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        make_dataset(x, y)
    assert "\n" not in str(caught.value)


def test_labels_that_no_whole_number_stands_for_are_refused(tmp_path):
    from gnomon.datasets.own_files.files import read_rows

    with pytest.raises(DataError, match=r"labels must be classes, got 1e\+308, too large"):
        make_dataset(np.eye(3), np.array([0.0, 1.0, 1e308]))
    np.savez(tmp_path / "x.npz", x=np.eye(3), y=np.array([0.0, 1.0, -1e308]))
    with pytest.raises(DataError, match=r"labels must be classes, got -1e\+308 in row 2"):
        read_rows(tmp_path / "x.npz", None)
    assert make_dataset(np.eye(3), np.array([0.0, 2.0**53, 1.0])).n_classes == 3


def test_objects_that_are_all_numbers_are_numbers_and_records_a_table() -> None:
    mixed = np.array([[1, 2.5], [True, None], [3, 4.0]], dtype=object)
    np.testing.assert_array_equal(plain_rows(mixed, "x"), [[1, 2.5], [1, np.nan], [3, 4]])
    records = np.array([(1, 2.5), (2, 3.5)], dtype=[("a", "i8"), ("b", "f8")])
    assert plain_rows(records, "x").columns.tolist() == ["a", "b"]
    with pytest.raises(DataError, match="expected an array of numbers, got object"):
        plain_rows(np.array([[1, "two"]], dtype=object), "x")
    with pytest.raises(DataError, match=r"got dict; make a table of it \(pandas\.DataFrame\)"):
        plain_rows({"a": [1]}, "x")


@pytest.mark.parametrize("labels", [{0: "no", 1: "yes"}, {"no", "yes"}, (label for label in "ab")])
def test_what_holds_labels_in_no_order_is_named(labels: object) -> None:
    with pytest.raises(DataError, match=r"expected 2 labels, one a row, got (dict|set|generator); give a list"):
        make_dataset(np.zeros((2, 1)), labels)
