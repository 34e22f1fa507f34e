"""Where a model lies that a plan names: a path, or the folder to which MLflow brings what an address names."""

from __future__ import annotations

from pathlib import Path

from gnomon.core.errors import UsageError, import_extra, one_line
from gnomon.core.model_formats import is_address, names_server


def located(name: str) -> Path:
    """The path of a model.

    Args:
        name: a path, or an address such as ``models:/risk/3`` or ``runs:/0123abcd/model``.

    Raises:
        UsageError: MLflow has no such model, or the address names a server.
        MissingExtraError: MLflow is not installed.

    >>> located("models/risk.skops").name
    'risk.skops'
    """
    if not is_address(name):
        return Path(name)
    if names_server(name):
        raise UsageError(f"{name}: names a server; only MLFLOW_TRACKING_URI may, and the address begins with one slash")
    artifacts = import_extra("mlflow.artifacts", "mlflow", "a model at an MLflow address")
    try:
        return Path(artifacts.download_artifacts(artifact_uri=name))
    except Exception as error:  # MLflow's own, and those of its stores
        raise UsageError(
            f"{name}: MLflow brings no such model ({one_line(error)[:200]}); MLFLOW_TRACKING_URI names the server"
        ) from error
