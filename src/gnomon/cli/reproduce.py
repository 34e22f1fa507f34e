"""`gnomon reproduce`: a paper's experiments, within a budget of time."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from gnomon.auditing.settings import Settings, TerminalProgress
from gnomon.cli.shared import CELLS_FAILED, show
from gnomon.core.documents.read_write import write_document
from gnomon.core.errors import UsageError, one_line
from gnomon.core.generations import claim
from gnomon.engines.ray import ENGINE_WORDS, LOCAL
from gnomon.report import write_report
from gnomon.reproducing import reproduce as run_reproduction

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def reproduce(
    paper: str,
    /,
    *,
    budget: str | None = None,
    stand_ins: bool = False,
    seeds: int = 3,
    to: Path | None = None,
    workers: int | None = None,
    engine: Annotated[str, Parameter(help=ENGINE_WORDS)] = LOCAL,
    json: bool = False,
) -> int:
    """Runs a paper's experiments, the most informative first, and reports its values next to ours.

    It stops when the time is spent and lists what is missing with its cost. Run again, finished audits are taken from
    the folder. Exit code 3: a cell failed.

    Args:
        paper: shokri2017, or a folder with an index.toml of your own.
        budget: time for all audits, such as 60m or 1h30m, including earlier runs in the folder; the audit that
            spends the last of it is carried to its end; default no limit.
        stand_ins: use freely available data, under its own name, where the paper's can't be fetched.
        seeds: number of seeds for each cell; intervals and claims need three.
        to: folder; default studies/PAPER.
        workers: number of processes; default one for each core.
        engine: where models are trained.
        json: print the document as JSON.
    """
    if seeds < 1:
        raise UsageError(f"--seeds: expected 1 or more, got {seeds}")
    seconds = None if budget is None else parse_duration(budget)
    folder = to or Path("studies") / Path(paper).name
    words = ["gnomon", "reproduce", paper]
    words += [] if budget is None else ["--budget", budget]
    words += (["--stand-ins"] if stand_ins else []) + (["--seeds", str(seeds)] if seeds != 3 else [])
    console = Console(stderr=True, highlight=False, emoji=False)
    with claim(folder, "reproduction") as claimed:
        with TerminalProgress(reuse=True) as progress:
            made = run_reproduction(
                paper,
                folder,
                Settings(workers=workers, engine=engine),
                budget=seconds,
                repeats=seeds,
                stand_ins=stand_ins,
                progress=progress,
                told=lambda line: console.print(one_line(line), markup=False, soft_wrap=True),
                command=shlex.join(words),
            )
        with claimed.publish() as place:
            write_document(made, place / "reproduction.json")
            write_report(made, place / "report.html")
            write_report(made, place / "README.md")
    show(made, json=json, files={"report": folder / "report.html", "Markdown": folder / "README.md"})
    return CELLS_FAILED if made.failed else 0


def parse_duration(text: str) -> float:
    """Seconds from "60m", "1h30m", "90s", "45".

    Raises:
        UsageError: no duration.

    >>> parse_duration("1h30m"), parse_duration("45"), parse_duration("2.5m")
    (5400.0, 45.0, 150.0)
    """
    parts = re.findall(r"([\d.]+)\s*([smh]?)", text.strip())
    whole = re.fullmatch(r"(\s*\d+(\.\d+)?\s*[smh])+\s*|\s*\d+(\.\d+)?\s*", text)
    if not whole:
        raise UsageError(f'--budget: expected a time such as 60m, 1h30m or 90s, got "{text}"')
    seconds = sum(float(number) * SECONDS[unit or "s"] for number, unit in parts)
    if seconds <= 0:
        raise UsageError(f'--budget: expected more than no time, got "{text}"')
    return seconds
