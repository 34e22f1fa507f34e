"""`gnomon report`: a document of a folder, rendered again, or the annex of an audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from gnomon.cli.shared import show
from gnomon.core.documents.annex import AnnexKind
from gnomon.core.documents.read_write import read_any
from gnomon.core.documents.record import Record
from gnomon.core.errors import DataError, UsageError
from gnomon.report import render, write_report
from gnomon.report.formats import Document
from gnomon.runs.annex import make_annex
from gnomon.runs.folder import with_bench
from gnomon.runs.mlflow_run import log_to_mlflow

ReportFormat = Literal["terminal", "json", "md", "html", "card"]


def report(
    run: Path,
    /,
    *,
    to: Path | None = None,
    format: ReportFormat | None = None,
    json: bool = False,
    annex: AnnexKind | None = None,
    show_ids: bool = False,
    mlflow_run: str | None = None,
) -> int:
    """Renders the record of a run, of a comparison of mitigations, a study or a reproduction again.

    Args:
        run: its folder, or its record.json, defence.json, study.json or reproduction.json.
        to: file to write; its suffix chooses the format (.html, .pdf, .md, .json, .txt). Default: the terminal.
        format: what is printed: terminal, json, md, html, or card (a section of a model card).
        json: print the document as JSON.
        annex: the annex of an audit instead: edpb (for a data-protection officer) or tre (for the output check of a
            research environment).
        show_ids: name the most exposed record or person in the annex.
        mlflow_run: id of an MLflow run to log the audit to (metrics, report, verdict as a tag).
    """
    if json and format not in (None, "json"):
        raise UsageError(f"--json and --format {format}: give one of them")
    document: Document = read_any(run)
    if isinstance(document, Record):
        document = with_bench(document, run)
    if annex is not None:
        if not isinstance(document, Record):
            raise UsageError(f"--annex: expected the folder of an audit, {run} holds another document")
        document = make_annex(document, annex, show_ids=show_ids)
    elif show_ids:
        raise UsageError("--show-ids belongs to --annex; a report names records anyway")
    if mlflow_run is not None:
        if not isinstance(document, Record):
            raise UsageError(
                f"--mlflow-run: expected the folder of an audit, and neither an annex nor what {run} holds"
            )
        log_to_mlflow(document, mlflow_run)
    with _shown(run):
        if to is not None:
            write_report(document, to)
        if format not in (None, "terminal"):
            print(render(document, format), end="")
            return 0
        return show(document, json=json) if to is None or json or format else 0


@contextmanager
def _shown(run: Path) -> Iterator[None]:
    """A document of anybody's, whose parts may contradict each other though each is as it must be."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"{run}: can't be shown, as its parts contradict each other ({type(error).__name__}: {error}); make it "
            "again, and if it is then the same, report this as a fault of gnomon's"
        ) from error
