"""What an audit found stands in MLflow's run: metrics with their intervals, a tag, artifacts."""

import importlib.util
from pathlib import Path

import pytest
from tests.report.sample_records import leaking

import gnomon
from gnomon.cli.app import run
from gnomon.core.documents.read_write import write_record
from gnomon.core.errors import GnomonError, MissingExtraError
from gnomon.runs.mlflow_run import log_to_mlflow, metrics_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow's own, in colour


def test_every_value_has_its_interval() -> None:
    record = leaking()
    found = dict(metrics_of(record))
    attack = next(a for a in record.attacks if a.auc is not None)
    assert attack.auc is not None
    names = [f"gnomon.{attack.name}.auc{end}" for end in ("", "_low", "_high")]
    assert [found[name] for name in names] == [attack.auc.value, attack.auc.low, attack.auc.high]
    assert any(".tpr_at_0.01" in name for name in found)


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is not None, reason="MLflow is installed")
def test_without_mlflow_one_line_says_what_to_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingExtraError, match="an MLflow run needs mlflow"):
        log_to_mlflow(leaking(), "0123")
    write_record(leaking(), tmp_path / "record.json")
    assert run(["report", str(tmp_path / "record.json"), "--mlflow-run", "0123"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_run_has_values_tags_and_artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="MLflow (extra mlflow) is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    client = mlflow.MlflowClient((tmp_path / "store").as_uri())
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    made = client.create_run(client.create_experiment("x")).info.run_id
    record = leaking()
    gnomon.log_to_mlflow(record, run_id=made)
    logged = client.get_run(made).data
    assert logged.metrics == pytest.approx(dict(metrics_of(record)))
    assert logged.tags["gnomon.verdict"] == record.verdict.level
    assert {f.path for f in client.list_artifacts(made, "gnomon")} == {
        f"gnomon/{name}" for name in ("record.json", "report.html", "card.md")
    }
    with pytest.raises(GnomonError, match="MLflow run nothing: can't be logged to"):
        log_to_mlflow(record, "nothing")
