"""Input that means harm gets one line: texts with a NUL, code that ends Python, documents at odds with themselves."""

import csv
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.report import sample_documents

from gnomon.cli.app import run
from gnomon.core.documents.read_write import write_document
from gnomon.core.documents.study import Study
from gnomon.core.errors import PlanError
from gnomon.core.plan import make_plan


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


def line(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1, said
    return said[0]


@pytest.mark.parametrize(
    "command",
    [["report", "a\0"], ["audit", "--source", "digits", "--to", "a\0"], ["init", "a\0.toml"], ["verify", "\0"]],
)
def test_a_nul_in_an_argument(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command) == 2
    assert "a NUL stands in an argument" in line(capsys)


@pytest.mark.parametrize(("table", "key"), [("data", "members"), ("target", "model"), ("structure", "appetite")])
def test_a_nul_in_a_plan(table: str, key: str) -> None:
    with pytest.raises(PlanError, match="a NUL stands in a text"):
        make_plan({"data": {"source": "digits"}, table: {"source": "digits", key: "a\0"}})


@pytest.mark.parametrize(
    "module",
    [
        "import sys\nsys.exit(0)\n",
        "import sys\ndef train(x, y, n_classes, seed): sys.exit(0)\n",
        "import sys\ndef train(x, y, n_classes, seed): return lambda x: sys.exit(0)\n",
    ],
    ids=["imported", "in training", "in an answer"],
)
def test_code_that_ends_python_is_no_success(
    module: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"ends_{abs(hash(request.node.name))}"
    Path(f"{name}.py").write_text(module)
    Path("plan.toml").write_text(
        f'[data]\nsource = "digits"\nrows = 300\n[trainer]\nkind = "function"\nfunction = "{name}:train"\n'
        '[shadow]\ncount = 0\n[attacks]\nnames = ["loss"]\n'
    )
    assert run(["audit", "plan.toml", "--trust", "--workers", "1", "--to", "run"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "code that was called ended Python (exit code 0)" in said
    assert not Path("run", "record.json").exists()


def test_a_study_whose_parts_contradict_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    study = sample_documents.ALL["study"]()
    assert isinstance(study, Study)
    curves = [curve.model_copy(update={"points": []}) for curve in study.curves]
    write_document(study.model_copy(update={"curves": curves}), Path("study.json"))
    for format in ("terminal", "md"):
        assert run(["report", "study.json", "--format", format]) == 2
        assert "study.json: can't be shown, as its parts contradict each other (IndexError" in line(capsys)


@pytest.mark.parametrize(
    ("name", "label"),
    [("a\nb.toml", "x\x7fy"), ("a\x1b[2J.toml", "x\ny"), ('a"b.toml', '"\\'), ("a.toml", "\u202e\x1b")],
)
def test_a_written_plan_holds_what_was_given(name: str, label: str) -> None:
    for file in ("in.csv", "out.csv"):
        with Path(file).open("w", newline="", encoding="utf-8") as rows:
            csv.writer(rows).writerows([["0", "1", label], *([0.5, 0.5, i % 2] for i in range(40))])
    run(["init", name, "--member-answers", "in.csv", "--nonmember-answers", "out.csv", "--label", label])
    found: dict[str, Any] = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    assert found["data"]["label"] == label


def test_an_error_is_one_line_with_several_workers_too(tmp_path: Path) -> None:
    Path("rows.csv").write_text("a,y\n1,0\n2,1\n")
    flags = ["--members", "rows.csv", "--nonmembers", "rows.csv", "--label", "z", "--workers", "2", "--to", "run"]
    done = subprocess.run(
        [sys.executable, "-m", "gnomon", "audit", *flags], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
