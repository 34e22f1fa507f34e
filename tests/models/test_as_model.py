import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

import gnomon
from gnomon.core.errors import ModelError
from gnomon.models import CallableModel, as_model

X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.where(X[:, 0] > 0, "yes", "no")


class Wrapper:
    """Answers, and does not name its classes."""

    def __init__(self, inner):
        self.inner = inner

    def predict_proba(self, x):
        return self.inner.predict_proba(x)


def test_what_only_answers_is_asked_for_probabilities_in_the_order_of_the_classes():
    inner = GaussianNB().fit(X, Y)
    model = as_model(Wrapper(inner), ("no", "yes"))
    assert isinstance(model, CallableModel)
    assert np.allclose(np.exp(model.log_probs(X)), inner.predict_proba(X), atol=1e-6)


def test_it_is_audited_without_shadow_models_and_the_record_states_the_order():
    wrapper = Wrapper(GaussianNB().fit(X, Y))
    record = gnomon.audit(wrapper, (X, Y), (X + 0.1, Y), attacks=("loss", "lira"), workers=1).record
    assert record.shadows is None
    assert record.answers_map is not None
    assert record.answers_map.sentence == (
        'The model\'s answers: "column 0" is class "no", "column 1" is class "yes" (by position, in the order of the '
        "classes)."
    )
    assert [a.status for a in record.attacks] == ["ok", "skipped"]


def test_an_estimator_that_is_not_fitted_is_still_refused():
    with pytest.raises(ModelError, match=r"not fitted \(no classes_\)"):
        as_model(GaussianNB(), ("no", "yes"))
