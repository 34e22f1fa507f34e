"""Rows as JSON has them."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from gnomon.models.endpoint.rows import make_batch


def test_a_frame_keeps_its_names_and_kinds() -> None:
    frame = pd.DataFrame({
        "n": pd.array([1, None], dtype="Int64"),
        "x": [0.5, np.inf],
        "t": ["a", None],
        "b": [True, False],
        "d": [date(2020, 1, 2), None],
        "at": pd.to_datetime(["2020-01-02", None]),
    })  # fmt: skip
    batch = make_batch(frame)
    assert batch.named
    assert batch.rows == [
        [1, 0.5, "a", True, "2020-01-02", "2020-01-02T00:00:00"],
        [None, None, None, False, None, None],
    ]
    assert batch.records[1]["x"] is None
    json.dumps(batch.rows, allow_nan=False)


@pytest.mark.parametrize("x", [np.array([[1.0, np.nan]]), np.array([[[1.0], [np.nan]]]), np.array([1.0])])
def test_arrays_of_any_shape_are_nested_lists_without_nan(x: np.ndarray) -> None:
    batch = make_batch(x)
    assert not batch.named
    assert len(batch) == 1
    assert batch.columns[0] == "x0"
    json.dumps(batch.rows, allow_nan=False)


def test_ids_follow_content_and_names() -> None:
    x = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]])
    first = make_batch(x).ids
    assert first[0] == first[1] != first[2]
    assert make_batch(x[::-1]).ids == first[::-1]
    assert (
        make_batch(pd.DataFrame(x, columns=["a", "b"])).ids[0] != make_batch(pd.DataFrame(x, columns=["b", "a"])).ids[0]
    )
