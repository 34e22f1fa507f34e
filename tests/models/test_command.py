"""Command lines as a recipe: Python and awk behind them, killed and gone on with, failed and named."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnomon.cli.app import run
from gnomon.core.errors import ModelError, UsageError
from gnomon.models.command import CommandTrainer

pd = pytest.importorskip("pandas")
SKLEARN = """
import sys
import joblib, pandas as pd
from sklearn.tree import DecisionTreeClassifier
step, rows, model, last = sys.argv[1:]
table = pd.read_csv(rows)
if step == "train":
    open({log!r}, "a").write("trained\\n")
    tree = DecisionTreeClassifier(random_state=int(last), max_features=2)
    joblib.dump(tree.fit(table.drop(columns="label"), table["label"]), model)
else:
    tree = joblib.load(model)
    pd.DataFrame(tree.predict_proba(table), columns=tree.classes_).iloc[:, ::-1].to_csv(last, index=False)
"""
NEAREST = """
import csv, json, math, sys, time
step, rows, model, last = sys.argv[1:]
lines = list(csv.reader(open(rows)))[1:]
if step == "train":
    open({log!r}, "a").write("trained\\n")
    time.sleep(0.1)
    json.dump([[float(v) for v in line[:3]] + [line[3]] for line in lines], open(model, "w"))
else:
    known = json.load(open(model))
    with open(last, "w") as answers:
        print("yes,no", file=answers)
        for line in lines:
            place = [float(v) for v in line]
            near = min(known, key=lambda other: math.dist(place, other[:3]))
            print("0.9,0.1" if near[3] == "yes" else "0.1,0.9", file=answers)
"""
AWK_TRAIN = """awk -F, 'NR > 1 {n[$NF]++; s[$NF] += $1} END {for (k in n) print k, s[k] / n[k] > m}' m={model} {rows}"""
AWK_PREDICT = """awk -F, -v answers={answers} 'NR == FNR {split($0, a, " "); mean[a[1]] = a[2]; next}
FNR > 1 {u = ($1 - mean["no"]) ^ 2; v = ($1 - mean["yes"]) ^ 2; p = 1 / (1 + exp((v - u) / 2))
printf "%.9f,%.9f\\n", 1 - p, p > answers}' {model} {rows}"""


def table(n: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)).round(4), columns=["a", "b", "c"])
    return frame.assign(kind=np.where(frame["a"] + rng.normal(size=n) > 0, "yes", "no"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "fit.py").write_text(SKLEARN.format(log=str(tmp_path / "trainings")))
    table(120, 0).to_csv("in.csv", index=False)
    table(120, 1).to_csv("out.csv", index=False)
    return tmp_path


def python_trainer(folder: Path, **more: Any) -> CommandTrainer:
    line = f"{sys.executable} fit.py"
    made = CommandTrainer(
        f"{line} train {{rows}} {{model}} {{seed}}",
        f"{line} predict {{rows}} {{model}} {{answers}}",
        files=(str(folder / "fit.py"),),
        **more,
    )
    return made.for_labels(("no", "yes"), ("no", "yes"))


def test_a_command_gives_what_the_same_training_gives_here(folder: Path) -> None:
    from sklearn.tree import DecisionTreeClassifier

    frame = table(60, 3)
    x, y = frame[["a", "b", "c"]], (frame["kind"] == "yes").to_numpy(np.int64)
    rows = np.arange(40)
    [model] = python_trainer(folder).train(x, y, 2, [rows], [2**40 + 7])
    tree = DecisionTreeClassifier(random_state=(2**40 + 7) % 2**31, max_features=2).fit(x[:40], y[:40])
    np.testing.assert_array_equal(np.exp(model.log_probs(x)), tree.predict_proba(x))
    assert len(list((folder / "temporary").iterdir())) == 1
    del model
    assert not list((folder / "temporary").iterdir()), "its folder goes with it"


def test_the_key_holds_lines_files_and_version_but_no_time(folder: Path) -> None:
    first = python_trainer(folder)
    assert first.recipe() == python_trainer(folder, timeout=3.0).recipe()
    assert first.recipe() != python_trainer(folder, version="2").recipe()
    before = first.recipe()
    (folder / "fit.py").write_text("another")
    assert python_trainer(folder).recipe() != before


def test_a_failure_is_quoted_and_its_folder_kept(folder: Path) -> None:
    x, y = table(10, 0)[["a", "b", "c"]], np.arange(10) % 2
    (folder / "fit.py").write_text("raise SystemExit('no licence')")
    with pytest.raises(
        ModelError, match=r"trains, on 5 rows .*exit code 1; it printed: no licence .its folder"
    ) as error:
        python_trainer(folder).train(x, y, 2, [np.arange(5)], [0])
    [kept] = (folder / "temporary").iterdir()
    assert str(kept) in str(error.value)
    assert "no licence" in (kept / "output.txt").read_text()
    (folder / "fit.py").write_text("")
    with pytest.raises(ModelError, match=r"wrote no \{model\}"):
        python_trainer(folder).train(x, y, 2, [np.arange(5)], [0])


def test_files_of_one_name_and_files_that_are_not_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="called the same"):
        CommandTrainer("a {rows} {model}", "b {model} {rows} {answers}", files=("x/fit.py", "y/fit.py"))
    with pytest.raises(ModelError, match=r"gone\.py"):
        CommandTrainer("a {rows} {model}", "b {model} {rows} {answers}", files=("gone.py",)).recipe()


