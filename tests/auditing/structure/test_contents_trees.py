"""Leaves and numbers of trees are those that one counts by hand."""

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier
from tests.auditing.structure.test_examine import look, seen

from gnomon.models.boosters.native import from_native

STEPS = np.arange(8.0)[:, None]  # cut at 3.5: four rows of each class
HALVES = np.array([0] * 4 + [1] * 4)


def test_a_tree_by_hand() -> None:
    values, findings = seen(DecisionTreeClassifier().fit(STEPS, HALVES), STEPS)
    # one cut (two numbers) and two leaves of four rows each, all of one class (one number each)
    assert values == {"stored-rows": 0, "small-leaves": 4, "pure-leaves": 2, "few-degrees-of-freedom": 4}
    assert findings == {"small-leaves", "pure-leaves", "few-degrees-of-freedom", "risky-parameter"}
    accepted = {"leaf_rows": 4, "pure_leaves": True, "degrees_of_freedom": 4}
    kept = DecisionTreeClassifier(min_samples_leaf=4).fit(STEPS, HALVES)
    assert seen(kept, STEPS, **accepted)[1] == set()


def test_boosting_by_hand() -> None:
    model = GradientBoostingClassifier(n_estimators=3, max_depth=1).fit(STEPS, HALVES)
    values, _ = seen(model, STEPS)
    # three stumps: two numbers for the cut, one for each of two leaves; leaves hold no classes
    assert values == {"stored-rows": 0, "small-leaves": 4, "few-degrees-of-freedom": 8 - 3 * 4}
    histogram = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=4, max_depth=1).fit(STEPS, HALVES)
    assert seen(histogram, STEPS)[0] == {"stored-rows": 0, "small-leaves": 4, "few-degrees-of-freedom": 0}


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_boosting_of_other_libraries_by_hand(library: str) -> None:
    module = pytest.importorskip(library)
    options: dict[str, Any] = {"n_estimators": 2, "max_depth": 1, "n_jobs": 1}
    if library == "xgboost":
        model = module.XGBClassifier(**options, min_child_weight=0, reg_lambda=0)
    else:
        model = module.LGBMClassifier(**options, min_child_samples=4, min_data_in_bin=1, verbose=-1)
    model.fit(STEPS, HALVES)
    read = from_native(model.get_booster() if library == "xgboost" else model.booster_, STEPS, len(STEPS))
    for form in (model, read):
        values, _ = seen(form, STEPS)
        assert values == {"stored-rows": 0, "small-leaves": 4, "few-degrees-of-freedom": 8 - 2 * 4}


def test_catboost_by_hand() -> None:
    catboost = pytest.importorskip("catboost", reason="the extra catboost is too large to install for every test run")
    options = {"iterations": 2, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
    model = catboost.CatBoostClassifier(depth=1, **options).fit(STEPS, HALVES)
    values, _ = seen(model, STEPS)
    # two stumps: two numbers for the cut, one for each of two leaves
    reached = model.calc_leaf_indexes(STEPS)
    least = min(np.unique(reached[:, i], return_counts=True)[1].min() for i in range(2))
    assert values == {"stored-rows": 0, "small-leaves": least, "few-degrees-of-freedom": 8 - 2 * 4}
    assert 1 <= least <= 4
    three = catboost.CatBoostClassifier(depth=1, **options).fit(STEPS, np.arange(8) // 3)
    assert seen(three, STEPS)[0]["few-degrees-of-freedom"] == 8 - 2 * (2 + 2 * 3)  # three values in each leaf
    assert look(model, STEPS).not_read == []
