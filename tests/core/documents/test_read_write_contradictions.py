"""Documents that contradict themselves, their scores or their audits are refused, whatever their manifest says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.report import sample_documents
from tests.runs.saved import save_outcome
from tests.runs.test_compare import outcome

from gnomon.cli.app import run
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.read_write import unlike_audits
from gnomon.core.documents.study import CellAttack, Study
from gnomon.core.generations import MANIFEST, seal

Edit = Callable[[dict[str, Any]], object]


def loss(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["attacks"][0]
    return found


@pytest.fixture
def forged(tmp_path: Path) -> Callable[[Edit | None, dict[str, Any]], Path]:
    """A run whose record and arrays were changed, under a manifest that fits them."""

    def make(edit: Edit | None, arrays: dict[str, Any]) -> Path:
        folder = tmp_path / "run"
        save_outcome(outcome(1.0, 0), folder)
        for name, values in arrays.items():
            np.save(folder / "scores" / name, values)
        record = json.loads((folder / "record.json").read_text())
        if edit is not None:
            edit(record)
        (folder / "record.json").write_text(json.dumps(record))
        (folder / ".lock").unlink(missing_ok=True)
        (folder / MANIFEST).unlink()
        seal(folder, "audit")
        return folder

    return make


MEMBER = np.arange(600) < 300


@pytest.mark.parametrize(
    ("edit", "arrays", "words"),
    [
        (lambda r: loss(r)["auc"].update(value=0.5, low=0.4, high=0.6), {}, "has an AUC of 0.5, its scores give 0.7"),
        (lambda r: loss(r)["auc"].update(low=0.9, high=0.1), {}, "an interval from 0.9 to 0.1"),
        (lambda r: loss(r)["auc"].update(value=7, high=9), {}, "an AUC of 7"),
        (lambda r: r["data"].update(members=3000), {}, "says 3000 members and 300 non-members, next to it lie"),
        (lambda r: loss(r).update(scores_file="../loss.npy"), {}, "names ../loss.npy, which is not of this run"),
        (None, {"member.npy": ~MEMBER}, "its scores give 0.2"),
        (None, {"member.npy": MEMBER[:599]}, "next to it lie scores of 300 and 299"),
        (None, {"loss.npy": np.zeros(600)}, "its scores give 0.5"),
        (None, {"loss.npy": np.zeros((600, 2))}, "its scores give nan"),
        (None, {"loss.npy": np.full(600, np.nan)}, "its scores give"),
    ],
)
def test_every_reader_refuses_a_record_that_its_scores_contradict(
    edit: Edit | None,
    arrays: dict[str, Any],
    words: str,
    forged: Callable[[Edit | None, dict[str, Any]], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = forged(edit, arrays)
    save_outcome(outcome(1.0, 1), tmp_path / "other")
    for command in (["report"], ["gate"], ["diff", str(tmp_path / "other")]):
        assert run([*command, str(folder)]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert len(said.splitlines()) == 1
    assert run(["verify", str(folder)]) == 1
    assert words in capsys.readouterr().out


def test_a_run_as_it_was_made_is_read(
    forged: Callable[[Edit | None, dict[str, Any]], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(forged(None, {}))
    assert run(["verify", folder]) == 0
    assert run(["report", folder]) == 0
    capsys.readouterr()
    assert run(["verify", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["contradiction"] is None


DOCUMENTS: dict[str, Any] = {
    type(document).__name__: document
    for document in (make() for make in sample_documents.ALL.values())
    if isinstance(document, (Study, DefenceReport))
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_study_and_a_comparison_say_what_their_audits_say(document: Any) -> None:
    record = outcome(1.0, 0).record
    [attack] = record.attacks
    assert attack.auc is not None
    if isinstance(document, Study):
        cell, part = document.cells[0], CellAttack(name="loss", title="Loss", status="ok", auc=attack.auc)
        one = document.model_copy(update={"cells": [cell.model_copy(update={"run": "cells/a", "attacks": [part]})]})
    else:
        row = next(one for one in document.results if one.attacks)
        leak = row.attacks[0].model_copy(update={"attack": "loss", "auc": attack.auc})
        one = document.model_copy(
            update={"results": [row.model_copy(update={"folder": "audits/a", "attacks": [leak]})]}
        )
    asked: list[str] = []
    assert unlike_audits(one, lambda name: asked.append(name) or record) is None  # type: ignore[func-returns-value]
    assert len(asked) == 1
    assert unlike_audits(one, lambda _: None) is None  # the audits may have been removed
    other = unlike_audits(one, lambda _: outcome(1.0, 1).record)
    assert other is not None
    assert "says that loss has an AUC of" in other
    field = "run" if isinstance(document, Study) else "folder"
    for place in ("../elsewhere", "/elsewhere"):
        (one.cells if isinstance(one, Study) else one.results)[0].__dict__[field] = place
        assert unlike_audits(one, lambda _: record) == f"names an audit elsewhere, {place}"
