from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

import gnomon
from gnomon.auditing.inputs.given_answers import FunctionTarget, read_as_it_is
from gnomon.core.data.dataset import make_dataset
from gnomon.core.errors import ModelError
from gnomon.models.callable import CallableModel

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2 * N, 3))
Y = np.array(["a", "b", "c"])[np.digitize(X[:, 0] + RNG.normal(size=2 * N), [-0.5, 0.5])]
IN, OUT = (X[:N], Y[:N]), (X[N:], Y[N:])
TREE = DecisionTreeClassifier(max_depth=5, random_state=0).fit(*IN)
DATA = make_dataset(X, Y)


def largest(x: Any, k: int, hidden: float) -> Any:
    p = TREE.predict_proba(x) * 0.99 + [0.0033, 0.0032, 0.0031]  # no two are equal
    return np.where(p >= np.sort(p, axis=1)[:, -k][:, None], p, hidden)


KINDS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "an array": (TREE.predict_proba, "full", "position"),
    "a list": (lambda x: TREE.predict_proba(x).tolist(), "full", "position"),
    "a frame in another order": (
        lambda x: pd.DataFrame(TREE.predict_proba(x), columns=TREE.classes_)[["c", "a", "b"]],
        "full",
        "name",
    ),
    "a list of maps": (
        lambda x: pd.DataFrame(TREE.predict_proba(x), columns=TREE.classes_).to_dict("records"),
        "full",
        "name",
    ),
    "per cent": (lambda x: 100 * TREE.predict_proba(x), "full", "position"),
    "the largest": (lambda x: largest(x, 1, 0.0), "top:1", "position"),
    "the two largest, gaps": (lambda x: largest(x, 2, np.nan), "top:2", "position"),
    "labels": (TREE.predict, "labels", "name"),
    "labels in a column": (lambda x: TREE.predict(x)[:, None], "labels", "name"),
    "labels in a series": (lambda x: pd.Series(TREE.predict(x)), "labels", "name"),
    "labels with their probability": (
        lambda x: [{"label": k, "score": p} for k, p in zip(TREE.predict(x), largest(x, 1, 0).max(1), strict=True)],
        "top:1",
        "name",
    ),
}


@pytest.mark.parametrize(("function", "reveals", "rule"), KINDS.values(), ids=KINDS)
def test_answers_are_read_as_what_they_are(function: Callable[[Any], Any], reveals: str, rule: str) -> None:
    model = read_as_it_is(CallableModel(function, n_classes=3), DATA, "full")
    assert isinstance(model, FunctionTarget)
    assert (model.shown.reveals, model.shown.rule) == (reveals, rule)
    answers = np.exp(model.log_probs(X))
    assert answers.shape == (2 * N, 3)
    assert (answers.argmax(axis=1) == np.searchsorted(TREE.classes_, TREE.predict(X))).all()
    if reveals == "full":
        np.testing.assert_allclose(answers, TREE.predict_proba(X), atol=1e-6)
        assert model.log_probs(X[:1]).shape == (1, 3)
        assert model.log_probs(X[:0]).shape == (0, 3)


def test_a_function_and_its_answers_give_the_same_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Python and from a plan."""
    function, options = KINDS["labels"][0], {"attacks": ("gap", "loss"), "workers": 1}
    record = gnomon.audit(function, IN, OUT, trainer=None, **options).record
    answers = (function(X[:N]), function(X[N:]))
    other = gnomon.audit(None, IN, OUT, answers=answers, trainer=None, **options).record
    assert record.threat_model.reveals == other.threat_model.reveals == "the predicted label only"
    assert [a.auc for a in record.attacks] == [a.auc for a in other.attacks]
    [said] = [f.explanation for f in record.findings if f.code == "model-as-read"]
    assert said == "The function's answers are predicted labels only."

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name, (x, y) in {"in": IN, "out": OUT}.items():
        np.savez(f"{name}.npz", x=x, y=y)
    (tmp_path / "answering_labels.py").write_text(
        f"from {__name__} import TREE\n\n\ndef answer(x):\n    return TREE.predict(x)\n"
    )
    plan = gnomon.make_plan(
        {
            "target": {"callable": "answering_labels:answer"},
            "data": {"members": "in.npz", "nonmembers": "out.npz"},
            "trainer": {"kind": "none"},
            "attacks": {"names": ["gap", "loss"]},
        },
        "audit",
    )
    planned = gnomon.audit_plan(plan, tmp_path / "run", gnomon.Settings(workers=1, trust=True)).record
    assert planned.threat_model == record.threat_model
    assert [a.auc for a in planned.attacks] == [a.auc for a in record.attacks]


def test_shadow_models_answer_through_the_same_step() -> None:
    recipe = {"kind": "sklearn", "estimator": "sklearn.tree:DecisionTreeClassifier"}
    options = {"attacks": ("lira_offline",), "shadows": 2, "workers": 1}
    labels = gnomon.audit(TREE.predict, IN, OUT, trainer=recipe, **options).record.attacks[0].auc
    said = {"target": {"reveals": "labels"}}
    assert (
        gnomon.audit(TREE.predict_proba, IN, OUT, trainer=recipe, plan=said, **options).record.attacks[0].auc == labels
    )


def test_what_the_plan_says_is_believed() -> None:
    rounded = CallableModel(lambda x: TREE.predict_proba(x).round(1), n_classes=3)
    with pytest.raises(ModelError, match=r'say so: target.reveals = "rounded:2" or "top:3"'):
        read_as_it_is(CallableModel(lambda x: np.where(x[:, :1] > 1, 0.5, TREE.predict_proba(x))), DATA, "full")
    model = read_as_it_is(rounded, DATA, "rounded:1")
    assert isinstance(model, FunctionTarget)
    assert model.log_probs(X).shape == (2 * N, 3)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: None, "expected an array"),
        (lambda x: 0.5, "expected an array"),
        (lambda x: (TREE.predict(x), TREE.predict_proba(x)), "tuple of unequal rows"),
        (lambda x: TREE.predict_proba(x)[1:], "expected 120 rows, one for each audited row, got 119"),
        (lambda x: np.full(len(x), "d"), r'the label "d" is none of the classes \(a, b, c\)'),
        (lambda x: TREE.predict_proba(x).argmax(axis=1), r"labels alone must be the classes' names \(a, b, c\)"),
        (lambda x: 1 / 0, "failed on rows of shape"),
    ],
)
def test_the_rest_is_one_line(function: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        read_as_it_is(CallableModel(function, n_classes=3), DATA, "full")
    assert "\n" not in str(caught.value)


def test_answers_that_become_others_are_refused() -> None:
    model = read_as_it_is(
        CallableModel(lambda x: TREE.predict_proba(x) if len(x) == 2 * N else largest(x, 1, 0.0), n_classes=3),
        DATA,
        "full",
    )
    assert model is not None
    with pytest.raises(ModelError, match="were whole probabilities, and are top:1 now"):
        model.log_probs(X[:50])
