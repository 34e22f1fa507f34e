"""What scikit-learn's estimators know of themselves."""

import re

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from tests.models.test_sklearn import X, Y

from gnomon.models import SklearnModel, SklearnTrainer
from gnomon.models.estimators import settings_in_fit


def test_every_nested_random_state_gets_a_seed_of_its_own():
    vote = VotingClassifier(
        [("a", RandomForestClassifier(2, random_state=5)), ("b", make_pipeline(MLPClassifier((2,), max_iter=2)))],
        voting="soft",
    )
    one, two = SklearnTrainer(vote).train(X, Y, 10, [np.arange(99)] * 2, [1, 2])
    names = ["a__random_state", "b__mlpclassifier__random_state"]
    states = [[m.estimator.get_params()[name] for name in names] for m in (one, two)]
    assert len({*states[0], *states[1], 5, None}) == 6


def test_own_states_are_kept_where_they_are_numbers():
    forest = RandomForestClassifier(3, random_state=7).fit(X, Y)
    trainer = SklearnTrainer(forest, own_states=True)
    [again] = trainer.train(X, Y, 10, [np.arange(300)], [1])
    assert np.array_equal(again.estimator.predict_proba(X), forest.predict_proba(X))
    assert trainer.recipe() != SklearnTrainer(forest).recipe()
    assert trainer.recipe() != SklearnTrainer(RandomForestClassifier(3, random_state=8), own_states=True).recipe()


def test_the_tail_of_a_logistic_curve_is_kept():
    x = np.array([[-1.0], [1.0]] * 20)
    logistic = LogisticRegression(C=1e9).fit(x, [0, 1] * 20)
    logs = SklearnModel(logistic, ("0", "1")).log_probs(np.array([[1e3], [-1e3]]))
    decision = float(logistic.decision_function([[1e3]])[0])
    assert decision > 700
    assert logs[0, 0] == pytest.approx(-decision, rel=1e-5)
    assert np.isfinite(logs).all()


def test_groups_that_were_given_to_fit_are_said_before_training():
    tree = DecisionTreeClassifier()
    said = settings_in_fit(GridSearchCV(tree, {"max_depth": [1]}, cv=GroupKFold(3)))
    assert said is not None
    assert re.search(r"told in fit which rows belong together \(GroupKFold\).*best_estimator_.*FunctionTrainer", said)
    assert settings_in_fit(GridSearchCV(tree, {"max_depth": [1]}, cv=StratifiedKFold(3))) is None
