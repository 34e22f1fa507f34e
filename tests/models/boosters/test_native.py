import numpy as np
import pytest
from tests.models.boosters.worlds import PARAMS, split, table

from gnomon.core.errors import ModelError
from gnomon.models import FunctionTrainer, SklearnModel, as_model
from gnomon.models.boosters.native import from_native

xgb = pytest.importorskip("xgboost", reason="needs XGBoost (extra boosting)")
lgb = pytest.importorskip("lightgbm", reason="needs LightGBM (extra boosting)")
X, Y = split(table(200, 0))


def boosted(x, y, n_classes=2, seed=0):
    return xgb.train(PARAMS, xgb.DMatrix(x, y, enable_categorical=True), 3)


def test_boosters_in_memory_are_models():
    given = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    for booster in (boosted(X, Y), lgb.train(given, lgb.Dataset(X, Y), 3)):
        model = as_model(booster, ("no", "yes"))
        assert isinstance(model, SklearnModel)
        assert model.log_probs(X).shape == (200, 2)
    assert from_native("other") == "other"


def test_a_function_may_train_a_booster():
    [model] = FunctionTrainer(boosted).train(X, Y, 2, [np.arange(100)], [0])
    assert model.log_probs(X).shape == (200, 2)


def test_a_booster_of_numbers_is_refused():
    with pytest.raises(ModelError, match="reg:squarederror"):
        as_model(
            xgb.train({"objective": "reg:squarederror"}, xgb.DMatrix(X, Y, enable_categorical=True), 1), ("a", "b")
        )
