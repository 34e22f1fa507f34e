"""`gnomon report`: the same document again, in the format that the file's ending names."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.runs.test_compare import outcome

from gnomon.auditing.decision.decide import with_decision
from gnomon.cli.app import run
from gnomon.cli.audit import publish
from gnomon.core.generations import claim


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("run") / "mine"
    with claim(place, "audit") as claimed:
        publish(outcome(1.0, 0), claimed)
    return place


def test_the_html_of_a_run_is_rendered_again_to_the_letter(folder: Path, tmp_path: Path) -> None:
    assert run(["report", str(folder), "--to", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_text() == (folder / "report.html").read_text()


def test_the_record_itself_names_the_run_too(folder: Path, tmp_path: Path) -> None:
    assert run(["report", str(folder / "record.json"), "--to", str(tmp_path / "again.json")]) == 0
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads((folder / "record.json").read_text())


def test_without_a_file_it_goes_to_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    headline = json.loads((folder / "record.json").read_text())["verdict"]["headline"]
    assert run(["report", str(folder)]) == 0
    assert headline.split()[0] in capsys.readouterr().out


def test_an_ending_that_is_no_format_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", str(folder), "--to", str(tmp_path / "again.docx")]) == 2
    assert ".docx" in capsys.readouterr().err
    assert not (tmp_path / "again.docx").exists()


def test_an_annex_is_one_document_in_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = outcome(1.0, 0)
    with claim(tmp_path / "run", "audit") as claimed:
        publish(replace(made, record=with_decision(made.record, None, None)), claimed)
    run_folder = str(tmp_path / "run")
    for ending in ("html", "md", "json"):
        assert run(["report", run_folder, "--annex", "tre", "--to", str(tmp_path / f"annex.{ending}")]) == 0
    assert json.loads((tmp_path / "annex.json").read_text())["kind"] == "tre"
    assert "Output checker" in (tmp_path / "annex.html").read_text()
    assert run(["report", run_folder, "--annex", "gdpr"]) == 2
    assert run(["report", run_folder, "--show-ids"]) == 2
    assert "--show-ids belongs to --annex" in capsys.readouterr().err
