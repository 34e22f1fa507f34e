"""A model that MLflow wrote is read as its own file where that holds no code; otherwise it needs trust."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gnomon.auditing.inputs.given_answers import read_as_it_is
from gnomon.core.data.dataset import make_dataset
from gnomon.core.errors import ModelError, UsageError
from gnomon.core.protocols import ModelAbilities
from gnomon.models.files import read_model
from gnomon.models.readers.model_file import Use
from gnomon.models.sklearn import SklearnModel

pytest.importorskip("mlflow", reason="MLflow (extra mlflow) is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # MLflow's own, in colour
X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.where(X[:, 0] > 0, "ill", "well")
PINS = {"pip_requirements": ["scikit-learn"]}  # finding them out starts a process


def fitted() -> Any:
    return LogisticRegression().fit(X, Y)


def answers(place: Path, trust: bool = False) -> Any:
    read = read_model(place, trust)
    return read.model(Use(("ill", "well"), x=X)), read


def test_skops_is_read_and_cloned_without_trust(tmp_path: Path) -> None:
    from mlflow.sklearn import save_model

    save_model(fitted(), str(tmp_path / "m"), serialization_format="skops", **PINS)
    model, read = answers(tmp_path / "m")
    assert isinstance(model, SklearnModel)
    assert model.clone_recipe() is not None
    assert read.known == ("ill", "well")
    np.testing.assert_allclose(np.exp(model.log_probs(X)), fitted().predict_proba(X), atol=1e-6)


def test_a_booster_is_read_as_its_library_wrote_it(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    from mlflow.xgboost import save_model

    data = xgboost.DMatrix(X, (Y == "well").astype(int))
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 2}, data, 3)
    save_model(booster, str(tmp_path / "m"), pip_requirements=["xgboost"])
    model, _ = answers(tmp_path / "m")
    np.testing.assert_allclose(np.exp(model.log_probs(X))[:, 1], booster.predict(data), atol=1e-6)


def test_a_pickle_needs_trust(tmp_path: Path) -> None:
    from mlflow.sklearn import save_model

    save_model(fitted(), str(tmp_path / "m"), serialization_format="cloudpickle", **PINS)
    with pytest.raises(UsageError, match=r"MLflow loads this model .*give --trust"):
        read_model(tmp_path / "m")
    model, _ = answers(tmp_path / "m", trust=True)
    np.testing.assert_allclose(np.exp(model.log_probs(X)), fitted().predict_proba(X), atol=1e-6)


def test_damage_and_paths_that_lead_out_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "secret.skops").write_bytes(b"x")
    described = tmp_path / "m" / "MLmodel"
    described.write_text("flavors: {sklearn: {pickled_model: ../secret.skops}}\nmodel_uuid: a\n")
    with pytest.raises(ModelError, match="names a file that is not in it"):
        read_model(tmp_path / "m")
    described.write_text("flavors: [")
    with pytest.raises(ModelError, match="no MLflow model, or damaged"):
        read_model(tmp_path / "m")


def test_a_python_function_of_labels_is_audited_by_its_labels(tmp_path: Path) -> None:
    from mlflow.pyfunc import PythonModel, save_model

    class Labels(PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any) -> Any:
            return np.where(np.asarray(model_input)[:, 0] > 0, "ill", "well")

    save_model(str(tmp_path / "m"), python_model=Labels(), pip_requirements=["numpy"])
    model = read_as_it_is(answers(tmp_path / "m", trust=True)[0], make_dataset(X, Y), "full")
    assert model is not None
    assert ModelAbilities.of(model).shown.reveals == "labels"  # type: ignore[union-attr]
    np.testing.assert_array_equal(model.log_probs(X).argmax(axis=1), (X[:, 0] <= 0).astype(int))
