"""Half a character (of a file name, in an array) is one line, before anything is computed; a poor terminal is none."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.report.sample_records import leaking

from gnomon.cli.app import main, run
from gnomon.core.data.dataset import make_dataset
from gnomon.core.documents.read_write import write_record
from gnomon.core.errors import DataError, PlanError
from gnomon.core.plan import make_plan
from gnomon.core.system import write_text

HALF = "a\udce9"


@pytest.mark.parametrize("what", ["ids", "groups", "y", "classes"])
def test_in_data(what: str) -> None:
    given = {"x": np.eye(4), "y": np.array(["a", "b"] * 2), what: np.array(["a", "b", "c", HALF])}
    if what == "classes":
        given |= {"y": np.array([0, 1, 0, 1]), "classes": ("a", HALF)}  # type: ignore[dict-item]
    with pytest.raises(DataError, match=r"(class|id|group) 'a\\udce9' is no text that a file can hold"):
        make_dataset(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("table", [{"data": {"source": HALF}}, {"data": {"source": "digits"}, HALF: 1}])
def test_in_a_plan(table: dict[str, object]) -> None:
    with pytest.raises(PlanError, match=r"'a\\udce9' is no text that a plan can hold"):
        make_plan(table)


def test_in_what_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match=r"x: 'long a\\udce9' is no text that a file can hold"):
        write_text(tmp_path / "x", f"long {HALF} text")
    with pytest.raises(DataError, match="record can't be written"):
        write_record(leaking().model_copy(update={"name": HALF}), tmp_path / "record.json")
    assert not list(tmp_path.iterdir())
    assert run(["init", str(tmp_path / "plan.toml"), "--source", "digits", "--label", HALF]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_characters_that_a_terminal_does_not_know_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding="ascii"))
    monkeypatch.setattr(sys, "argv", ["gnomon", "list", "attacks"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert b"lira" in held.getvalue()
