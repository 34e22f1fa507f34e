import numpy as np
import pytest
from tests.models.boosters.worlds import table

from gnomon.core.errors import ModelError
from gnomon.models import as_model, load_model

catboost = pytest.importorskip("catboost", reason="needs CatBoost (extra catboost, a wheel of 97 MB)")
FRAME, OUT = table(200, 0), table(200, 1)
X, Y = FRAME.drop(columns="label"), FRAME["label"]


def saved(tmp_path, **further):
    params = {"iterations": 30, "depth": 3, "random_seed": 3, "verbose": 0, "thread_count": 1, **further}
    model = catboost.CatBoostClassifier(**params, cat_features=["colour"], allow_writing_files=False)
    model.fit(X, Y, eval_set=(OUT.drop(columns="label"), OUT["label"]))
    model.save_model(str(tmp_path / "m.cbm"))
    return model


def test_answers_are_the_boosters_own_and_a_clone_is_the_same_model(tmp_path):
    made = saved(tmp_path, early_stopping_rounds=2)
    assert made.tree_count_ < 30
    model = load_model(tmp_path / "m.cbm", ("no", "yes"))
    assert np.allclose(np.exp(model.log_probs(X)), made.predict_proba(X), atol=1e-6)
    assert f"{made.tree_count_} trees" in model.remarks[0]
    recipe = model.clone_recipe()
    [again] = model.recipe_again(recipe).train(X, (Y == "yes").to_numpy().astype(int), 2, [np.arange(200)], [0])
    assert again.estimator.tree_count_ == made.tree_count_
    assert np.allclose(again.log_probs(X), model.log_probs(X), atol=1e-6)
    [other] = recipe.train(X, (Y == "yes").to_numpy().astype(int), 2, [np.arange(200)], [7])
    assert not np.allclose(other.log_probs(X), model.log_probs(X), atol=1e-3)


def test_a_classifier_in_memory_has_the_recipe_of_its_file_and_stays_as_it_is(tmp_path):
    made = saved(tmp_path)
    model = as_model(made, ("no", "yes"))
    own, read = (m.clone_recipe() for m in (model, load_model(tmp_path / "m.cbm", ("no", "yes"))))
    codes = (Y == "yes").to_numpy().astype(int)
    [a], [b] = (recipe.train(X, codes, 2, [np.arange(150)], [4]) for recipe in (own, read))
    assert np.allclose(a.log_probs(X), b.log_probs(X), atol=1e-6)
    assert np.allclose(np.exp(model.log_probs(X)), made.predict_proba(X), atol=1e-6)
    assert not hasattr(made, "remarks")
    unfitted = catboost.CatBoostClassifier()
    with pytest.raises(ModelError, match="not fitted"):
        as_model(unfitted, ("no", "yes")).log_probs(X)


def test_what_is_no_classifier_is_refused_in_one_line(tmp_path):
    numbers = catboost.CatBoostRegressor(iterations=2, verbose=0, allow_writing_files=False, thread_count=1)
    numbers.fit(X[["sum"]], X["sum"]).save_model(str(tmp_path / "n.cbm"))
    with pytest.raises(ModelError, match=r"n\.cbm: .*answers as files, or a function"):
        load_model(tmp_path / "n.cbm", ("no", "yes"))
    (tmp_path / "b.cbm").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"b\.cbm: not a CatBoost classifier, or damaged"):
        load_model(tmp_path / "b.cbm", ("no", "yes"))
