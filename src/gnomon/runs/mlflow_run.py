"""An audit logged to a run of MLflow's: values as metrics, record and report as artifacts, the verdict as a tag."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from gnomon.core.documents.read_write import write_record
from gnomon.core.documents.record import Audited, Record, record_of
from gnomon.core.errors import UsageError, expect, import_extra, one_line
from gnomon.core.system import write_text
from gnomon.report import render, write_report

FOLDER, TAG = "gnomon", "gnomon.verdict"


def log_to_mlflow(outcome: Record | Audited, run_id: str) -> None:
    """Logs an audit to a run, as a rule the one that trained the model.

    Metrics are called ``gnomon.ATTACK.auc`` and ``gnomon.ATTACK.tpr_at_0.01`` (with ``_low`` and ``_high`` for the
    interval); the artifacts ``record.json``, ``report.html`` and ``card.md`` lie in ``gnomon/``; the tags
    ``gnomon.verdict`` and ``gnomon.headline`` hold what was concluded.

    Args:
        outcome: what `gnomon.audit` returned, or a record.
        run_id: of the run; ``MLFLOW_TRACKING_URI`` names the server.

    Raises:
        UsageError: no record, or MLflow has no such run.
        MissingExtraError: MLflow is not installed.
    """
    record = record_of(outcome)
    expect("run_id", run_id, str, "the id of an MLflow run")
    mlflow = import_extra("mlflow", "mlflow", "an MLflow run")
    try:
        client = mlflow.MlflowClient()
        for name, value in metrics_of(record):
            client.log_metric(run_id, name, value)
        client.set_tag(run_id, TAG, record.verdict.level)
        client.set_tag(run_id, "gnomon.headline", record.verdict.headline)
        with tempfile.TemporaryDirectory() as made:
            write_record(record, Path(made) / "record.json")
            write_report(record, Path(made) / "report.html")
            write_text(Path(made) / "card.md", render(record, "card"))
            client.log_artifacts(run_id, made, FOLDER)
    except Exception as error:  # MLflow's own, and those of its stores
        raise UsageError(
            f"MLflow run {run_id}: can't be logged to ({one_line(error)[:200]}); MLFLOW_TRACKING_URI names the server"
        ) from error


def metrics_of(record: Record) -> Iterator[tuple[str, float]]:
    """Names and values of what an audit measured, each with its interval."""
    for attack in record.attacks:
        found = {"auc": attack.auc} | {f"tpr_at_{p.fpr:g}": p.tpr for p in attack.tpr_at_fpr}
        for name, estimate in found.items():
            if estimate is not None:
                for end, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high)):
                    yield f"gnomon.{attack.name}.{name}{end}", value
