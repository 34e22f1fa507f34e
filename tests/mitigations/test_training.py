"""Every mitigation in training x every clause that all of them must keep, on each kind of trainer."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from tests.mitigations.trainers import ROWS, SEEDS, TRAINERS, X, Y, applied

from gnomon.core.errors import UsageError
from gnomon.core.protocols import Trainer
from gnomon.mitigations import MITIGATIONS, able, make_mitigation
from gnomon.models import TorchTrainer

IN_TRAINING = [
    make_mitigation(text)
    for m in MITIGATIONS
    if m.acts_on == "training"
    for text in m.examples
    if m.name != "dp" or "noise" in text  # the search for the noise takes seconds, and has tests of its own
]
every = pytest.mark.parametrize("mitigation", IN_TRAINING, ids=lambda m: m.label)


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
