"""Every command that prints a result prints it as JSON too: the document itself, and nothing else."""

import inspect
import json
import re
import shutil
from importlib import import_module
from pathlib import Path

import pytest
from tests.report.sample_defences import sample_defence
from tests.report.sample_records import leaking

from gnomon.cli import defend
from gnomon.cli.app import COMMANDS, run
from gnomon.core.documents.read_write import FILES, write_document
from gnomon.core.documents.record import Record


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_flag(name: str) -> None:
    function = getattr(import_module(f"gnomon.cli.{name}"), name)
    assert inspect.signature(function).parameters["json"].default is False


@pytest.mark.parametrize("name", COMMANDS)
def test_help_offers_no_flag_that_says_what_holds_anyway(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert "--empty-" not in told and "default: False" not in told
    assert set(re.findall(r"--no-[\w-]+", told)) == ({"--no-naive"} if name == "defend" else set())


@pytest.mark.parametrize("what", ["attacks", "datasets", "mitigations"])
def test_lists_are_lists(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len({row["name"] for row in rows}) == len(rows) > 10


def test_a_report_is_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_document(leaking(), tmp_path / "record.json")
    assert run(["report", str(tmp_path), "--json", "--to", str(tmp_path / "x.json")]) == 0
    assert Record.model_validate_json(capsys.readouterr().out) == leaking()
    assert (tmp_path / "x.json").exists()


PLAN = """
view = "adversary"
[data]
source = "digits"
rows = 400
train_size = 150
[trainer]
kind = "sklearn"
estimator = "sklearn.naive_bayes:GaussianNB"
[shadow]
count = 2
[attacks]
names = ["loss"]
ladder = false
"""


@pytest.mark.parametrize(
    ("words", "document"),
    [
        (["audit", "p.toml", "--to", "a"], "record.json"),
        (["study", "p.toml", "--vary", "shadow.count=2", "--to", "s"], "study.json"),
        (["defend", "p.toml", "--apply", "top3", "--to", "v"], None),
        (["synth", "p.toml", "--to", "rows.npz", "--source", "noisy"], None),
    ],
)
def test_what_is_printed_is_one_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], document: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("p.toml").write_text(PLAN, encoding="utf-8")
    workers = [] if document is None else ["--workers", "1"]
    assert run([*words, *workers, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    if document is None:
        assert printed.get("mitigations") == ["top3"] or printed["rows"] > 0
    else:
        kept = (Path(words[-1]) / document).read_text(encoding="utf-8")
        assert FILES[document].model_validate(printed) == FILES[document].model_validate_json(kept)


def test_completion_scripts_know_commands_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert run(["completion", shell]) == 0
        script = capsys.readouterr().out
        assert all(name in script for name in COMMANDS)
        assert "allow-missing" in script
    if shutil.which("bash"):
        import subprocess

        run(["completion", "bash"])
        done = subprocess.run(["bash", "-n"], input=capsys.readouterr().out, text=True, check=False)
        assert done.returncode == 0
    assert run(["completion", "tcsh"]) == 2


def test_a_bench_is_its_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.toml").write_text(PLAN, encoding="utf-8")
    monkeypatch.setattr(defend, "hold_against", lambda *_, **__: sample_defence())
    assert run(["defend", "p.toml", "--try", "top3", "--to", "d", "--json"]) == 0
    assert FILES["defence.json"].model_validate_json(capsys.readouterr().out) == sample_defence()


def test_defence_documents_are_shown_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = sample_defence()
    write_document(made, tmp_path / "defence.json")
    assert run(["report", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 1
