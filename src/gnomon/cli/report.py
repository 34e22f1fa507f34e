"""`gnomon report`: a document of a folder, rendered again."""

from __future__ import annotations

from pathlib import Path

from gnomon.cli.printing import show
from gnomon.core.documents.read_write import read_any
from gnomon.report import write_report


def report(run: Path, /, *, to: Path | None = None, json: bool = False) -> int:
    """Renders the record of a run, of a comparison of mitigations, a study or a reproduction again.

    Args:
        run: its folder, or its record.json, defence.json, study.json or reproduction.json.
        to: file to write; its suffix chooses the format (.html, .md, .json, .txt). Default: the terminal.
        json: print the document as JSON.
    """
    document = read_any(run)
    if to is not None:
        write_report(document, to)
    return show(document, json=json) if to is None or json else 0
