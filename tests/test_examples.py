"""Examples are what they say: every plan is a plan, and one that takes seconds is run as its head line has it."""

import re
from pathlib import Path

import pytest

from gnomon.cli.app import run
from gnomon.core.documents.read_write import read_record
from gnomon.core.plan import read_plan
from gnomon.datasets import SOURCES

EXAMPLES = Path(__file__).parents[1] / "examples"
PLANS = sorted(EXAMPLES.glob("*.toml"))
ROOT = EXAMPLES.parent


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_every_plan_is_one_and_names_what_there_is(path: Path) -> None:
    plan = read_plan(path)
    assert plan.data.source is None or plan.data.source in {source.name for source in SOURCES}
    for name in re.findall(r"examples/([\w.-]+\.(?:toml|py))", path.read_text(encoding="utf-8")):
        assert (EXAMPLES / name).exists(), f"{path.name} speaks of {name}"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_script_compiles(path: Path) -> None:
    compile(path.read_text(encoding="utf-8"), path.name, "exec")


def test_an_example_runs_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", str(EXAMPLES / "early-stopped.toml"), "--to", str(tmp_path / "run"), "--workers", "1"]) == 0
    record = read_record(tmp_path / "run")
    assert [a.name for a in record.attacks if a.status == "ok"] == ["gap", "loss", "lira"]
    assert record.target.train_size == 1500
    assert record.verdict.headline.split()[0] in capsys.readouterr().out
    assert run(["verify", str(tmp_path / "run")]) == 0
