"""`gnomon diff`: two finished runs compared."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rich.console import Console

from gnomon.core.errors import UsageError
from gnomon.report import print_terminal, render, write_report
from gnomon.report.pipelines import comparison_summary
from gnomon.runs.compare import compare
from gnomon.runs.folder import read_outcome


def diff(
    first: Path,
    second: Path,
    /,
    *,
    to: Path | None = None,
    format: Literal["terminal", "json", "md", "html", "github"] | None = None,
    json: bool = False,
    fail_if_worse: bool = False,
) -> int:
    """Compares two runs: does the second leak more (worse), less (better), or is the difference within noise?

    Args:
        first: folder of a run, or its record.json.
        second: the run to compare with it.
        to: file to write; its suffix chooses the format (.html, .md, .json, .txt). Default: the terminal.
        format: what is printed: terminal, json, md, html, or github (Markdown for a pull request: before, after,
            difference).
        json: print JSON.
        fail_if_worse: exit with code 1 if an attack finds significantly more in the second run, if one that ran in the
            first failed or lacked evidence in the second, or if the runs can't be compared.
    """
    if json and format not in (None, "json"):
        raise UsageError(f"--json and --format {format}: give one of them")
    kind = "json" if json else format
    comparison = compare(read_outcome(first, risk=False), read_outcome(second, risk=False))
    if to is not None:
        write_report(comparison, to)
    if kind == "github":
        print(comparison_summary(comparison), end="")
    elif kind is not None and kind != "terminal":
        print(render(comparison, kind), end="")
    elif to is None or kind == "terminal":
        print_terminal(comparison, Console())
    worse = comparison.change in ("worse", "mixed", "not comparable") or bool(comparison.lost)
    return 1 if fail_if_worse and worse else 0
