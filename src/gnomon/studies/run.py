"""A study carried out: cell by cell, one store, what is finished is not run again; and as one tidy table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gnomon.auditing.settings import Progress, Settings, Silent
from gnomon.core.documents.schema import Estimate
from gnomon.core.documents.study import CellAttack, Study, StudyCell
from gnomon.studies.cells import CellRun, run_cell
from gnomon.studies.spec import StudySpec, lay_out
from gnomon.studies.summary import summarise


def run_study(
    spec: StudySpec,
    folder: Path,
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
    told: Callable[[CellRun], None] | None = None,
    command: str = "",
) -> Study:
    """Carries out a study; records and models' answers are kept, so that a killed run goes on.

    Args:
        spec: what to do.
        folder: of the study: ``cells/`` holds a record each, ``store/`` the models' answers.
        settings: how to run.
        progress: who is told how far it is.
        told: called with every cell that is done.
        command: that the study was asked for with, for the document.

    Returns:
        The study; cells that could not be carried out are in it, with the reason.

    Raises:
        GnomonError: a plan or a value that can't be; nothing has run then.
    """
    settings, progress, start = settings or Settings(), progress or Silent(), time.perf_counter()
    cells = lay_out(spec, settings)
    advance = progress.stage("cells", len(cells))
    runs = []
    for cell in cells:
        run = run_cell(cell, folder / "cells", settings, progress)
        runs.append(run)
        advance(1)
        if told is not None:
            told(run)
    return summarise(spec, runs, folder, time.perf_counter() - start, command)


ATTACK_FIGURES = ("precision", "recall", "accuracy", "auc", "tpr_1", "tpr_01")
TARGET_FIGURES = ("train_size", "train_accuracy", "test_accuracy", "gap")


def study_columns(study: Study) -> dict[str, list[Any]]:
    """The table of a study, column by column; a cell that failed has one row, with the reason and no attack."""
    numbers = {a.key: dict(zip(a.labels, map(_plain, a.numbers), strict=True)) for a in study.axes if a.numbers}
    rows = []
    for cell in study.cells:
        attacks: list[CellAttack | None] = [*cell.attacks] if cell.attacks else [None]
        rows += [_row(study, cell, attack, numbers) for attack in attacks]
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _plain(number: float) -> float:
    return int(number) if number.is_integer() else number


def _row(
    study: Study, cell: StudyCell, attack: CellAttack | None, numbers: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for axis in study.axes:
        label = cell.labels.get(axis.key)
        row[axis.key] = numbers.get(axis.key, {}).get(label or "", label)
    row |= {"seed": cell.seed, "attack": None if attack is None else attack.name}
    row |= {"status": cell.status if attack is None else attack.status}
    row |= {"reason": cell.reason if attack is None else attack.reason}
    row |= {name: getattr(cell, name) for name in TARGET_FIGURES}
    for name in ATTACK_FIGURES:
        estimate: Estimate | None = None if attack is None else getattr(attack, name)
        row[name] = None if estimate is None else estimate.value
        row[f"{name}_low"] = None if estimate is None else estimate.low
        row[f"{name}_high"] = None if estimate is None else estimate.high
    row |= {"threshold_by": None if attack is None else attack.calibrated}
    return row | {"seconds": cell.seconds, "run": cell.run}
