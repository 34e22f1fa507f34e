"""What a service puts in the place of a plain model."""

from functools import cache

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted
from tests.mitigations.answers import known

from gnomon.core.errors import UsageError
from gnomon.mitigations import MITIGATIONS, make_mitigation
from gnomon.mitigations.serving import MitigatedClassifier, serve
from gnomon.models import torch as networks
from gnomon.models.callable import CallableModel
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import MitigatedModel
from gnomon.models.torch.model import TorchModel

CLASSES = 10
TEXTS = [text for m in MITIGATIONS if m.acts_on == "answers" for text in m.examples]


@cache
def fitted(text, c=CLASSES):
    return make_mitigation(text).fit(known(c), c, 3)


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    names = np.array([f"digit {i}" for i in range(10)])[y]
    return x[:600], names[:600], make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(x[:600], names[:600])


@pytest.mark.parametrize("text", TEXTS)
def test_an_estimator_keeps_its_interface_behind_every_mitigation(text, digits):
    x, y, estimator = digits
    served = MitigatedClassifier(estimator, fitted(text))
    plain, shown = estimator.predict_proba(x[:50]), served.predict_proba(x[:50])
    assert shown.shape == plain.shape
    np.testing.assert_array_equal(served.classes_, estimator.classes_)
    np.testing.assert_array_equal(served.predict(x[:50]), served.classes_[shown.argmax(axis=1)])
    model = SklearnModel(estimator, tuple(estimator.classes_))
    np.testing.assert_allclose(shown, np.exp(MitigatedModel(model, fitted(text)).log_probs(x[:50])), atol=1e-6)
    if make_mitigation(text).keeps_label:
        np.testing.assert_array_equal(served.predict(x[:50]), estimator.predict(x[:50]))
    assert 0 <= served.score(x[:50], y[:50]) <= 1


def test_scikit_learn_takes_it_for_a_fitted_classifier_that_stays_as_it_is(digits):
    x, y, estimator = digits
    served = MitigatedClassifier(estimator, fitted("top3"))
    check_is_fitted(served)
    assert clone(served) is served
    assert served.fit(x[:5], y[:5]) is served
    assert served.n_features_in_ == 64
    assert make_pipeline(StandardScaler(with_mean=False, with_std=False), served).fit(x, y).predict(x[:3]).shape == (3,)
    assert cross_val_score(served, x, y, cv=2).min() > 0.9
    assert served.get_params(deep=False)["estimator"] is estimator


def test_columns_stand_in_the_estimator_s_order_and_unknown_classes_are_left_out():
    x = np.arange(12.0)[:, None]
    estimator = LogisticRegression().fit(x, np.repeat(["b", "c"], 6))
    served = MitigatedClassifier(estimator, fitted("top2", 3), classes=("a", "b", "c"))
    np.testing.assert_allclose(served.predict_proba(x), estimator.predict_proba(x), atol=1e-6)
    np.testing.assert_array_equal(served.predict(x), estimator.predict(x))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("outputs", ["logits", "log_probabilities", "probabilities"])
def test_a_module_keeps_its_interface_behind_every_mitigation(text, outputs):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    tail = {
        "logits": torch.nn.Identity(),
        "log_probabilities": torch.nn.LogSoftmax(1),
        "probabilities": torch.nn.Softmax(1),
    }
    network = torch.nn.Sequential(torch.nn.Linear(4, CLASSES), tail[outputs])
    plain = TorchModel(network, CLASSES, outputs, device="cpu")
    module = serve(MitigatedModel(plain, fitted(text)))
    assert isinstance(module, torch.nn.Module)
    x = torch.randn(20, 4)
    out = module(x)
    assert out.shape == (20, CLASSES)
    assert out.dtype == network(x).dtype
    shown = MitigatedModel(plain, fitted(text)).log_probs(x.numpy())
    as_shown = out.log() if outputs == "probabilities" else out
    changed = np.abs(np.exp(as_shown.numpy()) - np.exp(shown)).max(axis=1) > 1e-4
    assert changed.mean() <= 0.1  # a draw may follow from an answer's last bits
    assert {name.removeprefix("network.") for name in module.state_dict()} == set(network.state_dict())


def test_serve_gives_back_the_estimator_s_interface(digits):
    x, _, estimator = digits
    served = serve(MitigatedModel(SklearnModel(estimator, tuple(estimator.classes_)), fitted("top1")))
    assert isinstance(served, MitigatedClassifier)
    assert ((served.predict_proba(x[:5]) > 0).sum(axis=1) == 1).all()


def test_a_function_has_no_interface_to_keep():
    model = CallableModel(lambda x: np.tile([0.5, 0.5], (len(x), 1)))
    with pytest.raises(UsageError, match="expected a scikit-learn model or a torch network, got CallableModel"):
        serve(MitigatedModel(model, fitted("top1")))
    with pytest.raises(UsageError, match="expected a model behind a mitigation of its answers, got"):
        serve(model)


def test_a_network_of_another_shape_is_not_served_in_silence():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"."):
        networks.MitigatedModule(torch.nn.Identity(), fitted("memguard:1"))(torch.zeros(2, 3))


@pytest.mark.parametrize("text", TEXTS)
def test_a_fitted_mitigation_is_written_and_read_without_pickle(text, tmp_path):
    rows = known(CLASSES, seed=8).members
    file = tmp_path / "answers.skops"
    skops.io.dump(fitted(text), file)
    types = skops.io.get_untrusted_types(file=file)
    assert all(t.startswith(("gnomon.mitigations.", "numpy.", "builtins.")) for t in types), types
    np.testing.assert_array_equal(skops.io.load(file, trusted=types)(rows), fitted(text)(rows))
