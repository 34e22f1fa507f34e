import numpy as np
import pytest
from sklearn.base import clone
from tests.models.boosters.worlds import PARAMS, split, table

from gnomon.core.errors import ModelError
from gnomon.models.boosters.xgboost import XGBoostClassifier, adopt

xgb = pytest.importorskip("xgboost", reason="needs XGBoost (extra boosting)")
X, Y = split(table(300, 0))


def trained(params=PARAMS, rounds=12, x=X, y=Y, **more):
    return xgb.train(params, xgb.DMatrix(x, y, enable_categorical=True), rounds, **more)


def test_answers_are_the_boosters_own_and_text_is_coded_as_pandas_codes_it():
    booster = trained()
    text = X.astype({"colour": object})
    model = adopt(booster, text, len(Y))
    assert np.allclose(model.predict_proba(text)[:, 1], booster.predict(xgb.DMatrix(X, enable_categorical=True)))
    assert any("values of colour are coded in sorted order" in said for said in model.remarks)


def test_a_clone_without_chance_is_the_same_model():
    booster = trained({**PARAMS, "subsample": 1.0})
    model = adopt(booster, X, len(Y))
    again = clone(model).fit(X, Y)
    assert np.allclose(again.predict_log_proba(X), model.predict_log_proba(X), atol=1e-5)
    assert not np.allclose(clone(model).set_params(rounds=3).fit(X, Y).predict_proba(X), model.predict_proba(X))


def test_best_rounds_are_those_that_answer_and_that_clones_train():
    other, labels = split(table(300, 1))
    watched = [(xgb.DMatrix(other, labels, enable_categorical=True), "other")]
    booster = trained(rounds=60, evals=watched, early_stopping_rounds=3, verbose_eval=False)
    model = adopt(booster)
    assert model.rounds == booster.best_iteration + 1 < booster.num_boosted_rounds()
    best = booster.predict(xgb.DMatrix(X, enable_categorical=True), iteration_range=(0, model.rounds))
    assert np.allclose(model.predict_proba(X)[:, 1], best)
    assert any(f"best {model.rounds} of {booster.num_boosted_rounds()} rounds" in said for said in model.remarks)


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_several_classes_and_one_that_no_row_has(objective):
    y = np.arange(300) % 3
    model = adopt(trained({"objective": objective, "num_class": 3, "max_depth": 3}, 4, y=y))
    assert model.predict_proba(X).shape == (300, 3)
    fewer = clone(model).fit(X[y > 0], y[y > 0])
    assert fewer.classes_.tolist() == [1, 2]
    assert fewer.predict_proba(X).shape == (300, 2)


def test_kinds_of_columns_of_an_array_travel_with_a_clone():
    x = np.column_stack([np.arange(300) % 7, np.random.default_rng(0).normal(size=300)]).astype(np.float32)
    y = ((x[:, 0] % 2) > 0).astype(int)
    given = xgb.DMatrix(x, y, feature_types=["c", "float"], enable_categorical=True)
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 3}, given, 5)
    model = adopt(booster, x, len(y))
    assert np.allclose(clone(model).fit(x, y).predict_proba(x), model.predict_proba(x), atol=1e-6)
    assert np.allclose(model.predict_proba(x)[:, 1], booster.predict(given))


def test_missing_numbers_reach_the_model():
    holes = X.copy()
    holes.loc[::3, "sum"] = np.nan
    booster = trained(x=holes)
    answers = booster.predict(xgb.DMatrix(holes, enable_categorical=True))
    assert np.allclose(adopt(booster).predict_proba(holes)[:, 1], answers)
    filled = holes.fillna({"sum": -999.0})
    given = xgb.DMatrix(filled, Y, enable_categorical=True, missing=-999.0)
    marked = adopt(xgb.train(PARAMS, given, 12))
    assert np.allclose(marked.predict_proba(holes)[:, 1], answers)  # the file does not hold the number, and says so
    assert any("(missing): leave such fields empty" in said for said in marked.remarks)


def test_a_regression_is_refused_with_what_is_possible():
    with pytest.raises(ModelError, match=r'objective is "reg:squarederror".*answers as files, or a function'):
        adopt(trained({"objective": "reg:squarederror"}, 2))
    with pytest.raises(ModelError, match=r"answers 2 questions at once.*as a function or as files of answers"):
        adopt(trained(rounds=2, y=np.stack([Y, 1 - Y], axis=1)))


def test_parameters_can_be_set_and_misspelt_ones_are_refused():
    model = XGBoostClassifier({"objective": "binary:logistic"}, 2).set_params(colsample_bytree=0.5, rounds=3)
    assert model.get_params()["colsample_bytree"] == 0.5
    assert model.rounds == 3
    with pytest.raises(ValueError, match=r'no parameter "max_dept" \(did you mean "max_depth"\?\)'):
        model.set_params(max_dept=3)


def test_a_booster_is_written_as_its_library_does(tmp_path):
    model = adopt(trained())
    place = model.write(tmp_path / "m")
    assert place.name == "m.ubj"
    assert np.array_equal(adopt(xgb.Booster(model_file=place)).predict_proba(X), model.predict_proba(X))
