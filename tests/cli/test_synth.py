"""The attacker's rows as a file: the same rows that the audit would use, written whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.prepare import prepare
from gnomon.auditing.synth import make_attackers_rows
from gnomon.cli.app import run
from gnomon.cli.synth import write_rows
from gnomon.core.errors import UsageError
from gnomon.core.plan import make_plan, read_plan
from gnomon.datasets import load_dataset
from gnomon.store.arrays import ArrayStore
from gnomon.synthesis import count_marginals, load_marginals

PLAN = """
view = "{view}"
[data]
source = "digits"
train_size = 300
[target]
reveals = "{reveals}"
[trainer]
kind = "sklearn"
estimator = "sklearn.linear_model:LogisticRegression"
params = {{C = 0.001, max_iter = 200}}
[shadow]
count = 2
source = {source}
rows = 30
[shadow.climbing]
searcher = "guided"
guess = "marginals"
kmax = 16
itermax = 300
"""


def plan(folder: Path, source: str = '"marginals"', view: str = "adversary", reveals: str = "full") -> str:
    file = folder / "plan.toml"
    file.write_text(PLAN.format(source=source, view=view, reveals=reveals))
    return str(file)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_marginals_to_npz_with_their_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["synth", plan(tmp_path), "--to", "rows.npz", "--marginals-to", "m.json"]) == 0
    said = capsys.readouterr().out
    rows = np.load("rows.npz", allow_pickle=False)
    digits = load_dataset("digits")
    assert sorted(rows.files) == ["classes", "x", "y"]
    assert rows["classes"].tolist() == list(digits.classes)
    assert rows["x"].shape[1:] == np.shape(digits.x)[1:]
    assert rows["y"].shape == (len(rows["x"]),)
    assert "marginals: 30 rows in rows.npz" in said
    assert "queries to the target: 30 (1.0 a record)" in said
    missing = set(digits.classes) - {digits.classes[i] for i in rows["y"]}
    unreached = re.search(r"classes not reached: (.*)", said)
    assert unreached is not None
    assert set(unreached[1].split(", ")) == (missing or {"none"})
    assert load_marginals(Path("m.json")).space == digits.features
    assert {p.name for p in tmp_path.iterdir()} == {"plan.toml", "rows.npz", "m.json"}


def test_the_file_holds_what_the_audit_trains_on(tmp_path: Path) -> None:
    source = plan(tmp_path)
    assert run(["synth", source, "--to", "rows.npz"]) == 0
    again = make_attackers_rows(read_plan(Path(source)), "marginals", tmp_path / "state")
    np.testing.assert_array_equal(np.load("rows.npz")["x"], again.x)
    np.testing.assert_array_equal(np.load("rows.npz")["y"], again.y)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_tables_hold_class_names(tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["synth", plan(tmp_path, '["real", "marginals"]'), "--to", f"new/rows{ending}", "--source", "noisy:0.2"])
        == 0
    )
    frame = pd.read_csv("new/rows.csv", dtype={"y": str}) if ending == ".csv" else pd.read_parquet("new/rows.parquet")
    digits = load_dataset("digits")
    assert set(frame["y"]) == set(digits.classes)
    assert frame.shape[1] == np.asarray(digits.x).reshape(len(digits), -1).shape[1] + 1
    said = capsys.readouterr().out
    assert f"noisy:0.2: {len(frame):,} rows" in said
    assert "queries to the target: none" in said
    assert "rate of 0.2" in said


def test_climbing_writes_records_of_the_classes_that_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["synth", plan(tmp_path, '"climbing"'), "--to", "rows.npz"]) == 0
    said = capsys.readouterr().out
    rows = np.load("rows.npz")
    reached = {str(rows["classes"][i]) for i in rows["y"]}
    unreached = re.search(r"classes not reached: (.*)", said)
    queries = re.search(r"queries to the target: ([\d,]+) \(([\d.,]+) a record\)", said)
    assert unreached is not None
    assert queries is not None
    assert (set(unreached[1].split(", ")) - {"none"}) | reached == set(rows["classes"].tolist())
    assert float(queries[2]) == pytest.approx(int(queries[1].replace(",", "")) / len(rows["y"]), abs=0.051)
    assert not (tmp_path / "rows.npz.state").exists()


@pytest.mark.parametrize(
    ("source", "view", "reveals", "arguments", "words"),
    [
        ('"climbing"', "adversary", "labels", ["--to", "r.npz"], "labels only"),
        ('"marginals"', "auditor", "full", ["--to", "r.npz"], 'set view = "adversary"'),
        ('"marginals"', "adversary", "full", ["--to", "r.txt"], ".npz, .csv, .parquet"),
        ('"marginals"', "adversary", "full", ["--to", "rows"], ".npz, .csv, .parquet"),
        ('"real"', "adversary", "full", ["--to", "r.npz"], "need not be made"),
        ('"real"', "adversary", "full", ["--to", "r.npz", "--source", "noise"], "noise"),
        ('"real"', "adversary", "full", [], "--to"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_two(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    source: str,
    view: str,
    reveals: str,
    arguments: list[str],
    words: str,
) -> None:
    assert run(["synth", plan(tmp_path, source, view, reveals), *arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(lines) == 1
    assert words in lines[0]
    assert not list(tmp_path.glob("r*.*"))


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rows.npz").mkdir()
    assert run(["synth", plan(tmp_path, '"noisy"'), "--to", "rows.npz"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not list(tmp_path.glob(".*.part"))


def test_named_columns_need_a_table(tmp_path: Path) -> None:
    made = make_attackers_rows(read_plan(Path(plan(tmp_path, '"noisy"'))), "noisy", tmp_path)
    frame = pd.DataFrame({"age": [1, 2], "job": ["a", "b"]})
    named = type(made)(frame, np.array([1, 0]), ("no", "yes"), made.facts, made.marginals)
    with pytest.raises(Exception, match=r"\.csv or \.parquet"):
        write_rows(named, tmp_path / "r.npz", "y")
    with pytest.raises(Exception, match='"age" already'):
        write_rows(named, tmp_path / "r.csv", "age")
    write_rows(named, tmp_path / "r.csv", "income")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "r.csv"), frame.assign(income=["yes", "no"]))
    for odd in (frame.assign(job=["a", "=1+1"]), frame.rename(columns={"job": "@job"}), frame.assign(job="\x1b[2J")):
        formulas = type(made)(odd, np.array([1, 0]), ("no", "yes"), made.facts, made.marginals)
        with pytest.raises(UsageError, match=r"could be run by a spreadsheet.*name a \.parquet file"):
            write_rows(formulas, tmp_path / "formulas.csv", "y")
        assert not (tmp_path / "formulas.csv").exists()
        write_rows(formulas, tmp_path / "formulas.parquet", "y")


def test_rows_for_a_target_whose_members_are_whole_households(tmp_path: Path) -> None:
    values = {"source": "baskets", "rows": 600, "train_size": 200, "split_by_group": True}
    trainer = {"kind": "sklearn", "estimator": "sklearn.naive_bayes:BernoulliNB"}
    plan = make_plan({"view": "adversary", "data": values, "trainer": trainer, "shadow": {"rows": 20}})
    made = make_attackers_rows(plan, "marginals", tmp_path / "state")
    assert made.x.shape == (20, 600)
    baskets = load_dataset("baskets")
    pool = prepare(plan, load_inputs(plan), ArrayStore(tmp_path)).roles.pool
    assert made.marginals == count_marginals(baskets.x[pool], baskets.features)
