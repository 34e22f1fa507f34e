"""A run's folder is one thing: what was left by other runs goes, and what does not belong together is named."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.auditing.test_outcome import RISK
from tests.report.sample_records import with_people
from tests.runs.saved import save_outcome
from tests.runs.test_compare import outcome

from gnomon.auditing.outcome import CanaryTable, Outcome, RiskTable
from gnomon.cli.app import run
from gnomon.core.documents.read_write import write_record
from gnomon.core.errors import DataError
from gnomon.core.generations import claim, read_published
from gnomon.runs.folder import RISK_TEXTS, read_outcome, write_outcome

FACTS = with_people().risk
assert FACTS is not None


def with_tables() -> Outcome:
    half = np.full(2, 0.5)
    risk = RiskTable(["a", "b"], ["0", "1"], None, half > 0, half, half, half, half, half, np.ones(2, dtype=np.int64))
    canaries = CanaryTable(["a", "b"], ["0", "1"], np.array([True, False]), np.array([0.5, -0.5]))
    return replace(outcome(1.0, 0), risk=risk, canaries=canaries, exposure=np.ones(600))


def test_an_outcome_is_read_back_as_it_was(tmp_path: Path) -> None:
    made = with_tables()
    save_outcome(made, tmp_path)
    found = read_outcome(tmp_path)
    assert found.record == made.record
    assert found.ids == made.ids
    assert found.member == made.member
    np.testing.assert_array_equal(found.scores["loss"], made.scores["loss"])
    np.testing.assert_array_equal(found.exposure, made.exposure)
    assert read_outcome(tmp_path / "record.json").record == made.record
    assert found.risk is not None
    assert read_outcome(tmp_path, risk=False).risk is None


def test_the_record_of_a_run_names_the_files_next_to_it_and_no_others(tmp_path: Path) -> None:
    facts = FACTS.model_copy(update={"file": None})
    made = with_tables()
    made = replace(made, record=made.record.model_copy(update={"risk": facts}))
    save_outcome(made, tmp_path / "all")
    save_outcome(replace(made, risk=None), tmp_path / "bare")
    for name, file in (("all", "risk.csv"), ("bare", None)):
        risk = read_outcome(tmp_path / name).record.risk
        assert risk is not None
        assert risk.file == file


def test_nothing_of_an_older_run_stays(tmp_path: Path) -> None:
    save_outcome(with_tables(), tmp_path)
    there = {path.name for path in tmp_path.rglob("*")}
    assert {"risk.csv", "canaries.csv", "exposure.npy", "loss.npy"} <= there
    save_outcome(outcome(1.0, 0, name="gap"), tmp_path)
    left = {path.name for path in tmp_path.rglob("*") if path.name != ".lock"}
    assert left == {"record.json", "manifest.json", "scores", "gap.npy", "ids.npy", "member.npy"}


@pytest.mark.parametrize("file", ["loss.npy", "ids.npy", "member.npy", "exposure.npy"])
@pytest.mark.parametrize("damage", ["flip", "zero", "swap", "delete"])
def test_damaged_scores_are_named_by_every_reader(
    file: str, damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        save_outcome(with_tables(), tmp_path / name)
    place = tmp_path / "one" / "scores" / file
    content = bytearray(place.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
    if damage == "zero":
        content[128:] = bytes(len(content) - 128)
    if damage == "swap":
        content = bytearray((place.parent / ("ids.npy" if file != "ids.npy" else "loss.npy")).read_bytes())
    place.write_bytes(content)
    if damage == "delete":
        place.unlink()
    for command in (["report", "one"], ["gate", "one"], ["diff", "one", "two"], ["diff", "two", "one"]):
        paths = [str(tmp_path / word) if word in ("one", "two") else word for word in command]
        assert run(paths) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert f"scores/{file}: is " in lines[0]


def test_a_record_of_another_run_is_foreign(tmp_path: Path) -> None:
    save_outcome(outcome(1.0, 0), tmp_path / "one")
    save_outcome(outcome(0.0, 1), tmp_path / "two")
    shutil.copy(tmp_path / "one" / "record.json", tmp_path / "two" / "record.json")
    with pytest.raises(DataError, match=r"record.json: is damaged, or not of the run"):
        read_outcome(tmp_path / "two")


def test_scores_without_a_manifest_are_nobodys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_outcome(outcome(1.0, 0), tmp_path)
    (tmp_path / "manifest.json").unlink()
    for command in ("report", "gate"):
        assert run([command, str(tmp_path)]) == 2
        assert "holds scores but no manifest" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(DataError, match="holds scores but no manifest"):
        read_outcome(tmp_path)


def test_a_record_alone_has_no_scores(tmp_path: Path) -> None:
    write_record(outcome(1.0, 0).record, tmp_path / "record.json")
    assert read_outcome(tmp_path).scores == {}
    assert read_outcome(tmp_path / "record.json").ids == []


def test_scores_that_the_manifest_does_not_name_are_foreign(tmp_path: Path) -> None:
    made = outcome(1.0, 0)
    with claim(tmp_path, "audit") as claimed, claimed.publish() as place:
        write_record(made.record, place / "record.json")
    (tmp_path / "scores").mkdir()
    np.save(tmp_path / "scores" / "loss.npy", np.zeros(600))
    with pytest.raises(DataError, match=r"record.json: names scores/loss.npy, which is not of this run"):
        read_outcome(tmp_path)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("command", ["report", "gate", "diff"])
def test_a_number_that_is_none_is_named(
    word: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads(outcome(1.0, 0).record.model_dump_json())
    record["attacks"][0]["auc"]["low"] = "HERE"
    (tmp_path / "record.json").write_text(json.dumps(record).replace('"HERE"', word))
    assert run([command, *([str(tmp_path)] * (2 if command == "diff" else 1))]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "attacks.0.auc.low: expected a finite number" in lines[0]


def test_a_second_audit_of_a_folder_is_refused_while_the_first_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.toml").write_text('[data]\nsource = "digits"\n[attacks]\nnames = ["gap"]\n[shadow]\ncount = 0\n')
    with claim(tmp_path / "run", "audit"):
        assert run(["audit", str(tmp_path / "plan.toml"), "--to", str(tmp_path / "run")]) == 2
    assert "is writing here; wait until it has ended" in " ".join(capsys.readouterr().err.split())
    assert read_published(tmp_path / "run") is None


def test_texts_that_a_csv_file_can_t_hold_are_read_back_all_the_same(tmp_path: Path) -> None:
    odd = ["a\x1b[2J", "'=1", "b\nc"]
    table = replace(RISK, ids=odd, groups=["\u202eg", "\0", " x "], labels=["\x9b", "no", "yes"])
    save_outcome(replace(outcome(0.3, 0), risk=table), tmp_path / "run")
    found = read_outcome(tmp_path / "run").risk
    assert found is not None
    assert found.columns() == table.columns()
    assert "\x1b" not in (tmp_path / "run" / "risk.csv").read_text()
    plain = replace(RISK, ids=["@a", "b", "c"])
    save_outcome(replace(outcome(0.3, 0), risk=plain), tmp_path / "run")
    assert not (tmp_path / "run" / RISK_TEXTS).exists()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("risk.csv", b"id\n1\n"),
        ("risk.csv", b"\xff"),
        ("risk.csv", b'id,class,member,score\n"a,b\n'),
        (RISK_TEXTS, b"[]"),
        (RISK_TEXTS, b"{"),
        (RISK_TEXTS, b'{"id": [], "class": []}'),
        (RISK_TEXTS, b'{"id": ["a"], "class": ["a"]}'),
    ],
)
def test_a_forged_table_is_one_line(file: str, content: bytes, tmp_path: Path) -> None:
    with claim(tmp_path / "run", "audit") as claimed, claimed.publish() as place:
        write_outcome(replace(outcome(0.3, 0), risk=RISK), place)
        (place / file).write_bytes(content)
    with pytest.raises(DataError, match=r"risk\.csv: is not as gnomon writes it .*; run the audit again"):
        read_outcome(tmp_path / "run")


def test_risk_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    table = replace(RISK, groups=["p", "=q", "-5"], ids=["@a", "b", "c"], labels=['a "b", c', "no", "yes"])
    save_outcome(replace(outcome(0.3, 0), risk=table), tmp_path / "run")
    found = read_outcome(tmp_path / "run").risk
    assert found is not None
    assert found.columns() == table.columns()
    assert found.member.dtype == bool
