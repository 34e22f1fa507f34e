import json

import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from gnomon.models.boosters.xgboost_trees import read_back

xgb = pytest.importorskip("xgboost", reason="needs XGBoost (extra boosting)")
CANCER, DIGITS = load_breast_cancer(return_X_y=True), load_digits(return_X_y=True)
MULTI = {"objective": "multi:softprob", "num_class": 10}
BINARY = {"objective": "binary:logistic"}


def learner(params, data, rounds=5):
    booster = xgb.train({**params, "nthread": 1}, xgb.DMatrix(*data, nthread=1), rounds)
    return json.loads(bytes(booster.save_raw("json")))["learner"]


@pytest.mark.parametrize(
    ("params", "data", "classes"),
    [
        ({**BINARY, "learning_rate": 0.17, "reg_lambda": 2.5, "max_depth": 4}, CANCER, 2),
        ({**BINARY, "learning_rate": 0.05, "max_depth": 2, "reg_lambda": 0.0}, CANCER, 2),
        ({**MULTI, "learning_rate": 0.1, "max_depth": 3, "tree_method": "exact"}, DIGITS, 10),
        ({**BINARY, "learning_rate": 0.1, "max_depth": 3, "scale_pos_weight": 3.0, "num_parallel_tree": 2}, CANCER, 2),
        ({**BINARY, "learning_rate": 0.3, "max_depth": 5, "min_child_weight": 0.0}, CANCER, 2),
    ],
)
def test_penalty_rate_depth_and_weights_follow_from_the_trees(params, data, classes):
    found = read_back(learner(params, data), classes, 5, None)
    defaults = {"reg_lambda": 1.0, "scale_pos_weight": 1.0, "num_parallel_tree": 1}
    wanted = {**defaults, **params}
    wanted = {name: wanted[name] for name in found.params if name in wanted}
    for name, value in wanted.items():
        assert found.params[name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-3)), name
    assert {"learning_rate", "reg_lambda", "max_depth"} <= set(found.params)
    assert found.rounds == 5


def test_the_first_tree_shows_how_many_rows_were_drawn():
    y = CANCER[1]
    half = read_back(learner({**BINARY, "subsample": 0.5}, CANCER), 2, 5, len(y))
    assert half.params["subsample"] == pytest.approx(0.5, abs=0.06)
    assert "subsample" not in read_back(learner(BINARY, CANCER), 2, 5, len(y)).params
    some = read_back(learner({**MULTI, "subsample": 0.3}, DIGITS, 1), 10, 1, len(DIGITS[1]))
    assert some.params["subsample"] == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({**BINARY, "alpha": 5.0, "max_depth": 4}, "learning rate can't be read"),
        ({**BINARY, "booster": "dart", "rate_drop": 0.1}, "does not hold the parameters of dart"),
        ({**BINARY, "booster": "gblinear", "updater": "coord_descent"}, "does not hold the parameters of gblinear"),
    ],
)
def test_what_trees_do_not_show_is_not_guessed(params, message):
    found = read_back(learner(params, CANCER), 2, 5, None)
    assert found.rounds is None
    assert message in found.remarks[0]
    assert "[trainer] params" in found.remarks[0]


def test_trees_that_answer_for_all_classes_at_once_show_nothing():
    params = {**MULTI, "multi_strategy": "multi_output_tree", "tree_method": "hist", "max_depth": 2}
    found = read_back(learner(params, DIGITS, 1), 10, 1, None)
    assert found.rounds is None
    assert "for all classes at once" in found.remarks[0]


def test_stumps_show_the_rate_and_leave_the_penalty_to_its_default():
    found = read_back(learner({**BINARY, "max_depth": 1, "learning_rate": 0.2}, CANCER), 2, 5, None)
    assert found.params["reg_lambda"] == 1.0
    assert found.params["learning_rate"] == pytest.approx(0.2, rel=1e-3)
    assert found.params["max_depth"] == 1
