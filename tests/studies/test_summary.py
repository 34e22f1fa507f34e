"""What a study says of its cells."""

from dataclasses import replace
from pathlib import Path

from tests.studies.test_study import DEPTHS, plan_values, small

from gnomon.core.documents.record import Record
from gnomon.studies import make_spec
from gnomon.studies.cells import CellRun
from gnomon.studies.summary import summarise
from gnomon.studies.vary import parse_vary


def test_a_strong_attack_is_not_hidden_behind_the_first(tmp_path: Path) -> None:
    _, told = small(tmp_path, parse_vary(DEPTHS))
    spec = make_spec(plan_values(), [parse_vary(DEPTHS)])
    for attack in ("gap", "loss"):
        runs = [replace(run, record=speaking_of(run, attack)) for run in told]
        assert summarise(spec, runs, tmp_path, 1.0).headline == attack
    assert summarise(spec, runs, tmp_path, 1.0, headline="gap").headline == "gap"
    assert summarise(spec, runs, tmp_path, 1.0, headline="shokri").headline == "loss"  # was not run


def speaking_of(run: CellRun, attack: str) -> Record:
    assert run.record is not None
    return run.record.model_copy(update={"verdict": run.record.verdict.model_copy(update={"attack": attack})})
