"""`gnomon diff` on folders: formats, exit codes, and scores that are missing."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.runs.saved import save_outcome
from tests.runs.test_compare import outcome

from gnomon.cli.app import run
from gnomon.runs.folder import read_outcome


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    save_outcome(outcome(0.3, 0, base=9), tmp_path / "early")
    save_outcome(outcome(1.5, 1, base=9), tmp_path / "over")
    return str(tmp_path / "early"), str(tmp_path / "over")


def test_a_run_is_read_back_as_it_was_written(folders: tuple[str, str]) -> None:
    before, after = outcome(0.3, 0, base=9), read_outcome(Path(folders[0]))
    assert (after.record, after.ids, after.member) == (before.record, before.ids, before.member)
    np.testing.assert_array_equal(after.scores["loss"], before.scores["loss"])


def test_the_exit_code_fails_a_pipeline_only_when_asked(folders: tuple[str, str]) -> None:
    early, over = folders
    assert run(["diff", early, over]) == 0
    assert run(["diff", early, over, "--fail-if-worse"]) == 1
    assert run(["diff", over, early, "--fail-if-worse"]) == 0


@pytest.mark.parametrize(
    ("ending", "words"),
    [("html", "<h1>The second model gives away more"), ("md", "# The second model gives away more"), ("txt", "worse")],
)
def test_every_format_tells_the_change(folders: tuple[str, str], tmp_path: Path, ending: str, words: str) -> None:
    place = tmp_path / f"d.{ending}"
    assert run(["diff", *folders, "--to", str(place)]) == 0
    text = place.read_text(encoding="utf-8")
    assert words in text
    assert "<script" not in text


def test_json_is_the_document(folders: tuple[str, str], tmp_path: Path) -> None:
    run(["diff", *folders, "--to", str(tmp_path / "d.json")])
    found = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert (found["version"], found["change"], found["pairing"]) == (1, "worse", "same rows")


def test_without_scores_the_records_are_compared(folders: tuple[str, str], tmp_path: Path) -> None:
    for name in folders:
        shutil.rmtree(Path(name) / "scores")
        (Path(name) / "manifest.json").unlink()
    run(["diff", *folders, "--to", str(tmp_path / "d.json")])
    found = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert (found["change"], found["pairing"]) == ("worse", "none")


def test_a_missing_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "no such record" in " ".join(capsys.readouterr().err.split())
