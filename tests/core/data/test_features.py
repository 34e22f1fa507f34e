import json
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.data.features import Feature, FeatureSpace, feature_space, infer_features
from gnomon.core.data.layouts import Layout
from gnomon.core.errors import DataError, MissingExtraError, UsageError

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


def mixed_frame(n=300, seed=0):
    rng = np.random.default_rng(seed)
    sex = rng.choice(["m", "f"], n)
    frame = pd.DataFrame(
        {
            "age": rng.integers(17, 91, n),
            "sex": sex,
            "work": pd.Categorical(rng.choice(["own", "state"], n), categories=["state", "own", "none"]),
            "weight": (40 + 60 * rng.random(n)).astype("float32"),
            "married": rng.random(n) < 0.5,
            "country": np.where(rng.random(n) < 0.2, None, "here"),
            "children": pd.array(rng.integers(2, 9, n), dtype="Int64"),
            "sex_m": (sex == "m").astype(int),
            "sex_f": (sex == "f").astype(int),
        }
    )
    frame["object"] = pd.Series([np.nan if v < 0.3 else "there" for v in rng.random(n)], dtype=object)
    return frame


def hot_columns(n=200, seed=0):
    rng = np.random.default_rng(seed)
    group = np.eye(4)[rng.integers(0, 4, n)]
    return np.column_stack([rng.integers(0, 2, n), group, rng.integers(0, 2, n), rng.normal(size=n)])


def test_kinds_and_ranges_of_an_array_are_inferred():
    x = np.array([[0, 3, 0.5, -1], [1, 7, 0.25, 1]])
    space = infer_features(x)
    assert [f.kind for f in space.features] == ["binary", "integer", "real", "integer"]
    assert [(f.low, f.high) for f in space.features] == [(0, 1), (3, 7), (0.25, 0.5), (-1, 1)]
    assert not space.is_binary
    assert infer_features(np.eye(3)).is_binary


def test_one_hot_groups_are_found():
    features = infer_features(hot_columns()).features
    assert [f.columns for f in features] == [(0,), (1, 2, 3, 4), (5,), (6,)]
    assert features[1].kind == "categorical"


def test_a_group_with_a_category_that_never_occurs_is_still_one_group():
    x = hot_columns()
    x = np.insert(x[:, :3], 2, 0, axis=1)  # bit, two columns of the group with an empty one between them
    x = np.column_stack([x, 1 - x[:, 1] - x[:, 3]])
    assert [f.columns for f in infer_features(x).features] == [(0,), (1, 2, 3, 4)]


@pytest.mark.parametrize("n", [2, 49])
def test_few_rows_are_no_reason_to_believe_in_a_group(n):
    assert [f.kind for f in infer_features(np.eye(2)[np.arange(n) % 2]).features] == ["binary", "binary"]


def test_constant_columns_are_no_group():
    x = np.tile([0, 1, 0], (100, 1))
    assert [f.kind for f in infer_features(x).features] == ["binary"] * 3


def test_independent_bits_are_no_group():
    x = (np.random.default_rng(0).random((5000, 40)) < 0.05).astype(np.uint8)
    assert infer_features(x).is_binary


def test_groups_can_be_left_alone():
    assert infer_features(np.eye(4)[np.arange(100) % 4], one_hot=False).is_binary


def test_frames_keep_names_types_and_missing_values():
    frame = mixed_frame()
    space = infer_features(frame)
    kinds = {f.name: f.kind for f in space.features}
    assert kinds["age"] == kinds["children"] == "integer"
    assert kinds["weight"] == "real"
    assert kinds["married"] == "binary"
    assert next(f for f in space.features if f.name == "work").values == ("state", "own", "none")
    assert [f.columns for f in space.features if len(f.columns) > 1] == [(7, 8)]
    pd.testing.assert_frame_equal(space.decode(space.encode(frame)), frame)
    drawn = space.random(500, np.random.default_rng(1))
    assert drawn.dtypes.tolist() == frame.dtypes.tolist()
    assert ((drawn["sex_m"] + drawn["sex_f"]) == 1).all()
    assert drawn["country"].isna().any()
    assert set(drawn["work"]) == {"state", "own", "none"}
    assert drawn["age"].between(17, 90).all()


def test_columns_of_a_frame_may_come_in_another_order():
    frame = mixed_frame()
    space = infer_features(frame)
    assert (space.encode(frame[frame.columns[::-1]]) == space.encode(frame)).all()


def test_dates_are_categories():
    frame = pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2021-05-06", "2020-01-01"]), "v": [1.5, 2.0, 3.0]})
    space = infer_features(frame)
    pd.testing.assert_frame_equal(space.decode(space.encode(frame)), frame)


