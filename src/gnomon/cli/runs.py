"""A run's folder as the command line leaves it: the outcome, and its report beside it."""

from __future__ import annotations

from pathlib import Path

from gnomon.auditing.folder import save_outcome
from gnomon.auditing.run import Outcome
from gnomon.report import write_report


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Writes scores, ids, truth, record and report."""
    save_outcome(outcome, folder)
    write_report(outcome.record, folder / "report.html")
