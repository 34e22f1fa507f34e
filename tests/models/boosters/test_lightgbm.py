import numpy as np
import pytest
from sklearn.base import clone
from tests.models.boosters.worlds import split, table

from gnomon.core.errors import ModelError
from gnomon.models.boosters.lightgbm import adopt

lgb = pytest.importorskip("lightgbm", reason="needs LightGBM (extra boosting)")
X, Y = split(table(300, 0))
PARAMS = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "seed": 5}


def saved(tmp_path, params=PARAMS, rounds=12, x=X, y=Y, **more):
    booster = lgb.train(params, lgb.Dataset(x, y), rounds, **more)
    booster.save_model(tmp_path / "m.txt")
    return booster, lgb.Booster(model_file=tmp_path / "m.txt")


@pytest.mark.parametrize(
    "further",
    [
        {},
        {"bagging_fraction": 0.6, "bagging_freq": 1, "feature_fraction": 0.7},
        {"boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1},
        {"boosting": "dart"},
        {"data_sample_strategy": "goss"},
        {"sigmoid": 2.0, "is_unbalance": True},
    ],
    ids=lambda further: "-".join(further) or "plain",
)
def test_answers_are_the_boosters_own_and_a_clone_is_the_same_model(tmp_path, further):
    booster, read = saved(tmp_path, {**PARAMS, **further})
    text = X.astype({"colour": object})
    model = adopt(read)
    assert np.allclose(model.predict_proba(text)[:, 1], booster.predict(X))
    assert np.allclose(clone(model).fit(text, Y).predict_proba(text), model.predict_proba(text))
    assert not np.allclose(clone(model).set_params(rounds=5).fit(X, Y).predict_proba(X), model.predict_proba(X))


def test_another_seed_is_another_model_where_there_is_chance(tmp_path):
    _, read = saved(tmp_path, {**PARAMS, "bagging_fraction": 0.6, "bagging_freq": 1})
    model = adopt(read)
    other = clone(model).set_params(random_state=6).fit(X, Y)
    assert not np.allclose(other.predict_proba(X), model.predict_proba(X))


def test_rounds_are_those_at_which_a_callback_stopped(tmp_path):
    other, labels = split(table(300, 1))
    held = lgb.Dataset(other, labels, reference=lgb.Dataset(X, Y))
    stopping = lgb.early_stopping(2, verbose=False)
    booster, read = saved(tmp_path, rounds=400, valid_sets=[held], callbacks=[stopping])
    assert adopt(read).rounds == adopt(booster).rounds == booster.best_iteration < 400
    assert f"{booster.best_iteration} rounds, where 400 were asked for" in adopt(read).remarks[0]
    assert np.allclose(adopt(booster).predict_proba(X), adopt(read).predict_proba(X))


def test_several_classes_and_columns_of_categories_without_names(tmp_path):
    x = np.column_stack([np.arange(300) % 7, np.random.default_rng(0).normal(size=300)])
    y = (x[:, 0] % 3).astype(int)
    params = {**PARAMS, "objective": "multiclass", "num_class": 3, "min_data_per_group": 5}
    booster = lgb.train(params, lgb.Dataset(x, y, categorical_feature=[0]), 5)
    booster.save_model(tmp_path / "m.txt")
    model = adopt(lgb.Booster(model_file=tmp_path / "m.txt"))
    assert np.allclose(model.predict_proba(x), booster.predict(x))
    assert np.allclose(clone(model).fit(x, y).predict_proba(x), model.predict_proba(x))
    assert clone(model).fit(x[y > 0], y[y > 0]).classes_.tolist() == [1, 2]


def test_parameters_that_name_files_are_not_kept(tmp_path):
    _, read = saved(tmp_path)
    read.params |= {"forcedsplits_filename": "/etc/passwd", "machines": "a:1", "forcedbins_filename": "x"}
    kept = adopt(read).get_params()
    assert not {"forcedsplits_filename", "machines", "forcedbins_filename", "data", "valid"} & set(kept)
    assert kept["num_leaves"] == 7


def test_a_regression_is_refused_with_what_is_possible(tmp_path):
    booster, _ = saved(tmp_path, {**PARAMS, "objective": "regression"}, 2)
    with pytest.raises(ModelError, match=r'objective is "regression".*answers as files, or a function'):
        adopt(booster)


def test_misspelt_parameters_are_refused(tmp_path):
    model = adopt(saved(tmp_path)[1])
    with pytest.raises(ValueError, match=r'no parameter "num_leafs" \(did you mean "num_leaves"\?\)'):
        model.set_params(num_leafs=3)
    assert model.set_params(num_leaves=3).get_params()["num_leaves"] == 3


def test_a_booster_is_written_as_its_library_does(tmp_path):
    model = adopt(saved(tmp_path)[1])
    place = model.write(tmp_path / "again")
    assert np.array_equal(adopt(lgb.Booster(model_file=place)).predict_proba(X), model.predict_proba(X))
