"""`gnomon verify`: every kind of change to a run's files is named; a run that fits is said to fit."""

import json
from pathlib import Path

import pytest
from tests.runs.test_compare import outcome

from gnomon.cli.app import run
from gnomon.cli.audit import publish
from gnomon.core.generations import claim


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "mine"
    with claim(place, "audit") as claimed:
        publish(outcome(1.0, 0), claimed)
    return place


def test_a_run_that_fits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "6 of 6 files fit manifest.json (audit)" in said
    (folder / "store").mkdir()
    (folder / "store" / "answers").write_text("no result")
    assert run(["verify", str(folder)]) == 0
    assert run(["verify", str(folder / "record.json")]) == 0


@pytest.mark.parametrize("file", ["record.json", "report.html", "scores/loss.npy", "scores/member.npy"])
def test_what_was_changed_or_is_missing_is_named(folder: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (folder / file).read_bytes()
    (folder / file).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert run(["verify", str(folder)]) == 1
    assert f"changed: {file}\n5 of 6 files fit" in capsys.readouterr().out
    (folder / file).unlink()
    assert run(["verify", str(folder)]) == 1
    assert f"missing: {file}\n" in capsys.readouterr().out


def test_scores_of_another_run_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "scores" / "lira.npy").write_bytes(b"other")
    assert run(["verify", str(folder)]) == 1
    assert "not of this run: scores/lira.npy" in capsys.readouterr().out


def test_a_folder_without_a_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(tmp_path)]) == 2
    assert "holds no manifest.json" in capsys.readouterr().err


def test_it_prints_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "audit"
    assert set(found["files"].values()) == {"fits"}
    (folder / "report.html").unlink()
    assert run(["verify", str(folder), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["files"]["report.html"] == "missing"
