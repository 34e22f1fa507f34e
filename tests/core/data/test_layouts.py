"""How rows are held, and that a drawn record is held alike."""

import datetime

import numpy as np
import pandas as pd
import pytest

from gnomon.core.arrays import category_values, column_values, is_missing, plain_value
from gnomon.core.data.layouts import Layout, layout_of, row_count
from gnomon.core.errors import DataError

FRAME = pd.DataFrame(
    {
        "age": np.array([31, 45], np.int16),
        "town": pd.Categorical(["Ulm", None], categories=["Bonn", "Ulm"]),
        3: [0.5, np.nan],
    }
)


def test_a_frame_is_read_and_written_with_its_names_types_and_categories() -> None:
    layout = layout_of(FRAME)
    assert layout.is_frame
    assert layout.columns == (("age", "int16"), ("town", "category"), (3, "float64"))
    columns = layout.read(FRAME[[3, "town", "age"]], 3)  # the order of the columns is the layout's
    assert isinstance(columns, list)
    categories = [None, category_values(FRAME["town"]), None]
    assert categories[1] == ("Bonn", "Ulm")
    pd.testing.assert_frame_equal(layout.write_frame(columns, categories), FRAME)


@pytest.mark.parametrize("shape", [(5, 4), (5, 2, 2), (5, 1, 2, 2)])
def test_an_array_keeps_its_shape_and_type(shape: tuple[int, ...]) -> None:
    x = np.arange(20, dtype=np.uint8).reshape(shape)
    layout = layout_of(x)
    flat = layout.read(x, 4)
    assert isinstance(flat, np.ndarray)
    assert flat.shape == (5, 4)
    back = layout.write_array(flat.astype(np.float64))
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, x)
    assert layout.read(x[:0], 4).shape == (0, 4)  # type: ignore[union-attr]


def test_rows_of_another_form_are_refused() -> None:
    with pytest.raises(DataError, match="expected rows as a data frame, got an array"):
        layout_of(FRAME).read(np.zeros((2, 3)), 3)
    with pytest.raises(DataError, match="expected rows as an array, got a data frame"):
        Layout().read(FRAME, 3)
    with pytest.raises(DataError, match="expected rows of 3 columns, got 4"):
        Layout().read(np.zeros((2, 4)), 3)
    with pytest.raises(DataError, match="lacks the columns town, 3"):
        layout_of(FRAME).read(FRAME[["age"]], 3)


def test_numbers_stay_numbers_and_other_columns_declare_no_categories() -> None:
    assert column_values(pd.Series([1, 2], dtype="Int64")).tolist() == [1, 2]
    assert column_values(pd.Series([True, False], dtype="boolean")).tolist() == [True, False]
    assert column_values(pd.Series(["a", None])).dtype == object
    assert category_values(pd.Series([1, 2])) is None


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.str_("a"), "a"),
        (None, None),
        (pd.NA, None),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_categories_become_what_json_can_say(value: object, plain: object) -> None:
    found = plain_value(value)
    assert found == plain
    assert type(found) is type(plain)


def test_every_nan_is_the_one_nan() -> None:
    assert plain_value(float("nan")) is plain_value(np.float32("nan")) is np.nan
    assert [is_missing(v) for v in (None, np.nan, 0, "", "nan")] == [True, True, False, False, False]


def test_no_rows_say_nothing_of_features() -> None:
    assert row_count(FRAME) == 2
    with pytest.raises(DataError, match="expected at least one row"):
        row_count(np.empty((0, 3)))
