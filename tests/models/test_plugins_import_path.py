"""Objects by the path of their module."""

import pytest
from sklearn.ensemble import RandomForestClassifier

from gnomon.core.errors import UsageError
from gnomon.models import estimator_from_path


def test_estimators_by_path():
    forest = estimator_from_path("sklearn.ensemble:RandomForestClassifier", {"n_estimators": 3})
    assert isinstance(forest, RandomForestClassifier)
    own = estimator_from_path("tests.models.test_sklearn:Majority", {"smoothing": 3}, trust=True)
    assert own.smoothing == 3


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("os:system", {}, "give --trust"),
        ("sklearn.utils:shuffle", {}, "no public classifier"),
        ("sklearn.utils._testing:check_output", {"args": ["true"]}, "no public classifier"),
        ("sklearn.linear_model:Ridge", {}, "no public classifier"),
        ("sklearn.linear_model:RandomForestClassifier", {}, "no public classifier"),
        ("sklearn.ensemble:RandomForestClasifier", {}, 'did you mean "RandomForestClassifier"'),
        ("sklearn.ensemble:RandomForestClassifier", {"n_trees": 3}, 'no parameter "n_trees"'),
        ("sklearn.nothing:X", {}, "no public classifier"),
        ("sklearn.ensemble.RandomForestClassifier", {}, "expected a path such as"),
        ("sklearnish:X", {}, "give --trust"),
        ("sklearn.pipeline:Pipeline", {}, "no public classifier"),
        ("sklearn.calibration:CalibratedClassifierCV", {"estimater": 1}, 'no parameter "estimater"'),
    ],
)
def test_bad_paths_are_refused(path, params, message):
    with pytest.raises(UsageError, match=message):
        estimator_from_path(path, params)
