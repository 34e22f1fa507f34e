"""`gnomon study`: many audits of one plan with some keys varied."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from gnomon.auditing.settings import TerminalProgress
from gnomon.cli.shared import CELLS_FAILED, Running, own_modules_first, show
from gnomon.core.documents.read_write import write_document
from gnomon.core.documents.study import Study
from gnomon.core.errors import one_line
from gnomon.core.generations import claim
from gnomon.report import write_report
from gnomon.runs.folder import write_columns
from gnomon.studies import read_spec, run_study, study_columns
from gnomon.studies.cells import CellRun
from gnomon.studies.vary import parse_vary

FILES = {"report": "html", "table": "csv", "study": "json"}  # what is called how, and its suffix


def study(
    plan: Path,
    /,
    *,
    vary: Annotated[tuple[str, ...], Parameter(name="--vary")] = (),
    repeats: int | None = None,
    to: Path | None = None,
    running: Running = Running(),  # noqa: B008 - frozen
    json: bool = False,
) -> int:
    """Audits every combination of the given values with several seeds, and reports them together.

    Finished audits are reused, so the same command resumes a study that was stopped. Exit code 3: a cell failed.

    Args:
        plan: plan file (TOML), perhaps with a table [study]; see docs/studies.md.
        vary: KEY=VALUE,VALUE of any key of the plan, e.g. trainer.epochs=5,20,80 or trainer=@nn.toml,@forest.toml;
            repeatable: every combination is audited.
        repeats: number of seeds for each combination, counted up from the plan's; three or more give intervals.
        to: folder of the study; default studies/NAME.
        running: where to run, and what to trust.
        json: print the document as JSON.
    """
    own_modules_first(running)
    spec = read_spec(plan, [parse_vary(text) for text in vary], repeats=repeats)
    folder = to or Path("studies") / spec.name
    command = _command(plan, vary, repeats, to)
    with claim(folder, "study") as claimed:
        with TerminalProgress(reuse=True) as progress:
            made = run_study(
                spec,
                folder,
                running.settings,
                progress=progress,
                told=telling(),
                command=command,
            )
        with claimed.publish() as place:
            save_study(made, place)
    show(made, json=json, files={name: folder / f"study.{end}" for name, end in FILES.items()})
    return CELLS_FAILED if made.failed else 0


def telling() -> Callable[[CellRun], None]:
    """Prints one line on standard error for each cell that could not run, or had to run again."""
    console = Console(stderr=True, highlight=False, emoji=False)

    def tell(run: CellRun) -> None:
        if run.reason is not None:
            console.print(f"{run.cell.title}: {one_line(run.reason)}", style="red", markup=False, soft_wrap=True)

    return tell


def save_study(made: Study, folder: Path) -> None:
    """Writes the document, the table (csv, parquet) and the report (HTML, Markdown with its pictures)."""
    write_document(made, folder / "study.json")
    write_columns(study_columns(made), folder, "study")
    write_report(made, folder / "study.html")
    write_report(made, folder / "study.md")


def _command(plan: Path, vary: tuple[str, ...], repeats: int | None, to: Path | None) -> str:
    words = ["gnomon", "study", str(plan), *(word for text in vary for word in ("--vary", text))]
    words += [] if repeats is None else ["--repeats", str(repeats)]
    words += [] if to is None else ["--to", str(to)]
    return shlex.join(words)
