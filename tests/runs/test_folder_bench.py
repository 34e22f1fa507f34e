"""Advice carries a bench's numbers where the bench is of the same plan and rows."""

from pathlib import Path

import pytest
from tests.report.sample_defences import sample_defence
from tests.report.sample_records import leaking

from gnomon.auditing.decision.decide import with_decision
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.read_write import write_document
from gnomon.core.documents.record import Record
from gnomon.report import render
from gnomon.runs.folder import add_bench, with_bench


def pair() -> tuple[Record, DefenceReport]:
    record, bench = with_decision(leaking(), None, ["l2:1e-2", "dropout:0.5"]), sample_defence()
    prints = {"data": "d", "members": "m", "nonmembers": "n"}
    same = record.provenance.model_copy(update={"fingerprints": prints})
    theirs = bench.provenance.model_copy(update={"fingerprints": prints})
    return record.model_copy(update={"provenance": same}), bench.model_copy(
        update={"plan": record.plan, "provenance": theirs}
    )


def test_a_bench_of_the_same_plan_says_by_how_much(tmp_path: Path) -> None:
    record, bench = pair()
    (tmp_path / "run-defend").mkdir()
    (tmp_path / "run").mkdir()
    write_document(bench, tmp_path / "run-defend" / "defence.json")
    found = with_bench(record, tmp_path / "run")
    assert found.decision is not None
    measured = {one.label for todo in found.decision.to_do for one in todo.measured}
    assert measured
    assert measured <= {row.label for row in bench.results[1:]}
    text = render(found, "md")
    assert "leaks significantly less" in text
    assert with_bench(record, tmp_path / "other") == record


@pytest.mark.parametrize("given", [".", "./", "../run", "../run/", "inner/..", "record.json", "./record.json"])
def test_however_the_run_is_named(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, bench = pair()
    (tmp_path / "run-defend").mkdir()
    (tmp_path / "run" / "inner").mkdir(parents=True)
    (tmp_path / "run" / "record.json").touch()
    write_document(bench, tmp_path / "run-defend" / "defence.json")
    monkeypatch.chdir(tmp_path / "run")
    assert with_bench(record, Path(given)) == with_bench(record, tmp_path / "run") != record


def test_a_bench_of_another_plan_or_of_other_rows_is_no_evidence() -> None:
    record, bench = pair()
    assert add_bench(record, bench.model_copy(update={"plan": {**bench.plan, "seed": 7}})) == record
    other = bench.provenance.model_copy(update={"fingerprints": {"data": "other"}})
    assert add_bench(record, bench.model_copy(update={"provenance": other})) == record
