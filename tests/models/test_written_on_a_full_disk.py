"""Whatever library writes a model: a full disk is the system's error, which commands answer in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from tests.full_disk import full_disk

from gnomon.core.protocols import ModelAbilities
from gnomon.models.sklearn import SklearnModel

X = np.random.default_rng(0).normal(size=(200, 4))
Y = (X[:, 0] > 0).astype(int)


def forest() -> Any:
    return SklearnModel(RandomForestClassifier(20, random_state=0).fit(X, Y), ("0", "1"))


def lightgbm_booster() -> Any:
    library = pytest.importorskip("lightgbm", reason="needs LightGBM (extra boosting)")
    from gnomon.models.boosters.lightgbm import adopt

    booster = library.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, library.Dataset(X, Y), 20)
    return SklearnModel(adopt(booster), ("0", "1"))


def xgboost_booster() -> Any:
    library = pytest.importorskip("xgboost", reason="needs XGBoost (extra boosting)")
    from gnomon.models.boosters.xgboost import adopt

    booster = library.train({"objective": "binary:logistic", "nthread": 1}, library.DMatrix(X, Y, nthread=1), 20)
    return SklearnModel(adopt(booster), ("0", "1"))


def network() -> Any:
    pytest.importorskip("torch")
    from gnomon.models.torch import TorchTrainer

    trainer = TorchTrainer(hidden=(64,), epochs=1, device="cpu")
    return trainer.train(X.astype(np.float32), Y, 2, [np.arange(50)], [0])[0]


@pytest.mark.parametrize("make", [forest, lightgbm_booster, xgboost_booster, network])
def test_the_error_is_the_systems(make: Any, tmp_path: Path) -> None:
    model = ModelAbilities.of(make())
    with full_disk(), pytest.raises(OSError, match="File too large"):
        model.write(tmp_path / "m")
    assert model.write(tmp_path / "m") is not None


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_too(suffix: str, tmp_path: Path) -> None:
    made = network()
    from gnomon.models.torch.model import save_weights

    with full_disk(), pytest.raises(OSError, match="File too large"):
        save_weights(made, tmp_path / f"m{suffix}")
