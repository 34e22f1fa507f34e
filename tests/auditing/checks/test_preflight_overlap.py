import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from scipy.sparse import csr_array
from sklearn.tree import DecisionTreeClassifier

import gnomon
from gnomon.auditing.checks.preflight import find_overlap
from gnomon.auditing.inputs.roles import RowSplit, drop_overlap
from gnomon.cli.app import run
from gnomon.core.arrays import row_digests
from gnomon.core.data.dataset import make_dataset
from gnomon.core.errors import DataError


@pytest.mark.parametrize("repeats", [2, 40])
def test_as_much_overlap_as_chance_gives_is_no_mistake(repeats: int) -> None:
    """Sides are drawn at random from rows that repeat: a p-value of 0.005 or less in about one of 200 such tables."""
    rng = np.random.default_rng(0)
    x = np.repeat(np.arange(1200 // repeats), repeats)[:, None]
    seen = []
    for _ in range(12):
        member = rng.permutation(len(x)) < len(x) // 2
        found = find_overlap(x, member, rng)
        slow = np.isin(x[~member, 0], x[member, 0])
        assert np.array_equal(found.same, slow)
        seen.append(found.p_value)
        assert abs(found.expected - slow.sum()) < 5 * max(1.0, slow.sum() ** 0.5)
    assert sum(p <= 0.005 for p in seen) <= 1


def test_members_in_the_file_of_nonmembers_are_more_than_chance() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    x[200:220] = x[:20]
    found = find_overlap(x, np.arange(400) < 200, rng)
    assert found.same.sum() == 20
    assert found.p_value == 1 / 400
    assert found.expected == pytest.approx(10, abs=1)  # of twenty pairs a split at random parts half


@pytest.mark.parametrize("form", [np.asarray, csr_array, np.float32])
def test_equal_rows_have_equal_digests_whatever_their_zeros_and_missing_numbers_are_made_of(form: Any) -> None:
    odd_nan = np.frombuffer(np.array([0x7FF8000000000001], dtype=np.uint64).tobytes(), dtype=np.float64)[0]
    x = np.array([[0.0, np.nan], [-0.0, odd_nan], [0.0, 1.0]])
    digests = row_digests(form(x))
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_both_copies_are_left_out_and_the_members_among_them_stay_trained_on() -> None:
    x = np.array([[1], [2], [3], [1], [4], [4]])
    data = make_dataset(x, [0, 1, 0, 1, 0, 1], ids=["a", "b", "c", "d", "e", "b"])
    split = RowSplit(np.array([0, 1, 2]), np.array([3, 4, 5]), np.empty(0, np.int64))
    parted = drop_overlap(split, data, own_ids=False)
    assert (parted.split.members.tolist(), parted.split.nonmembers.tolist()) == ([1, 2], [4, 5])
    assert parted.split.unaudited.tolist() == [0]
    by_id = drop_overlap(split, data, own_ids=True)
    assert (by_id.split.members.tolist(), by_id.split.nonmembers.tolist()) == ([2], [4])
    with pytest.raises(DataError, match="nothing is left to audit"):
        drop_overlap(RowSplit(np.array([0]), np.array([3]), np.empty(0, np.int64)), data, own_ids=False)


N = 300


def few_categories() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 7, (2 * N, 3)), columns=["a", "b", "c"])
    return frame.assign(kind=np.where(frame["a"] + 2 * rng.normal(size=2 * N) > 3, "yes", "no"))


def test_rows_that_repeat_by_nature_are_audited_and_can_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = few_categories()
    x, y = frame[["a", "b", "c"]], frame["kind"]
    frame[:N].to_csv("in.csv", index=False)
    frame[N:].to_csv("out.csv", index=False)
    model = DecisionTreeClassifier(random_state=0).fit(x[:N], y[:N])
    skops.io.dump(model, "m.skops")
    words = ["audit", "--model", "m.skops", "--members", "in.csv", "--nonmembers", "out.csv", "--label", "kind"]
    words += ["--shadows", "2", "--workers", "1", "--attacks", "loss"]
    assert run([*words, "--to", "whole"]) == 0
    whole = json.loads(Path("whole/record.json").read_text())
    finding = next(f for f in whole["findings"] if f["code"] == "rows-repeat")
    assert finding["severity"] == "warning"
    assert whole["verdict"]["level"] != "invalid"
    assert run([*words, "--drop-overlap", "--to", "parted"]) == 0
    parted = json.loads(Path("parted/record.json").read_text())
    title = next(f["title"] for f in parted["findings"] if f["code"] == "overlap-dropped")
    both = x[N:].merge(x[:N].drop_duplicates()), x[:N].merge(x[N:].drop_duplicates())
    assert title.startswith(f"{len(both[1])} members and {len(both[0])} non-members that equal each other")
    assert parted["data"]["members"] == N - len(both[1])
    assert parted["target"]["train_size"] == N
    called = gnomon.audit(
        model,
        (x[:N], y[:N]),
        (x[N:], y[N:]),
        shadows=2,
        workers=1,
        attacks=["loss"],
        plan={"data": {"drop_overlap": True}},
    )
    assert called.attacks[0].auc is not None
    assert called.attacks[0].auc.value == parted["attacks"][0]["auc"]["value"]
