"""A declared feature space draws legal records only, uniformly, and refuses others by name."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.data.features import Feature, FeatureSpace, feature_space
from gnomon.core.data.layouts import Layout
from gnomon.core.errors import DataError, UsageError

Z = 4.5  # standard errors: a true statement is called false once in 150,000 tries


@st.composite
def spaces(draw):
    features, column = [], 0
    for i in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(["binary", "categorical", "one-hot", "integer", "real"]))
        width = draw(st.integers(2, 5)) if kind == "one-hot" else 1
        columns = tuple(range(column, column + width))
        column += width
        if kind == "categorical":
            features.append(Feature(f"f{i}", kind, columns, values=tuple(range(10, 10 + draw(st.integers(1, 6))))))
        elif kind in ("integer", "real"):
            low = draw(st.integers(-5, 5))
            features.append(Feature(f"f{i}", kind, columns, low, low + draw(st.integers(0, 400))))
        else:
            features.append(Feature(f"f{i}", "categorical" if kind == "one-hot" else kind, columns))
    dtype = draw(st.sampled_from(["float32", "float64", "int64"]))
    if dtype == "int64" and any(f.kind == "real" for f in features):
        dtype = "float64"
    return FeatureSpace(tuple(features), Layout(dtype=dtype))


@settings(max_examples=60)
@given(space=spaces(), n=st.integers(0, 12), rate=st.floats(0, 1), seed=st.integers(0, 99))
def test_whatever_is_drawn_is_legal(space, n, rate, seed):
    rng = np.random.default_rng(seed)
    x = space.random(n, rng)
    assert x.shape == (n, space.width)
    assert x.dtype == np.dtype(space.layout.dtype)
    for rows in (x, space.flip(x, rate, rng)):
        codes = space.encode(rows)  # refuses whatever is not legal
        assert codes.shape == (n, len(space))
        np.testing.assert_array_equal(space.decode(codes), rows)


@settings(max_examples=30)
@given(space=spaces())
def test_declared_spaces_survive_json(space):
    assert feature_space(json.loads(json.dumps(space.to_dict(), allow_nan=False))) == space


def test_random_values_are_uniform_over_the_legal_ones():
    space = FeatureSpace(
        (
            Feature("bit", "binary", (0,)),
            Feature("hot", "categorical", (1, 2, 3)),
            Feature("whole", "integer", (4,), -2, 4),
            Feature("real", "real", (5,), 10, 20),
        )
    )
    n = 40_000
    codes = space.random_codes(n, np.random.default_rng(0))
    for i, size in ((0, 2), (1, 3), (2, 7)):
        share = np.unique(codes[:, i], return_counts=True)[1] / n
        assert len(share) == size
        assert (np.abs(share - 1 / size) < Z * np.sqrt((1 - 1 / size) / size / n)).all()
    assert abs(codes[:, 3].mean() - 15) < Z * 10 / np.sqrt(12 * n)
    assert codes[:, 3].min() >= 10
    assert codes[:, 3].max() <= 20


@settings(max_examples=25)
@given(space=spaces(), rate=st.floats(0.05, 0.95), seed=st.integers(0, 99))
def test_flips_change_their_rate_of_features_and_no_more(space, rate, seed):
    rng = np.random.default_rng(seed)
    n = 4000
    before = space.random_codes(n, rng)
    share = (space.flip_codes(before, rate, rng) != before).mean(axis=0)
    movable = space.highs > space.lows
    assert (share[~movable] == 0).all()
    assert (np.abs(share[movable] - rate) < 5.5 * np.sqrt(rate * (1 - rate) / n)).all()


def test_a_flip_takes_every_other_value_as_often():
    space = FeatureSpace((Feature("v", "integer", (0,), 1, 5),))
    n = 20_000
    after = space.flip_codes(np.full((n, 1), 3.0), 1.0, np.random.default_rng(0))[:, 0]
    values, counts = np.unique(after, return_counts=True)
    assert values.tolist() == [1, 2, 4, 5]
    assert (np.abs(counts / n - 0.25) < Z * np.sqrt(0.25 * 0.75 / n)).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1, 1, 5, 7]], "exactly one 1"),
        ([[0, 0, 5, 7]], "exactly one 1"),
        ([[0.5, 0.5, 5, 7]], "exactly one 1"),
        ([[1, 0, 9, 7]], "from 0 to 6, got 9"),
        ([[1, 0, 2.5, 7]], "whole number"),
        ([[1, 0, 2, 8]], "none of its 2 legal values"),
        ([[1, 0, 2]], "expected rows of 4 columns, got 3"),
    ],
)
def test_illegal_rows_are_named(rows, words):
    hot, whole = Feature("hot", "categorical", (0, 1)), Feature("whole", "integer", (2,), 0, 6)
    space = FeatureSpace((hot, whole, Feature("value", "categorical", (3,), values=(7, 9))))
    with pytest.raises(DataError, match=words):
        space.encode(np.array(rows, dtype=float))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("f", "colour", (0,)), "expected a kind"),
        (("f", "binary", ()), "column positions"),
        (("f", "binary", (0, 1)), "only a categorical"),
        (("f", "integer", (0,), 3, 1), "low <= high"),
        (("f", "integer", (0,), 0.5, 1), "whole limits"),
        (("f", "real", (0,), 0, np.inf), "finite range"),
        (("f", "categorical", (0,)), "distinct legal values"),
        (("f", "categorical", (0,), 0, 1, ("a", "a")), "distinct legal values"),
        (("f", "binary", (0,), 0, 2), "from 0 to 1"),
    ],
)
def test_features_that_cannot_be_are_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        Feature(*arguments)


def test_spaces_cover_every_column_once():
    bit = Feature("a", "binary", (0,))
    with pytest.raises(UsageError, match="every column"):
        FeatureSpace((bit, Feature("b", "binary", (2,))))
    with pytest.raises(UsageError, match="every column"):
        FeatureSpace((bit, Feature("b", "binary", (0,))))
    with pytest.raises(UsageError, match="rows have 3"):
        FeatureSpace((bit,), Layout(shape=(3,)))


def test_a_declared_space_names_what_is_wrong():
    with pytest.raises(UsageError, match=r"features\.0\.kind"):
        feature_space({"features": [{"name": "a", "kind": "colour", "columns": [0]}]})
    with pytest.raises(UsageError, match=r"features\.0\.colour"):
        feature_space({"features": [{"name": "a", "kind": "binary", "columns": [0], "colour": 1}]})
