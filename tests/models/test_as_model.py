import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

import gnomon
from gnomon.core.errors import ModelError
from gnomon.models.as_model import as_model, known_classes
from gnomon.models.callable import CallableModel
from gnomon.models.sklearn import SklearnModel

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


ROWS, LABELS = np.arange(6.0)[:, None], np.array(["b", "a"] * 3)


def test_labels_are_known_where_a_classifier_names_them() -> None:
    assert known_classes(DecisionTreeClassifier().fit(ROWS, LABELS)) == ("a", "b")
    several = DecisionTreeClassifier().fit(ROWS, np.stack([LABELS, LABELS], axis=1))
    for silent in (DecisionTreeClassifier(), several, object()):
        assert known_classes(silent) is None


def test_a_model_stays_what_it_is() -> None:
    model = as_model(lambda x: x, ("a", "b"))
    assert isinstance(model, CallableModel)
    assert as_model(model, ("a", "b")) is model
    with pytest.raises(ModelError, match="expected a model of 3 classes, got one of 2"):
        as_model(model, ("a", "b", "c"))


def test_a_classifier_answers_in_the_data_sets_order() -> None:
    model = as_model(DecisionTreeClassifier().fit(ROWS, LABELS), ("b", "a"))
    assert isinstance(model, SklearnModel)
    np.testing.assert_array_equal(model.log_probs(ROWS).argmax(axis=1), [0, 1] * 3)


@pytest.mark.parametrize(
    ("thing", "words"),
    [(DecisionTreeClassifier, "got the class DecisionTreeClassifier; make and fit one first"), (3, "got builtins.int")],
)
def test_what_cannot_answer_is_named(thing: object, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        as_model(thing, ("a", "b"))


def test_a_bare_torch_module_is_told_its_wrapper() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ModelError, match=r"Linear is a torch module: wrap it in gnomon\.models\.TorchModel"):
        as_model(torch.nn.Linear(2, 2), ("a", "b"))


def test_a_search_that_was_told_in_fit_what_to_do_is_not_cloned():
    flaml = pytest.importorskip("flaml", reason="needs FLAML (extra automl)")
    search = flaml.AutoML()
    search.fit(X, Y, task="classification", max_iter=1, estimator_list=["lgbm"], verbose=0, n_jobs=1, time_budget=2)
    with pytest.raises(ModelError, match=r"told in fit.*automl\.model\.estimator.*function.*trainer=None"):
        gnomon.audit(search, (X, Y), (X + 0.1, Y), shadows=2, workers=1)
    record = gnomon.audit(search, (X, Y), (X + 0.1, Y), trainer=None, attacks=("loss",), workers=1).record
    assert record.shadows is None
