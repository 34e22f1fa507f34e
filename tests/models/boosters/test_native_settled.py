import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gnomon.models import SklearnModel
from gnomon.models.boosters.native import settled_params

X = np.random.default_rng(0).normal(size=(300, 4))
Y = (X[:, 0] + np.random.default_rng(1).normal(size=300) > 0).astype(int)
OUT = (X[200:], Y[200:])


def test_clones_of_xgboosts_wrapper_train_the_rounds_that_it_uses_without_rows_to_watch():
    xgb = pytest.importorskip("xgboost", reason="needs XGBoost (extra boosting)")
    model = xgb.XGBClassifier(n_estimators=60, early_stopping_rounds=2, random_state=0, n_jobs=1)
    model.fit(X[:200], Y[:200], eval_set=[OUT], verbose=False)
    used = model.best_iteration + 1
    assert used < 60
    wrapped = SklearnModel(model, ("0", "1"))
    [shadow] = wrapped.clone_recipe().train(X, Y, 2, [np.arange(100)], [0])
    assert shadow.estimator.get_booster().num_boosted_rounds() == used
    assert f"clones are trained {used} rounds" in wrapped.remarks[0]
    exact = wrapped.recipe_again(wrapped.clone_recipe())
    [again] = exact.train(X, Y, 2, [np.arange(200)], [0])
    assert np.allclose(again.log_probs(X), wrapped.log_probs(X), atol=1e-5)


def test_clones_of_lightgbms_wrapper_train_the_rounds_that_it_uses():
    lgb = pytest.importorskip("lightgbm", reason="needs LightGBM (extra boosting)")
    model = lgb.LGBMClassifier(n_estimators=400, verbose=-1, n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM's own, of how rows to watch are given
        model.fit(X[:200], Y[:200], eval_set=[OUT], callbacks=[lgb.early_stopping(2, verbose=False)])
    assert settled_params(make_pipeline(StandardScaler(), model)) == {
        "lgbmclassifier__n_estimators": model.best_iteration_
    }
    [shadow] = SklearnModel(model, ("0", "1")).clone_recipe().train(X, Y, 2, [np.arange(100)], [0])
    assert shadow.estimator.booster_.current_iteration() == model.best_iteration_ < 400


def test_what_did_not_stop_early_is_cloned_as_it_is():
    lgb = pytest.importorskip("lightgbm", reason="needs LightGBM (extra boosting)")
    whole = lgb.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1)
    assert settled_params(whole) == {}
    assert settled_params(whole.fit(X, Y)) == {}
    assert settled_params(LogisticRegression().fit(X, Y)) == {}


def test_a_clone_of_a_fit_on_three_classes_can_be_fitted_on_two():
    xgb = pytest.importorskip("xgboost", reason="needs XGBoost (extra boosting)")
    three = np.arange(300) % 3
    model = SklearnModel(xgb.XGBClassifier(n_estimators=3, n_jobs=1).fit(X, three), ("0", "1", "2"))
    two, all_three = model.clone_recipe().train(X, three, 3, [np.flatnonzero(three > 0), np.arange(300)], [0, 0])
    assert np.isneginf(two.log_probs(X)[:, 0]).all()
    assert np.allclose(np.exp(two.log_probs(X)).sum(axis=1), 1, atol=1e-5)
    assert np.isfinite(all_three.log_probs(X)).all()
