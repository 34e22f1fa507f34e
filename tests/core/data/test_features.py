import json
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, csr_matrix

from gnomon.core.data.augmentations import perturb
from gnomon.core.data.features import Feature, FeatureSpace, feature_space, infer_features
from gnomon.core.errors import DataError, MissingExtraError, UsageError

Z = 4.5  # standard errors: a true statement is called false once in 150,000 tries


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


def test_infinity_is_refused():
    with pytest.raises(DataError, match="infinity"):
        infer_features(np.array([[0.0], [np.inf]]))


def forms(dense):
    return {"array": dense, "frame": pd.DataFrame(dense), "sparse": csr_array(dense), "matrix": csr_matrix(dense)}


@pytest.mark.parametrize("form", ["array", "frame", "sparse", "matrix"])
def test_missing_numbers_are_kept_through_codes_flips_and_noise(form):
    rng = np.random.default_rng(0)
    dense = np.column_stack([rng.integers(0, 2, 60), rng.integers(0, 9, 60), rng.normal(size=60)])
    dense[3, 0] = dense[5, 1] = dense[7, 2] = np.nan
    x = forms(dense)[form]
    space = infer_features(x)
    assert [f.kind for f in space.features] == ["binary", "integer", "real"]
    assert all(f.missing for f in space.features)
    back = space.decode(space.encode(x))
    assert type(back) is type(x)
    assert np.array_equal(space.encode(back), dense, equal_nan=True)
    assert np.allclose(space.spread(space.encode(x)), np.nanstd(dense, axis=0))
    assert not np.isnan(space.encode(space.flip(x, 1.0, rng))).any()  # whatever is redrawn has a value
    kept = perturb(space.encode(x), space, space.spread(space.encode(x)), flips=0.0, noise=0.5, rng=rng)
    assert np.array_equal(np.isnan(kept[:, 1:]), np.isnan(dense[:, 1:]))


def test_a_missing_code_may_become_every_legal_value():
    space = FeatureSpace((Feature("v", "integer", (0,), 0, 2, missing=True),))
    drawn = space.flip_codes(np.full((300, 1), np.nan), 1.0, np.random.default_rng(0))
    assert set(drawn[:, 0].tolist()) == {0.0, 1.0, 2.0}


def test_a_column_of_which_nothing_is_known_is_legal():
    x = np.array([[np.nan, 1.5], [np.nan, 2.5]])
    space = infer_features(x)
    assert np.array_equal(space.decode(space.encode(x)), x, equal_nan=True)


def test_sparse_rows_have_the_features_of_the_same_rows_dense():
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((80, 5)) < 0.7, 0.0, [1, 3, 0.5, -2, 1] * rng.random((80, 5)).round(1))
    dense[:, 4] = rng.random(80) < 0.5
    assert infer_features(csr_array(dense)).features == infer_features(dense, one_hot=False).features


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="at least one row"):
        infer_features(np.empty((0, 3)))


def test_a_frame_with_missing_values_survives_json():
    space = infer_features(mixed_frame())
    assert feature_space(json.loads(json.dumps(space.to_dict(), allow_nan=False))) == space


def test_the_same_generator_draws_the_same_records():
    space = infer_features(hot_columns())
    first, second = (space.random(20, np.random.default_rng(5)) for _ in range(2))
    assert (first == second).all()


def test_an_array_is_no_frame():
    with pytest.raises(DataError, match="a data frame, got an array"):
        infer_features(mixed_frame()).encode(np.zeros((2, 10)))
    with pytest.raises(DataError, match="lacks the columns age"):
        infer_features(mixed_frame()).encode(mixed_frame().drop(columns="age"))


def test_a_rate_has_limits():
    space = infer_features(np.eye(3))
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="rate"):
        space.flip(np.eye(3), 1.5, rng)


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
