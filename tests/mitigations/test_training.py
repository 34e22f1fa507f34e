"""Every mitigation in training x every clause that all of them must keep, on each kind of trainer."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.mitigations import MITIGATIONS, able, apply_in_training, make_mitigation
from gnomon.models import FunctionTrainer, SklearnTrainer, TorchTrainer

RNG = np.random.default_rng(0)
X = (RNG.random((90, 10)) < 0.4).astype(np.uint8)
Y = RNG.integers(0, 3, 90)
ROWS, SEEDS = [np.arange(60), np.arange(15, 55)], [7, 8]
REFERENCE = Reference((RNG.random((50, 10)) < 0.4).astype(np.uint8), RNG.integers(0, 3, 50))
IN_TRAINING = [
    make_mitigation(text)
    for m in MITIGATIONS
    if m.acts_on == "training"
    for text in m.examples
    if m.name != "dp" or "noise" in text  # the search for the noise takes seconds, and has tests of its own
]
every = pytest.mark.parametrize("mitigation", IN_TRAINING, ids=lambda m: m.label)


def uniform(x: Any, y: Any, n_classes: int, seed: int) -> Any:
    return lambda rows: np.full((len(rows), n_classes), 1 / n_classes)


TRAINERS: dict[str, Any] = {
    "network": TorchTrainer(hidden=(12,), batch=10, epochs=9, device="cpu"),
    "logistic": SklearnTrainer(make_pipeline(StandardScaler(), LogisticRegression())),
    "svm": SklearnTrainer(SVC(probability=True)),
    "sgd": SklearnTrainer(SGDClassifier(loss="log_loss")),
    "sklearn network": SklearnTrainer(MLPClassifier((5,), max_iter=80, learning_rate_init=0.03)),
    "tree": SklearnTrainer(DecisionTreeClassifier()),
    "forest": SklearnTrainer(RandomForestClassifier(5)),
    "boosting": SklearnTrainer(GradientBoostingClassifier(n_estimators=3, max_depth=12)),
    "histogram boosting": SklearnTrainer(HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2)),
    "bayes": SklearnTrainer(GaussianNB()),
    "function": FunctionTrainer(uniform),
}


def applied(mitigation: Any, trainer: Any) -> Trainer:
    return apply_in_training(mitigation, trainer, REFERENCE)


@every
@pytest.mark.parametrize("name", TRAINERS)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*probability.*")
def test_a_trainer_does_what_it_says_it_can_and_refuses_the_rest_in_one_line(name: str, mitigation: Any) -> None:
    trainer = TRAINERS[name]
    if mitigation.name in able(trainer):
        made = applied(mitigation, trainer)
        models = made.train(X, Y, 3, ROWS, SEEDS)
        assert [type(model) for model in models] == [type(m) for m in trainer.train(X, Y, 3, ROWS, SEEDS)]
        assert made.recipe() != trainer.recipe()
        return
    with pytest.raises(UsageError) as caught:
        applied(mitigation, trainer)
    line = str(caught.value)
    assert "\n" not in line
    assert mitigation.name in line
    assert "cannot do that" in line
    assert all(option in line for option in able(trainer))


@every
def test_the_protocol_of_trainers_is_kept(mitigation: Any) -> None:
    trainer = next(t for t in TRAINERS.values() if mitigation.name in able(t))
    made = applied(mitigation, trainer)
    assert isinstance(made, Trainer)
    assert json.loads(json.dumps(made.recipe())) == made.recipe()
    assert made.recipe() == pickle.loads(pickle.dumps(made)).recipe()  # noqa: S301 - our own bytes
    assert made.batch_size(X, 3, 60) >= 1
    assert list(made.train(X, Y, 3, [], [])) == []
    both = made.train(X, Y, 3, ROWS, SEEDS)
    again = made.train(X, Y, 3, ROWS, SEEDS)
    [alone] = made.train(X, Y, 3, ROWS[1:], SEEDS[1:])
    [other] = made.train(X, Y, 3, ROWS[1:], [99])
    for model, twin in zip(both, again, strict=True):
        np.testing.assert_array_equal(model.log_probs(X), twin.log_probs(X))
    np.testing.assert_allclose(both[1].log_probs(X), alone.log_probs(X), atol=1e-4)
    if isinstance(trainer, TorchTrainer):
        assert np.abs(other.log_probs(X) - alone.log_probs(X)).max() > 1e-3
    probabilities = np.exp(both[0].log_probs(X).astype(np.float64))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)


@every
def test_a_trainer_is_not_changed(mitigation: Any) -> None:
    for trainer in TRAINERS.values():
        before = trainer.recipe()
        if mitigation.name in able(trainer):
            applied(mitigation, trainer)
        assert trainer.recipe() == before


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dropout:1.5", 'rate must be a number > 0 and <= 0.99, got "1.5"'),
        ("dropout", "rate must be a number"),
        ("l2:-1", 'lambda must be a number > 0, got "-1"'),
        ("l2:0", "lambda must be a number > 0"),
        ("l2:1e-3x", 'got "1e-3x"'),
        ("early_stopping:0", "patience must be a whole number >= 1"),
        ("label_smoothing:1.1", "share must be a number > 0 and <= 1"),
        ("augmentation:0.5", "rate must be a number > 0 and <= 0.49"),
        ("relaxloss:-0.1", "alpha must be a number >= 0"),
        ("hamp_training:0", "gamma must be a number > 0 and <= 1"),
        ("selena:5", "submodels L without a row, as in selena:K:L, must be a whole number >= 1"),
        ("selena:3:3", "L must be less than K, got K = 3 and L = 3"),
        ("adversarial", "lambda must be a number > 0, got none"),
        ("adversarial:0", 'lambda must be a number > 0, got "0"'),
        ("adversarial:3:step=2", 'got "step=2" (did you mean "steps"?)'),
        ("adversarial:3:steps=0", "expected steps to be 1 or more, got 0"),
        ("adversarial:3:sees=labels", "expected sees to be logits or probabilities, got 'labels'"),
        ("depth:0", "depth must be a whole number >= 1"),
        ("leaf:1", "rows must be a whole number >= 2"),
        ("drop_out:0.5", 'no mitigation is called "drop_out" (did you mean "dropout"?)'),
    ],
)
def test_a_strength_that_cannot_be_is_refused_in_one_line(text: str, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_mitigation(text)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_game_without_rows_set_aside_is_refused() -> None:
    with pytest.raises(UsageError, match=r"set data\.reference_size"):
        make_mitigation("adversarial:3").apply(TRAINERS["network"], None)


def test_what_is_applied_later_reaches_the_network_inside() -> None:
    for first in ("selena:5:2", "adversarial:3", "dp:noise=1"):
        made = applied(make_mitigation("l2:0.5"), applied(make_mitigation(first), TRAINERS["network"]))
        assert made.trainer.weight_decay == 0.5  # type: ignore[attr-defined]
        assert type(made) is type(applied(make_mitigation(first), TRAINERS["network"]))
    with pytest.raises(UsageError, match="cannot do that"):
        applied(make_mitigation("selena"), applied(make_mitigation("adversarial:3"), TRAINERS["network"]))


def test_two_losses_at_once_are_refused() -> None:
    once = applied(make_mitigation("relaxloss:0.5"), TRAINERS["network"])
    with pytest.raises(UsageError, match="already trained for relaxloss; take one of the two"):
        applied(make_mitigation("label_smoothing:0.1"), once)


def test_l2_shrinks_weights_and_dropout_needs_a_network_of_ours() -> None:
    network = replace(TRAINERS["network"], epochs=60)
    sizes = []
    for strength in ("1e-4", "1e-1"):
        [model] = applied(make_mitigation(f"l2:{strength}"), network).train(X, Y, 3, ROWS[:1], [0])
        sizes.append(sum(float((p.detach() ** 2).sum()) for p in model.network.parameters()))  # type: ignore[attr-defined]
    assert sizes[1] < 0.9 * sizes[0]
    with pytest.raises(UsageError, match="cannot do that"):
        applied(make_mitigation("dropout:0.5"), TorchTrainer(hidden=()))


@pytest.mark.parametrize("name", ["logistic", "svm", "sgd", "sklearn network", "histogram boosting"])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*probability.*")
def test_a_strong_l2_flattens_scikit_learns_estimators(name: str) -> None:
    def certainty(text: str) -> float:
        [model] = applied(make_mitigation(text), TRAINERS[name]).train(X, Y, 3, ROWS[:1], [0])
        return float(np.exp(model.log_probs(X[ROWS[0]])).max(axis=1).mean())

    assert certainty("l2:1") < certainty("l2:1e-6")


def test_bounds_on_trees_never_loosen_what_is_there() -> None:
    strict = SklearnTrainer(make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=2, min_samples_leaf=30)))
    for text in ("depth:8", "leaf:20"):
        assert applied(make_mitigation(text), strict).recipe() == strict.recipe()
    loose = applied(make_mitigation("leaf:20"), TRAINERS["tree"])
    [model] = loose.train(X, Y, 3, ROWS[:1], [0])
    assert np.bincount(model.estimator.apply(X[ROWS[0]])).max() >= 20  # type: ignore[attr-defined]
    assert min(c for c in np.bincount(model.estimator.apply(X[ROWS[0]])) if c) >= 20  # type: ignore[attr-defined]


def test_a_plain_scikit_learn_recipe_says_nothing_of_l2() -> None:
    assert list(TRAINERS["tree"].recipe()) == ["kind", "sklearn", "estimator"]


OTHERS = "augmentation relaxloss hamp_training selena adversarial dp"


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (
            "network",
            "l2 dropout early_stopping label_smoothing augmentation relaxloss hamp_training selena adversarial dp",
        ),
        ("logistic", "l2"),
        ("tree", "depth leaf"),
        ("function", ""),
    ],
)
def test_what_a_trainer_can_do_is_asked_of_the_mitigations_themselves(name: str, names: str) -> None:
    assert able(TRAINERS[name]) == names.split()


def test_a_recipe_with_an_objective_of_its_own_can_do_no_other() -> None:
    smoothed = applied(make_mitigation("label_smoothing:0.1"), TRAINERS["network"])
    assert not set(able(smoothed)) & {"label_smoothing", "relaxloss", "hamp_training"}
    assert "l2" in able(smoothed)
