import numpy as np
import pandas as pd
import pytest

from gnomon.core.errors import ModelError
from gnomon.models.boosters.columns import KnownColumns, found_categories

FRAME = pd.DataFrame({"b": [1.0, 2.0], "my a": [3.0, 4.0], "k": ["y", "x"]})


def test_columns_are_put_in_order_and_coded_as_the_model_codes_them():
    found = KnownColumns(3, ("my_a", "b", "k"), {"k": ("x", "y", "z")}).align(FRAME)
    assert list(found.columns) == ["my_a", "b", "k"]
    assert found["my_a"].tolist() == [3.0, 4.0]
    assert found["k"].cat.codes.tolist() == [1, 0]
    assert list(FRAME.columns) == ["b", "my a", "k"]


def test_names_that_a_library_made_up_stand_for_positions():
    found = KnownColumns(3, ("Column_0", "Column_1", "Column_2")).align(FRAME)
    assert found["Column_0"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (KnownColumns(2, ("b", "k")), r'takes rows of 2 columns, got 3 \(not of the model: "my a"\)'),
        (KnownColumns(4, ("b", "k", "my_a", "age")), r'takes rows of 4 columns, got 3 \(no "age"\)'),
        (
            KnownColumns(3, ("b", "k", "mya")),
            r'column "mya", which the rows have not \(did you mean "my a"\?\)',
        ),
    ],
)
def test_other_columns_are_named_in_one_line(columns, message):
    with pytest.raises(ModelError, match=message):
        columns.align(FRAME)


def test_arrays_pass_if_they_are_as_wide():
    x = np.zeros((2, 3))
    assert KnownColumns(3, ("a", "b", "c")).align(x) is x
    with pytest.raises(ModelError, match="takes rows of 3 columns, got 2"):
        KnownColumns(3).align(x[:, :2])


def test_categories_are_found_in_sorted_order_and_numbers_stay_numbers():
    frame = FRAME.assign(n=[10, 9])
    assert found_categories(frame, ["k", "n", "my_a", "absent"]) == {"k": ("x", "y"), "n": (9, 10), "my_a": (3.0, 4.0)}
    assert found_categories(frame.astype({"k": "category"}), ["k"]) == {}
    assert KnownColumns(1, ("n",), {"n": (9, 10)}).align(frame[["n"]])["n"].cat.codes.tolist() == [1, 0]