def test_images_keep_shape_and_type():
    x = np.random.default_rng(0).integers(0, 256, (20, 4, 5), dtype=np.uint8)
    space = infer_features(x)
    noisy = space.flip(x, 0.5, np.random.default_rng(0))
    assert noisy.shape == x.shape
    assert noisy.dtype == x.dtype
    assert (space.decode(space.encode(x)) == x).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    with pytest.raises(DataError, match="NaN or infinity"):
        infer_features(np.array([[0.0], [bad]]))


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="at least one row"):
        infer_features(np.empty((0, 3)))


@settings(max_examples=60, deadline=None)
@given(space=spaces(), n=st.integers(0, 12), k=st.integers(0, 8), rate=st.floats(0, 1), seed=st.integers(0, 99))
def test_whatever_is_drawn_is_legal(space, n, k, rate, seed):
    rng = np.random.default_rng(seed)
    x = space.random(n, rng)
    assert x.shape == (n, space.width)
    assert x.dtype == np.dtype(space.layout.dtype)
    k = min(k, len(space))
    redrawn, flipped = space.decode(space.redraw_codes(space.encode(x), k, rng)), space.flip(x, rate, rng)
    for rows in (x, redrawn, flipped):
        codes = space.encode(rows)  # refuses whatever is not legal
        assert codes.shape == (n, len(space))
        np.testing.assert_array_equal(space.decode(codes), rows)
    assert ((space.encode(redrawn) != space.encode(x)).sum(axis=1) <= k).all()


@settings(max_examples=30, deadline=None)
@given(space=spaces())
def test_declared_spaces_survive_json(space):
    assert feature_space(json.loads(json.dumps(space.to_dict(), allow_nan=False))) == space


def test_a_frame_with_missing_values_survives_json():
    space = infer_features(mixed_frame())
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


@settings(max_examples=25, deadline=None)
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


def test_redraw_chooses_every_feature_as_often():
    space = FeatureSpace(tuple(Feature(f"r{j}", "real", (j,)) for j in range(9)))
    n, k = 20_000, 4
    changed = space.redraw_codes(np.zeros((n, 9)), k, np.random.default_rng(0)) != 0
    assert (changed.sum(axis=1) == k).all()
    assert (np.abs(changed.mean(axis=0) - k / 9) < Z * np.sqrt(k / 9 * (1 - k / 9) / n)).all()


def test_the_same_generator_draws_the_same_records():
    space = infer_features(hot_columns())
    first, second = (space.random(20, np.random.default_rng(5)) for _ in range(2))
    assert (first == second).all()


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


def test_an_array_is_no_frame():
    with pytest.raises(DataError, match="a data frame, got an array"):
        infer_features(mixed_frame()).encode(np.zeros((2, 10)))
    with pytest.raises(DataError, match="lacks the columns age"):
        infer_features(mixed_frame()).encode(mixed_frame().drop(columns="age"))


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


def test_rates_and_numbers_of_features_have_limits():
    space = infer_features(np.eye(3))
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="rate"):
        space.flip(np.eye(3), 1.5, rng)
    with pytest.raises(UsageError, match="k from 0 to 3"):
        space.redraw_codes(space.encode(np.eye(3)), 4, rng)


def test_frames_need_pandas_and_say_so(monkeypatch):
    space = infer_features(mixed_frame())
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="pandas"):
        space.random(2, np.random.default_rng(0))


def test_whole_numbers_beyond_exact_floats_are_real():
    x = np.array([[1e20], [2e20], [5.0]])
    space = infer_features(x)
    assert space.features[0].kind == "real"
    assert space.random(5, np.random.default_rng(0)).max() <= 2e20
    with pytest.raises(UsageError, match=r"2\*\*53"):
        Feature("f", "integer", (0,), 0, 1e20)


def test_text_where_numbers_are_expected_is_named():
    space = infer_features(pd.DataFrame({"age": [17, 18]}))
    with pytest.raises(DataError, match='"age"'):
        space.encode(pd.DataFrame({"age": ["old", "young"]}))


def test_many_records_are_drawn_in_blocks(monkeypatch):
    monkeypatch.setattr("gnomon.core.data.feature_space.BLOCK_NUMBERS", 50)
    space = infer_features(hot_columns())
    x = space.random(1000, np.random.default_rng(0))
    assert len(np.unique(x[:, -1])) == 1000  # no block repeats another
    changed = (space.encode(space.flip(x, 0.4, np.random.default_rng(1))) != space.encode(x)).mean()
    assert abs(changed - 0.4) < Z * np.sqrt(0.24 / 4000)