@pytest.mark.skipif(shutil.which("awk") is None, reason="awk is not here")
def test_another_language_trains_and_answers(folder: Path) -> None:
    frame = table(200, 4)
    x, y = frame[["a", "b", "c"]], (frame["kind"] == "yes").to_numpy(np.int64)
    trainer = CommandTrainer(AWK_TRAIN, AWK_PREDICT).for_labels(("no", "yes"), ("no", "yes"))
    [model] = trainer.train(x, y, 2, [np.arange(150)], [0])
    no, yes = (x["a"][:150][y[:150] == k].mean() for k in (0, 1))
    wanted = 1 / (1 + np.exp(((x["a"] - yes) ** 2 - (x["a"] - no) ** 2) / 2))
    np.testing.assert_allclose(np.exp(model.log_probs(x))[:, 1], wanted, atol=1e-4)


PLAN = """
[data]
members = "in.csv"
nonmembers = "out.csv"
label = "kind"
[target]
member_answers = "in_answers.csv"
nonmember_answers = "out_answers.csv"
[trainer]
kind = "command"
train = "{python} fit.py train {{rows}} {{model}} {{seed}}"
predict = "{python} fit.py predict {{rows}} {{model}} {{answers}}"
files = ["fit.py"]
[shadow]
count = 6
[attacks]
names = ["gap", "loss", "lira"]
rehearsals = 1
"""


def write_plan(folder: Path) -> None:
    for name in ("in", "out"):
        rows = pd.read_csv(f"{name}.csv")
        second = np.where(rows["kind"] == "yes", 0.8, 0.3) if name == "in" else np.full(120, 0.6)
        pd.DataFrame({"no": 1 - second, "yes": second}).to_csv(f"{name}_answers.csv", index=False)
    (folder / "plan.toml").write_text(PLAN.format(python=sys.executable))
    (folder / "fit.py").write_text(NEAREST.format(log=str(folder / "trainings")))


def test_an_audit_with_commands_is_killed_and_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plan(folder)
    assert run(["audit", "plan.toml", "--to", "run"]) == 2
    assert "give --trust to allow it" in capsys.readouterr().err
    assert not (folder / "trainings").exists(), "nothing runs without trust"
    command = [sys.executable, "-m", "gnomon", "audit", "plan.toml", "--to", "run", "--trust", "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while len(list((folder / "run").rglob("*.json"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    kept = len(list((folder / "run" / "store").rglob("*.json")))
    assert 2 <= kept < 6
    before = trainings(folder)
    assert run_when_free(["audit", "plan.toml", "--to", "run", "--trust", "--workers", "2"]) == 0
    assert trainings(folder) - before == 6 - kept
    record = json.loads((folder / "run" / "record.json").read_text())
    assert record["recipe"]["kind"] == "command"
    assert [a["status"] for a in record["attacks"]] == ["ok"] * 3
    assert record["shadows"]["reused"] == kept


def run_when_free(command: list[str]) -> int:
    """Runs a command when the folder's lock is free: a child of the killed process may hold it for a moment."""
    for _ in range(20):
        if (code := run(command)) == 0:
            return code
        time.sleep(0.3)
    return code


def trainings(folder: Path) -> int:
    return (folder / "trainings").read_text().count("trained")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{{answers}}", "{{anwsers}}", "expected a command line with {rows} and {model} and {answers}"),
        ("{{model}} {{seed}}", "{{seed}}", "expected a command line with {rows} and {model}"),
        ('files = ["fit.py"]', 'files = ["gone.py"]', "gone.py"),
        ('files = ["fit.py"]', "timeout = 0", "trainer.timeout"),
        ('files = ["fit.py"]', 'exchange = "xml"', "trainer.exchange"),
        ('files = ["fit.py"]', "max_jobs = 3", 'trainer.max_jobs is for kind = "service"'),
        ('kind = "command"', 'kind = "clone"', 'trainer.train is for kind = "command"'),
        ('kind = "command"', 'kind = "service"', 'trainer.train is for kind = "command"'),
        ("predict =", "# predict =", "trainer.predict is missing"),
    ],
)
def test_a_wrong_key_is_one_line(
    folder: Path, old: str, new: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plan(folder)
    assert old in PLAN
    (folder / "plan.toml").write_text(PLAN.replace(old, new).format(python=sys.executable))
    assert run(["audit", "plan.toml", "--to", "run", "--trust"]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1


def test_an_automl_whose_choice_nobody_knows_trains_by_the_example_s_commands(tmp_path: Path) -> None:
    pytest.importorskip("flaml", reason="FLAML (extra automl) is not installed")
    example = Path(__file__).parents[2] / "examples" / "automl_command.py"
    script = tmp_path / example.name
    script.write_text(example.read_text(encoding="utf-8").replace("TRIALS = 12", "TRIALS = 2"))
    plan = tomllib.loads((example.parent / "automl-command.toml").read_text(encoding="utf-8"))["trainer"]
    lines = [plan[key].replace("python ", f"{sys.executable} ") for key in ("train", "predict")]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    trainer = CommandTrainer(*lines, files=(str(script),), classes=("no", "yes"), labels=("no", "yes"))
    [model] = trainer.train(x, (x[:, 0] > 0).astype(np.int64), 2, [np.arange(60)], [7])
    answers = np.exp(model.log_probs(x))
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
    assert ((answers[:, 1] > 0.5) == (x[:, 0] > 0)).mean() > 0.8
