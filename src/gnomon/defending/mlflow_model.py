"""A mitigated model as MLflow's ``python_function``, which MLflow, MLServer, KServe and SageMaker serve as it is.

The model's folder holds the folder of `gnomon.defending.apply`, gnomon's own source (it is on no package index), the
requirements at the versions that were audited, and the audit. MLflow imports this module by its name and calls
`_load_pyfunc`; nothing in the folder is a pickle.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import gnomon
from gnomon.auditing.settings import Progress, Settings
from gnomon.core.arrays import Rows, is_frame
from gnomon.core.documents.read_write import write_record
from gnomon.core.errors import UsageError, import_extra, requirements_of
from gnomon.core.model_formats import format_of
from gnomon.core.plan import Plan
from gnomon.core.protocols import Model
from gnomon.core.system import cannot_write, write_text
from gnomon.defending.apply import Service, apply_mitigation, load_service, read_service
from gnomon.defending.combinations import Combination
from gnomon.defending.run import bench_audit
from gnomon.report import render, write_report

SERVICE, AUDIT, CARD = "service", "audit", "README.md"  # folders of the model's, and its card


@dataclass(frozen=True)
class ServedModel:
    """What MLflow calls: rows as a service gets them, probabilities by class.

    Attributes:
        model: behind its mitigations.
        service: its description.
    """

    model: Model
    service: Service

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # noqa: ARG002 - MLflow's
        """Probabilities as a data frame (n, c), one column a class, by its name.

        Args:
            model_input: n rows: a data frame or an array.
            params: none are known.
        """
        import pandas as pd

        rows: Rows = model_input
        if self.service.row_shape is not None:
            rows = np.asarray(model_input).reshape(len(model_input), *self.service.row_shape)
        elif not is_frame(rows):
            rows = pd.DataFrame(rows)
        return pd.DataFrame(np.exp(self.model.log_probs(rows)), columns=list(self.service.classes))


def _load_pyfunc(path: str) -> ServedModel:
    """MLflow's entry point: the model in a folder that `write_mlflow_model` wrote.

    MLflow has run the folder's code by then: whoever has it load a model trusts it.
    """
    folder = Path(path)
    return ServedModel(load_service(folder, trust=True), read_service(folder))


def write_mlflow_model(
    plan: Plan,
    combination: Combination,
    bench: Path,
    folder: Path,
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
) -> Service:
    """Puts a mitigation on a plan's model and writes the result with its audit as a model of MLflow's.

    Args:
        plan: whose target it is.
        combination: the mitigation.
        bench: folder of the report that ``gnomon defend`` wrote. An audit of the mitigation that is not there is
            carried out.
        folder: to write; it must not exist yet.
        settings: how to run.
        progress: who is told.

    Raises:
        UsageError: the folder exists, or the model can't be written to a file.
        MissingExtraError: MLflow is not installed.
        GnomonError: bad input, in one line; nothing is left behind.
    """
    settings = settings or Settings()
    if folder.exists():
        raise UsageError(f"{folder}: exists already; name a folder that does not, or remove this one")
    pyfunc = import_extra("mlflow.pyfunc", "mlflow", "--as mlflow")
    record = bench_audit(plan, combination, bench, settings, progress=progress).record
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as made:
        inner, whole = Path(made) / SERVICE, Path(made) / "model"
        service = apply_mitigation(plan, combination, inner, settings, progress=progress)
        if service.network is not None and ":" in service.network.module:
            raise UsageError(
                f"--as mlflow: the network is code of your own ({service.network.module}), which the model's folder "
                "would not hold; write it with --as folder, or serve it as ONNX"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # MLflow's advice to whoever calls it
                pyfunc.save_model(
                    str(whole),
                    loader_module=__name__,
                    data_path=str(inner),
                    code_paths=[str(Path(gnomon.__file__).parent)],
                    signature=_signature(service),
                    pip_requirements=pinned(service),
                    metadata={
                        "gnomon": {
                            "verdict": record.verdict.level,
                            "headline": record.verdict.headline,
                            "mitigations": [m.label for m in service.mitigations],
                        }
                    },
                )
            (whole / AUDIT).mkdir()
            write_record(record, whole / AUDIT / "record.json")
            write_report(record, whole / AUDIT / "report.html")
            write_text(whole / CARD, render(record, "card"))
            whole.rename(folder)
        except OSError as error:
            raise cannot_write(folder, error) from None
    return service


def pinned(service: Service) -> list[str]:
    """What the model needs, at the versions that are installed here.

    Raises:
        UsageError: gnomon runs from its source, and nothing says what it needs.
    """
    try:
        own = [line for line in metadata.requires("gnomon") or [] if ";" not in line]
    except metadata.PackageNotFoundError:
        raise UsageError(
            "--as mlflow pins what gnomon needs, but gnomon itself is not installed: pip install ."
        ) from None
    found = format_of(service.model)
    lines = [*own, "pandas", *([] if found is None or found.extra is None else requirements_of(found.extra))]
    versions: dict[str, str] = {}
    for name in (re.split(r"[^\w.-]", line)[0] for line in lines):
        with suppress(metadata.PackageNotFoundError):  # one of an extra that this model does not need
            versions[name] = metadata.version(name).partition("+")[0]
    return [f"{name}=={version}" for name, version in sorted(versions.items())]


def _signature(service: Service) -> Any:
    """Rows that the model takes and answers that it gives, in MLflow's words."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    kinds = {"integer": "long", "real": "double", "boolean": "boolean", "date": "datetime", "text": "string"}
    rows = [ColSpec(kinds[held], name) for name, held in service.columns.items()]
    if service.row_shape is not None:
        rows = [TensorSpec(np.dtype(service.row_type), (-1, *service.row_shape))]
    return ModelSignature(Schema(rows), Schema([ColSpec("float", name) for name in service.classes]))
