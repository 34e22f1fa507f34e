"""The fitted parts of a model, with the rows as they reach them."""

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tests.auditing.structure.test_examine import X, Y, seen

from gnomon.auditing.structure.parts import fitted_parts


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
