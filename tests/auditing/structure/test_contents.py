"""The fitted parts of a model, with the rows as they reach them."""

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, RandomForestClassifier
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tests.auditing.structure.test_examine import X, Y, look, seen

from gnomon.auditing.structure.contents import fitted_parts


def test_support_vectors_are_training_rows_also_behind_a_scaler_and_a_search() -> None:
    model = SVC().fit(X, Y)
    values, findings = seen(model)
    assert values["stored-rows"] == len(model.support_vectors_) < 60
    assert values["few-degrees-of-freedom"] == 60 - len(model.support_vectors_) - 1
    assert "stored-rows" in findings
    piped = make_pipeline(StandardScaler(), GridSearchCV(SVC(), {"C": [1.0]}, cv=2)).fit(X, Y)
    best = piped[-1].best_estimator_
    assert seen(piped)[0]["stored-rows"] == len(best.support_vectors_)
    calibrated = CalibratedClassifierCV(SVC(), ensemble=False, cv=2).fit(X, Y)
    assert seen(calibrated)[0]["stored-rows"] > 0


def test_each_part_is_met_with_the_rows_that_reach_it() -> None:
    model = make_pipeline(StandardScaler(), GridSearchCV(DecisionTreeClassifier(), {"max_depth": [2]}, cv=2)).fit(X, Y)
    parts = {part.name: part for part in fitted_parts(model, X)}
    assert list(parts) == ["Pipeline", "StandardScaler", "GridSearchCV", "DecisionTreeClassifier"]
    np.testing.assert_array_equal(parts["StandardScaler"].rows, X)
    np.testing.assert_allclose(parts["DecisionTreeClassifier"].rows, model[0].transform(X))
    [whole] = fitted_parts(len, X)
    assert whole.thing is len


def test_ensembles_and_what_wraps_a_model_hold_nothing_that_is_left_unread() -> None:
    tree = DecisionTreeClassifier(max_depth=1)
    models = (
        RandomForestClassifier(2),
        AdaBoostClassifier(n_estimators=2),
        BaggingClassifier(KNeighborsClassifier(), n_estimators=2),
        make_pipeline(RFE(tree, n_features_to_select=2), tree),
        make_pipeline(SelectFromModel(RandomForestClassifier(2)), tree),
        SelfTrainingClassifier(tree),
    )
    labels = np.where(np.arange(60) < 50, Y, -1)  # some unknown, for self-training
    assert [look(model.fit(X, labels)).not_read for model in models] == [[]] * len(models)


def test_a_frozen_model_is_looked_into() -> None:
    frozen = FrozenEstimator(FrozenEstimator(KNeighborsClassifier().fit(X, Y)))
    assert [part.name for part in fitted_parts(frozen, X)] == ["KNeighborsClassifier"]
    assert seen(CalibratedClassifierCV(frozen).fit(X, Y))[0]["stored-rows"] == 60
