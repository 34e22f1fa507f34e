"""`gnomon report`: a document of a folder, rendered again."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gnomon.core.documents.read_write import read_any
from gnomon.report import print_terminal, write_report


def report(run: Path, /, *, to: Path | None = None) -> int:
    """Renders the record of a run, of a comparison of mitigations, a study or a reproduction again.

    Args:
        run: its folder, or its record.json, defence.json, study.json or reproduction.json.
        to: file to write; its suffix chooses the format (.html, .md, .json, .txt). Default: the terminal.
    """
    document = read_any(run)
    if to is None:
        print_terminal(document, Console())
    else:
        write_report(document, to)
    return 0
