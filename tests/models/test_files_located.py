"""A path is where it is; an address of MLflow's is brought here, or one line says why not."""

import importlib.util
from pathlib import Path

import pytest

from gnomon.core.errors import MissingExtraError, UsageError
from gnomon.core.plan import plan_in
from gnomon.models.files import located

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow's own, in colour
DATA = {"members": "in.csv", "nonmembers": "out.csv"}


def test_an_address_is_not_taken_for_a_path_next_to_the_plan(tmp_path: Path) -> None:
    read = plan_in(tmp_path, {"data": DATA, "target": {"model": "models:/risk/3"}}, "plan")
    assert read.target.model == "models:/risk/3"
    assert read.data.members == str(tmp_path / "in.csv")


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is not None, reason="MLflow is installed")
def test_without_mlflow_one_line_says_what_to_install() -> None:
    with pytest.raises(MissingExtraError, match="a model at an MLflow address needs mlflow"):
        located("models:/risk/3")


def test_what_mlflow_does_not_have_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="MLflow (extra mlflow) is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    with pytest.raises(UsageError, match=r"^models:/risk/3: MLflow brings no such model .*MLFLOW_TRACKING_URI"):
        located("models:/risk/3")


@pytest.mark.parametrize("scheme", ["models", "runs", "mlflow-artifacts"])
def test_an_address_does_not_name_the_server_that_is_sent_the_users_credentials(scheme: str) -> None:
    with pytest.raises(UsageError, match="names a server; only MLFLOW_TRACKING_URI may"):
        located(f"{scheme}://collect.example/risk/3")
