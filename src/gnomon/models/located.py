"""Where a model lies that a plan names: a path, or the folder to which MLflow brings what an address names."""

from __future__ import annotations

from pathlib import Path

from gnomon.core.errors import UsageError, import_extra, one_line
from gnomon.core.model_formats import is_address


def located(name: str) -> Path:
    """The path of a model.

    Args:
        name: a path, or an address such as ``models:/risk/3`` or ``runs:/0123abcd/model``.

    Raises:
        UsageError: MLflow has no such model.
        MissingExtraError: MLflow is not installed.

    >>> located("models/risk.skops").name
    'risk.skops'
    """
    if not is_address(name):
        return Path(name)
    artifacts = import_extra("mlflow.artifacts", "mlflow", "a model at an MLflow address")
    try:
        return Path(artifacts.download_artifacts(artifact_uri=name))
    except Exception as error:  # MLflow's own, and those of its stores
        raise UsageError(
            f"{name}: MLflow brings no such model ({one_line(error)[:200]}); MLFLOW_TRACKING_URI names the server"
        ) from error
