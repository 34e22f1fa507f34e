"""Each mistake gets one clear line on standard error and exit code 2; nothing half-written is left."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from gnomon.cli.app import READER_GONE, run

N = 120
BAYES = """
[data]
source = "digits"
train_size = {size}
[trainer]
kind = "sklearn"
estimator = "sklearn.naive_bayes:GaussianNB"
"""


def table(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(N, 3)), columns=["a", "b", "c"])
    return frame.assign(kind=np.where(frame["a"] + rng.normal(size=N) > 0, "yes", "no"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    members, nonmembers = table(0), table(1)
    members.to_csv("in.csv", index=False)
    nonmembers.to_csv("out.csv", index=False)
    model = LogisticRegression().fit(members[["a", "b", "c"]], members["kind"])
    skops.io.dump(model, "m.skops")
    for name, rows in (("in", members), ("out", nonmembers)):
        np.savez(f"{name}_answers.npz", answers=model.predict_proba(rows[["a", "b", "c"]]))
    return tmp_path


FILES = ["--members", "in.csv", "--nonmembers", "out.csv", "--label", "kind"]
MODEL = ["audit", "--model", "m.skops", *FILES, "--shadows", "2", "--attacks", "gap,loss", "--workers", "1"]
ANSWERS = ["audit", *FILES, "--member-answers", "in_answers.npz", "--nonmember-answers", "out_answers.npz"]


def change(name: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    edit(pd.read_csv(name)).to_csv(name, index=False)


def cell(name: str, row: int, column: str, value: Any) -> None:
    change(
        name,
        lambda f: f.astype({column: object}).pipe(
            lambda g: (g.__setitem__(column, [*g[column][:row], value, *g[column][row + 1 :]]), g)[1]
        ),
    )


def answers(name: str, edit: Callable[[Any], Any]) -> None:
    np.savez(name, answers=edit(np.load(name)["answers"].copy()))


def put(array: Any, row: int, value: Any) -> Any:
    array[row] = value
    return array


def test_the_sound_commands_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*MODEL, "--to", "run"]) == 0
    assert (folder / "run" / "report.html").exists()
    assert run([*ANSWERS, "--to", "answers"]) == 0
    assert run(["report", "run", "--to", "again.md"]) == 0
    assert "gap" in (folder / "again.md").read_text().lower()
    assert run(["gate", "run", "advantage<=1"]) == 0
    assert run(["gate", "run", "gap.accuracy<=0.5"]) in (1, 4)


@pytest.mark.parametrize(
    ("harm", "command", "words"),
    [
        (lambda: Path("in.csv").unlink(), MODEL, "in.csv"),
        (lambda: Path("m.skops").unlink(), MODEL, "m.skops: no such file"),
        (lambda: Path("m.skops").write_bytes(b"PK junk"), MODEL, "damaged"),
        (lambda: Path("m.skops").rename("m.pkl"), ["m.pkl" if a == "m.skops" else a for a in MODEL], "--trust"),
        (lambda: None, ["knd" if a == "kind" else a for a in MODEL], "knd"),
        (lambda: change("out.csv", lambda f: f.drop(columns="b")), MODEL, '"b"'),
        (lambda: change("out.csv", lambda f: f.rename(columns={"b": "bb"})), MODEL, "b"),
        (lambda: cell("in.csv", 4, "a", np.nan), MODEL, "a"),
        (lambda: cell("out.csv", 4, "b", np.inf), MODEL, "b"),
        (lambda: change("in.csv", lambda f: f.iloc[:0]), MODEL, "row"),
        (lambda: change("out.csv", lambda f: f.iloc[:0]), MODEL, "row"),
        (lambda: [change(f, lambda t: t.assign(kind="yes")) for f in ("in.csv", "out.csv")], MODEL, "2 classes"),
        (lambda: cell("in.csv", 7, "kind", "maybe"), MODEL, "maybe"),
        (lambda: change("out.csv", lambda f: f.assign(kind="no")), MODEL, "only members have class yes"),
        (
            lambda: change("out.csv", lambda f: pd.concat([f, pd.read_csv("in.csv")])),
            MODEL,
            "also stand among the members",
        ),
        (lambda: answers("in_answers.npz", lambda a: put(a, 3, np.nan)), ANSWERS, "NaN"),
        (lambda: answers("in_answers.npz", lambda a: put(a, 3, [np.inf, 0])), ANSWERS, "infinity"),
        (lambda: answers("out_answers.npz", lambda a: a * 0.5), ANSWERS, "sum to 1"),
        (lambda: answers("out_answers.npz", lambda a: a[:-1]), ANSWERS, "119"),
        (lambda: None, ["shokry" if a == "gap,loss" else a for a in MODEL], 'did you mean "shokri"'),
        (lambda: None, [*MODEL, "--shadow", "3"], "shadow"),
        (lambda: None, [*MODEL, "--view", "owner"], "owner"),
        (lambda: None, [*MODEL, "--reveals", "top:0"], "top"),
        (lambda: None, ["audit"], "nothing to audit"),
        (lambda: None, ["audit", "none.toml"], "no such plan file"),
        (lambda: None, ["audit", "--source", "basket"], 'did you mean "baskets"'),
        (lambda: None, ["audit", "--source", "digits"], "needs a recipe"),
        (lambda: None, ["report", "nowhere"], "no such record"),
        (lambda: None, ["gate", "nowhere"], "no such record"),
        (lambda: None, ["frobnicate"], "frobnicate"),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_two(
    folder: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[], Any], command: list[str], words: str
) -> None:
    harm()
    assert run([*command, "--to", "run"] if command[0] == "audit" else command) == 2
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.strip()]
    assert len(lines) == 1, said.err
    assert words in lines[0]
    assert not (folder / "run" / "record.json").exists()
    assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[data]\nsource = "digits"\n[trainer]\nkind = "sklearn"\nepoch = 3\n', 'did you mean "epochs"'),
        (
            BAYES.format(size=900) + "[shadow]\nsize = 5000\n",
            "shadow models of 5000 rows",
        ),
        (
            BAYES.format(size=5000),
            "leave no non-members",
        ),
        ('[data]\nsource = "digits"\n[trainer]\nkind = "sklearn"\nestimator = "os:system"\n', "--trust"),
    ],
)
def test_a_plan_that_cannot_be_carried_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (tmp_path / "plan.toml").write_text(text)
    assert run(["audit", str(tmp_path / "plan.toml"), "--to", str(tmp_path / "run")]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(lines) == 1
    assert words in lines[0]
    assert not (tmp_path / "run" / "record.json").exists()


def test_one_row_of_each_side_is_refused_or_measured_but_never_a_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("in.csv", "out.csv"):
        change(name, lambda f: f.iloc[:1])
    assert run([*MODEL, "--to", "run"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", [["list", "attacks"], ["--help"]])
def test_a_reader_that_goes_away_is_no_error_of_ours(command: list[str]) -> None:
    """As in ``gnomon list attacks | head -3``."""
    line = [sys.executable, "-m", "gnomon", *command]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == READER_GONE


def test_what_looks_like_a_picture_is_printed_as_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where runs/ is made
    (tmp_path / "a.csv").write_text("a:b:c\n1:2:3\n")
    files = ["--members", str(tmp_path / "a.csv"), "--nonmembers", str(tmp_path / "a.csv")]
    assert run(["audit", *files, "--member-answers", "x.csv", "--nonmember-answers", "x.csv", "--label", "c"]) == 2
    assert "(known: a:b:c)" in capsys.readouterr().err


def test_what_fits_in_no_memory_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("m.json", "m.skops", "m.onnx"):
        Path(name).touch()
        os.truncate(name, 2**43)
        assert run(["audit", "--model", name, "--members", "in.csv", "--nonmembers", "out.csv", "--to", "run"]) == 2
        assert f"gnomon: {name}: needs 8,192.0 GB of memory" in capsys.readouterr().err

    def fill(*_: object) -> None:
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr("gnomon.cli.report.read_any", fill)
    assert run(["report", "run"]) == 2
    assert capsys.readouterr().err.startswith("gnomon: out of memory (Unable to allocate 9 TiB); give fewer rows")
