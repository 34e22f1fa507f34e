"""`gnomon diff`: two finished runs compared."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gnomon.report import print_terminal, write_report
from gnomon.runs.compare import compare
from gnomon.runs.folder import read_outcome


def diff(first: Path, second: Path, /, *, to: Path | None = None, fail_if_worse: bool = False) -> int:
    """Compares two runs: does the second leak more (worse), less (better), or is the difference within noise?

    Args:
        first: folder of a run, or its record.json.
        second: the run to compare with it.
        to: file to write; its suffix chooses the format (.html, .md, .json, .txt). Default: the terminal.
        fail_if_worse: exit with code 1 if an attack finds significantly more in the second run, or if the runs can't be
            compared.
    """
    comparison = compare(read_outcome(first), read_outcome(second))
    if to is None:
        print_terminal(comparison, Console())
    else:
        write_report(comparison, to)
    return 1 if fail_if_worse and comparison.change in ("worse", "mixed", "not comparable") else 0
