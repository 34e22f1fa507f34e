"""A study carried out: cell by cell, one store, what is finished is not run again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from gnomon.auditing.progress import Progress, Silent
from gnomon.auditing.settings import Settings
from gnomon.core.documents.study import Study
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
