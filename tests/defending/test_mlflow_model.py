"""A mitigated model as MLflow's python_function: the answers of the audit, with the audit next to it."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies.worlds import small_plan

from gnomon.auditing.settings import Settings
from gnomon.core.errors import MissingExtraError, UsageError
from gnomon.defending.apply import apply_mitigation, load_service, read_service
from gnomon.defending.combinations import Combination, read_tries
from gnomon.defending.mlflow_model import _load_pyfunc, pinned, write_mlflow_model

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow's own, in colour


def combination(text: str) -> Combination:
    (one,) = read_tries(text, sweeping=False)
    assert isinstance(one, Combination)
    return one


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "service"
    apply_mitigation(small_plan(), combination("top1"), folder)
    return folder


def rows(service: Path, n: int = 20) -> Any:
    return np.random.default_rng(0).integers(0, 16, size=(n, *(read_service(service).row_shape or ()))).astype(float)


def test_it_answers_by_class_as_the_audited_model_does(service: Path) -> None:
    served, x = _load_pyfunc(str(service)), rows(service)
    shown = served.predict(x)
    assert list(shown.columns) == read_service(service).classes
    np.testing.assert_allclose(shown.to_numpy(), np.exp(load_service(service).log_probs(x)))
    flat = pd.DataFrame(x.reshape(len(x), -1))  # as a scoring server makes it of JSON
    np.testing.assert_allclose(served.predict(flat).to_numpy(), shown.to_numpy())


def test_what_it_needs_is_pinned_at_the_versions_that_were_audited(service: Path) -> None:
    found = pinned(read_service(service))
    assert f"numpy=={np.__version__}" in found
    assert all(line.count("==") == 1 and "+" not in line for line in found)
    assert {"skops", "scikit-learn", "pandas"} <= {line.partition("==")[0] for line in found}


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is not None, reason="MLflow is installed")
def test_without_mlflow_one_line_says_what_to_install_before_anything_is_audited(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="--as mlflow needs mlflow"):
        write_mlflow_model(small_plan(), combination("top1"), tmp_path / "bench", tmp_path / "m")
    assert not any(tmp_path.iterdir())


def test_mlflow_loads_what_the_bench_audited(tmp_path: Path) -> None:
    pyfunc = pytest.importorskip("mlflow.pyfunc", reason="MLflow (extra mlflow) is not installed")
    write_mlflow_model(small_plan(), combination("top1"), tmp_path / "bench", tmp_path / "m", Settings(workers=1))
    loaded, x = pyfunc.load_model(str(tmp_path / "m")), rows(tmp_path / "m" / "data" / "service")
    np.testing.assert_allclose(
        loaded.predict(x).to_numpy(), np.exp(load_service(tmp_path / "m" / "data" / "service").log_probs(x))
    )
    audited = json.loads((tmp_path / "bench" / "audits" / "top1" / "record.json").read_text())
    kept = json.loads((tmp_path / "m" / "audit" / "record.json").read_text())
    aucs = [{a["name"]: a["auc"] for a in record["attacks"]} for record in (kept, audited)]
    assert aucs[0] == aucs[1]
    assert loaded.metadata.metadata["gnomon"]["verdict"] == audited["verdict"]["level"]
    assert audited["verdict"]["headline"] in (tmp_path / "m" / "README.md").read_text().replace("\\", "")
    assert (tmp_path / "m" / "audit" / "report.html").is_file()
    assert (tmp_path / "m" / "code" / "gnomon" / "defending" / "mlflow_model.py").is_file()
    with pytest.raises(UsageError, match="exists already"):
        write_mlflow_model(small_plan(), combination("top1"), tmp_path / "bench", tmp_path / "m")
