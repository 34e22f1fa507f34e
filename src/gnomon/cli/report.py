"""`gnomon report`: a document of a folder, rendered again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gnomon.cli.printing import show
from gnomon.core.documents.read_write import read_any
from gnomon.core.errors import UsageError
from gnomon.report import render, write_report

ReportFormat = Literal["terminal", "json", "md", "html", "card"]


def report(run: Path, /, *, to: Path | None = None, format: ReportFormat | None = None, json: bool = False) -> int:
    """Renders the record of a run, of a comparison of mitigations, a study or a reproduction again.

    Args:
        run: its folder, or its record.json, defence.json, study.json or reproduction.json.
        to: file to write; its suffix chooses the format (.html, .md, .json, .txt). Default: the terminal.
        format: what is printed: terminal, json, md, html, or card (a section of a model card).
        json: print the document as JSON.
    """
    if json and format not in (None, "json"):
        raise UsageError(f"--json and --format {format}: give one of them")
    document = read_any(run)
    if to is not None:
        write_report(document, to)
    if format not in (None, "terminal"):
        print(render(document, format), end="")
        return 0
    return show(document, json=json) if to is None or json or format else 0
