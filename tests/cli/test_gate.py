"""`gnomon gate` on the command line: limits from words, files and a base; several outputs; one exit code."""

import json
from pathlib import Path

import pytest
from tests.cli.test_diff import folders as folders
from tests.runs.test_gate import record

from gnomon.cli.app import run
from gnomon.core.documents.read_write import write_record
from gnomon.runs.limits import read_limits


@pytest.fixture
def place(tmp_path: Path) -> str:
    write_record(record(), tmp_path / "record.json")
    return str(tmp_path)


def test_a_base_becomes_a_file_of_limits_that_it_meets(
    folders: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early, over = folders
    file = tmp_path / "limits.toml"
    assert run(["gate", "--from", early, "--slack", "20%", "--to", str(file)]) == 0
    said = capsys.readouterr().out
    assert f"{read_limits(file).limits[0].text}: " in said
    assert "20% slack" in said
    assert [run(["gate", one, "--limits", str(file)]) for one in folders] == [0, 1]
    assert [run(["gate", one, "--from", early]) for one in folders] == [0, 1]
    assert run(["gate", over, "--from", early, "--to", str(tmp_path / "again.toml")]) == 1
    assert read_limits(tmp_path / "again.toml").limits


def test_words_files_and_severities_go_together(place: str, tmp_path: Path) -> None:
    soft = tmp_path / "soft.toml"
    soft.write_text("[[limits]]\nlimit = 'auc<=0.6'\nseverity = 'warning'\n", encoding="utf-8")
    assert run(["gate", place, "auc<=0.9", "--limits", str(soft)]) == 0
    assert run(["gate", place, "auc<=0.6", "--limits", str(soft)]) == 1


def test_a_gate_of_warnings_only_is_refused(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soft = tmp_path / "soft.toml"
    soft.write_text("[[limits]]\nlimit = 'auc<=0.9'\nseverity = 'warning'\n", encoding="utf-8")
    assert run(["gate", place, "--limits", str(soft)]) == 2
    assert "at least one of severity error" in " ".join(capsys.readouterr().err.split())


def test_several_files_are_written_at_once_and_the_code_is_the_same(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"gate.{ending}" for ending in ("xml", "sarif", "json", "md", "txt")]
    assert run(["gate", place, "auc<=0.6", "--json", *(w for f in files for w in ("--to", str(f)))]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["code"] == 1
    assert json.loads(files[2].read_text(encoding="utf-8")) == printed
    assert files[0].read_text(encoding="utf-8").startswith("<?xml")
    assert json.loads(files[1].read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert files[3].read_text(encoding="utf-8").startswith("### gnomon gate")
    assert files[4].read_text(encoding="utf-8").startswith("not met: lira auc")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["gate"], "nothing to compare"),
        (["gate", "--from", "RUN"], "nothing to compare"),
        (["gate", "--from", "RUN", "--to", "gate.xml"], "nothing to compare"),
        (["gate", "RUN", "--to", "gate.pdf"], "no result of a gate has this suffix"),
        (["gate", "RUN", "--json", "--format", "junit"], "give one of them"),
        (["gate", "RUN", "--from", "RUN", "--slack", "much"], "expected a share"),
        (["diff", "RUN", "RUN", "--json", "--format", "md"], "give one of them"),
    ],
)
def test_wrong_use_is_one_line(place: str, words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([place if word == "RUN" else word for word in words]) == 2
    assert expected in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("format", "head"), [("github", "### gnomon diff"), ("md", "# "), ("html", "<!DOCTYPE")])
def test_a_comparison_is_printed_in_a_format(
    folders: tuple[str, str], format: str, head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", *folders, "--format", format]) == 0
    assert capsys.readouterr().out.startswith(head)
    assert run(["diff", *folders, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["change"] == "worse"
