import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.synthesis.toy import bits, mixed

from gnomon.core.data.features import Feature, FeatureSpace, infer_features
from gnomon.core.errors import DataError, UsageError
from gnomon.synthesis import Cells, Marginals, count_marginals, load_marginals, save_marginals

Z = 4.5


@settings(max_examples=20)
@given(seed=st.integers(0, 999), n=st.integers(1, 400), d=st.integers(1, 12), smoothing=st.floats(0, 5))
def test_bits_are_drawn_at_their_rates_within_binomial_error(seed, n, d, smoothing):
    rng = np.random.default_rng(seed)
    x = (rng.random((n, d)) < rng.random(d)).astype(np.float32)
    drawn = count_marginals(x, bits(d), smoothing=smoothing).draw(8000, rng)
    expected = (x.sum(axis=0) + smoothing / 2) / (n + smoothing)
    assert (np.abs(drawn.mean(axis=0) - expected) <= 5.5 * np.sqrt(expected * (1 - expected) / 8000) + 1e-9).all()


def test_features_are_drawn_independently():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2, 1000)
    x = np.column_stack([first, first, 1 - first]).astype(np.float32)  # as dependent as can be
    drawn = count_marginals(x, bits(3)).draw(40_000, rng)
    assert (np.abs(np.corrcoef(drawn.T)[np.triu_indices(3, 1)]) < Z / np.sqrt(40_000)).all()


def test_mixed_columns_keep_their_distribution():
    rng = np.random.default_rng(0)
    n = 20_000
    gain = np.where(rng.random(n) < 0.9, 0, rng.integers(1, 100_000, n))
    frame = pd.DataFrame({"age": rng.integers(17, 91, n), "gain": gain, "sex": rng.choice(["m", "f"], n, p=[0.7, 0.3])})
    frame["weight"] = rng.gamma(3.0, 10.0, n)
    space = infer_features(frame)
    drawn = count_marginals(frame, space).draw(n, rng)
    space.encode(drawn)  # legal
    assert drawn.dtypes.tolist() == frame.dtypes.tolist()
    assert abs((drawn.sex == "m").mean() - 0.7) < 0.02
    assert abs((drawn.gain == 0).mean() - 0.9) < 0.015  # the one heavy value keeps its share
    for column in ("age", "weight", "gain"):
        for q in (0.1, 0.5, 0.95):
            value = frame[column].quantile(q)
            assert abs((drawn[column] <= value).mean() - (frame[column] <= value).mean()) < 0.02, (column, q)


def test_means_are_the_means_of_what_is_drawn():
    rng = np.random.default_rng(0)
    x = mixed().random(500, rng)
    known = count_marginals(x, mixed(), smoothing=50.0)
    codes = known.draw_codes(60_000, rng).astype(float)
    assert (np.abs(codes.mean(axis=0) - known.means()) < Z * codes.std(axis=0) / np.sqrt(len(codes))).all()


@pytest.mark.parametrize(("smoothing", "seen"), [(0.0, False), (20.0, True)])
def test_smoothing_makes_values_possible_that_were_never_seen(smoothing, seen):
    space = FeatureSpace(
        (Feature("v", "categorical", (0,), values=("a", "b", "c")), Feature("n", "integer", (1,), 0, 9))
    )
    cells = (Cells((0.0,), (0.0,), (80.0,)), Cells((4.0,), (4.0,), (80.0,)))
    codes = Marginals(space, cells, smoothing).draw_codes(4000, np.random.default_rng(0))
    assert (set(codes[:, 0]) == {0, 1, 2}) == seen
    assert (set(codes[:, 1]) == set(range(10))) == seen
    if seen:  # 20 imagined among 100, a third of them "b"
        assert abs((codes[:, 0] == 1).mean() - 20 / 100 / 3) < Z * np.sqrt(0.07 * 0.93 / 4000)


def test_ranges_of_a_number_hold_only_what_was_seen_in_them():
    x = np.concatenate([np.linspace(0, 1, 5000), np.linspace(9, 10, 5000)])[:, None]
    space = infer_features(x)
    drawn = count_marginals(x, space, smoothing=0).draw(5000, np.random.default_rng(0))[:, 0]
    assert ((drawn > 1.05) & (drawn < 8.95)).mean() < 0.02  # at most the one range that spans the gap
    assert abs((drawn < 5).mean() - 0.5) < 0.03


def test_the_file_holds_counts_and_no_record(tmp_path):
    frame = pd.DataFrame({"age": [31, 47, 31], "work": ["own", None, "state"], "weight": [70.5, 61.25, 88.125]})
    known = count_marginals(frame, infer_features(frame), smoothing=2.0)
    save_marginals(known, tmp_path / "known.json")
    again = load_marginals(tmp_path / "known.json")
    assert again == known
    assert again.fingerprint == known.fingerprint
    rng = np.random.default_rng
    pd.testing.assert_frame_equal(again.draw(50, rng(1)), known.draw(50, rng(1)))
    cells = json.loads((tmp_path / "known.json").read_text())["cells"]
    assert cells[0] == {"low": [31, 47], "high": [31, 47], "count": [2, 1]}


def test_a_file_written_by_hand_will_do(tmp_path):
    document = {
        "gnomon_marginals": 1,
        "space": {"features": [{"name": "bought", "kind": "binary", "columns": [0]}]},
        "cells": [{"low": [0, 1], "high": [0, 1], "count": [0.75, 0.25]}],
        "smoothing": 0,
    }
    (tmp_path / "m.json").write_text(json.dumps(document))
    drawn = load_marginals(tmp_path / "m.json").draw(10_000, np.random.default_rng(0))
    assert abs(drawn.mean() - 0.25) < Z * np.sqrt(0.25 * 0.75 / 10_000)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gnomon_marginals": 2}, "version 1, got 2"),
        ({"rows": []}, "rows"),
        ({"cells": []}, "counts for 1 features, got 0"),
        ({"cells": [{"low": [0], "high": [0, 1], "count": [1]}]}, "as many lows"),
        ({"cells": [{"low": [0], "high": [2], "count": [1]}]}, "outside of 0 to 1"),
        ({"cells": [{"low": [0.5], "high": [1], "count": [1]}]}, "whole limits"),
        ({"cells": [{"low": [0], "high": [1], "count": [-1]}]}, "at least 0"),
        ({"cells": [{"low": [0], "high": [1], "count": [0]}]}, "not all 0"),
        ({"smoothing": -1}, "smoothing"),
        ({"space": {"features": []}}, "cover every column"),
    ],
)
def test_files_that_cannot_be_are_named(tmp_path, change, words):
    document = {
        "gnomon_marginals": 1,
        "space": {"features": [{"name": "bought", "kind": "binary", "columns": [0]}]},
        "cells": [{"low": [0, 1], "high": [0, 1], "count": [3, 1]}],
    }
    path = tmp_path / "m.json"
    path.write_text(json.dumps(document | change))
    with pytest.raises(DataError, match=words) as caught:
        load_marginals(path)
    assert str(path) in str(caught.value)


def test_files_that_are_not_there_or_no_json_are_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_marginals(tmp_path / "m.json")
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(DataError, match="not a file of marginals"):
        load_marginals(tmp_path / "m.json")


def test_no_rows_have_no_marginals():
    with pytest.raises(DataError, match="at least one row"):
        count_marginals(np.empty((0, 3)), bits(3))


def test_counts_must_fit_the_features():
    with pytest.raises(UsageError, match="counts for 3 features, got 1"):
        Marginals(bits(3), (Cells((0.0,), (1.0,), (1.0,)),))
