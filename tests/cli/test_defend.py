"""`gnomon defend`: each mistake one line and exit code 2 before anything runs; what is made is read back."""

from pathlib import Path

import pytest
from tests.defending.test_run import TOML
from tests.report.sample_defences import sample_defence

from gnomon.cli.app import run
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.read_write import read_document, write_document


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text(TOML)
    return "plan.toml"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--try", "top0"], "whole number >= 1"),
        (["--try", "temperature:-2"], "> 0"),
        (["--try", "dp:0"], "epsilon"),
        (["--try", "dp:-1"], "epsilon"),
        (["--try", "tpo3"], 'did you mean "top"'),
        (["--try", ""], "nothing to try"),
        ([], "--try"),
        (["--try", "top"], "entries to keep"),
        (["--try", "temperature:1..10"], "--until"),
        (["--try", "temperature", "--until", "tpr<=0.1"], "limit"),
        (["--try", "temperature", "--until", "auc<=many"], "limit"),
        (["--try", "temperature", "--until", "epsilon<=3"], "value of attacks"),
        (["--try", "labels", "--until", "auc<=0.6"], "nothing to sweep"),
        (["--try", "temperature:9..1", "--until", "auc<=0.6"], "lower end"),
        (["--try", "temperature", "--until", "auc<=0.6", "--trials", "1"], "--trials"),
    ],
)
def test_a_mistake_gets_one_line_and_nothing_runs(
    plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["defend", plan, *arguments, "--to", "bench"]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(lines) == 1
    assert words in lines[0]
    assert not (tmp_path / "bench").exists()


def test_a_plan_that_is_missing_or_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.toml").write_text('[data]\nsource = "digits"\n[trainer]\nkind = "torhc"\n')
    mistakes = {"none.toml": "no such plan file", ".": "got a folder; gnomon init", "broken.toml": "trainer.kind"}
    for name, words in mistakes.items():
        assert run(["defend", str(tmp_path / name), "--try", "labels", "--to", str(tmp_path / "bench")]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert len([line for line in said.splitlines() if line.strip()]) == 1
    assert not (tmp_path / "bench").exists()


def test_it_writes_what_it_says(plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["defend", plan, "--try", "labels", "--no-naive", "--workers", "1", "--to", "bench"]) == 0
    said = capsys.readouterr().out
    assert "report.html" in said
    assert read_document(tmp_path / "bench", DefenceReport).results[1].label == "labels"
    for name in ("report.html", "report.md", "audits/labels/report.html"):
        assert (tmp_path / "bench" / name).is_file()


def test_a_bench_of_nothing_is_no_success(plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["defend", plan, "--try", "dropout:0.5", "--no-naive", "--workers", "1", "--to", "bench"]
    assert run(arguments) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "could be audited" in said
    assert "95% confidence" not in said


def test_a_bench_is_rendered_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_document(sample_defence(), tmp_path / "defence.json")
    assert run(["report", str(tmp_path)]) == 0
    assert "What each buys" in capsys.readouterr().out
    assert run(["report", str(tmp_path / "defence.json"), "--to", str(tmp_path / "again.md")]) == 0
    assert "# Label only" in (tmp_path / "again.md").read_text()
