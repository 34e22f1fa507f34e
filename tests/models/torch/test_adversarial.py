"""The min-max game: its signal against autograd, its schedule, its curves, and what it does to a leak."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gnomon.core.errors import DataError, UsageError  # noqa: E402
from gnomon.models.game import Game  # noqa: E402
from gnomon.models.torch.adversarial import AdversarialTrainer, InferenceNetworks  # noqa: E402
from gnomon.models.torch.networks import tensor_rows  # noqa: E402
from gnomon.models.torch.stacks.mlp_stack import MlpStack  # noqa: E402
from gnomon.models.torch.stacks.stacked_training import Sparring  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(200, 20)).astype(np.float32), RNG.integers(0, 4, 200)
SMALL = Game(answer_hidden=(16,), label_hidden=(8,), joint_hidden=(8,), batch=20, steps=2, warm_up=1, head_start=2)
RECIPE = TorchTrainer(hidden=(24,), epochs=4, batch=20, learning_rate=0.01, device="cpu")


def game_of(game: Game, networks: int) -> tuple[InferenceNetworks, MlpStack]:
    rows, labels = tensor_rows(X, "flat", "cpu"), torch.tensor(Y)
    seeds = range(networks)
    modules = [torch.nn.Sequential(torch.nn.Linear(20, 4)) for _ in seeds]
    met = InferenceNetworks(game, (rows, labels), (rows, labels), 4, seeds, None)
    return met, MlpStack(modules, "tanh", "cpu")


def test_the_schedule_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    attack = InferenceNetworks._attack

    def counted(self: Any, stack: Any, slot: int, each: Sparring, match: Any, many: int) -> None:
        steps.append(many)
        attack(self, stack, slot, each, match, many)

    monkeypatch.setattr(InferenceNetworks, "_attack", counted)
    met, stack = game_of(SMALL, 1)
    with torch.no_grad():
        met.spar(stack, [Sparring(0, np.arange(100), 0)])
        assert steps == []  # the classifier warms up
        met.spar(stack, [Sparring(0, np.arange(100), 1)])
        assert sum(steps) == math.ceil(2 * 100 / 20) + 2
        met.spar(stack, [Sparring(0, np.arange(100), 1)])
        assert sum(steps) == math.ceil(2 * 100 / 20) + 4


@pytest.mark.parametrize("stack", ["auto", "never"])
def test_a_network_is_the_same_alone_and_in_a_stack(stack: Any) -> None:
    trainer = AdversarialTrainer(replace(RECIPE, stack=stack), X[150:], Y[150:], SMALL)
    rows, seeds = [np.arange(100), np.arange(30, 71)], [5, 6]  # unequal: one finishes, and leaves its slot
    both = trainer.train(X, Y, 4, rows, seeds)
    plain = trainer.trainer.train(X, Y, 4, rows, seeds)
    for i, model in enumerate(both):
        [alone] = trainer.train(X, Y, 4, [rows[i]], [seeds[i]])
        assert np.abs(model.log_probs(X) - alone.log_probs(X)).max() < 1e-4
        assert np.abs(model.log_probs(X) - plain[i].log_probs(X)).max() > 1e-3
        assert alone.facts["adversarial"]["gain"] == pytest.approx(model.facts["adversarial"]["gain"], abs=1e-4)


def test_the_games_two_losses_are_told_as_curves() -> None:
    [model] = AdversarialTrainer(RECIPE, X[150:], Y[150:], SMALL).train(X, Y, 4, [np.arange(100)], [0])
    curves = model.facts["adversarial"]
    assert set(curves) == {"loss", "gain", "accuracy"}
    assert all(len(curve) == RECIPE.epochs for curve in curves.values())
    assert curves["gain"][0] == pytest.approx(-math.log(2), abs=1e-5)  # nobody has guessed yet
    assert curves["accuracy"][0] == 0.5
    assert curves["loss"][0] == pytest.approx(math.log(4), abs=0.4)
    assert curves["gain"][1] == pytest.approx(-math.log(2), abs=0.2)
    assert any(value != 0.5 for value in curves["accuracy"][1:])
    assert all(0 <= value <= 1 for value in curves["accuracy"])
    assert pickle.loads(pickle.dumps(model)).facts == model.facts  # noqa: S301 - our own bytes


def test_the_leak_of_labels_of_chance_is_closed() -> None:
    """Rows that can only be learnt by heart: an attacker in the game keeps the network from being sure of them."""
    members, others = np.arange(100), np.arange(150, 200)
    recipe = replace(RECIPE, epochs=40)
    rules = replace(SMALL, strength=10.0, steps=6, learning_rate=3e-3)
    models = [
        recipe.train(X, Y, 4, [members], [0])[0],
        AdversarialTrainer(recipe, X[100:150], Y[100:150], rules).train(X, Y, 4, [members], [0])[0],
    ]
    gaps = [
        float(m.log_probs(X)[members, Y[members]].mean() - m.log_probs(X)[others, Y[others]].mean()) for m in models
    ]
    assert gaps[1] < 0.5 * gaps[0]


def test_the_recipe_knows_the_reference_rows_and_every_rule() -> None:
    recipe = AdversarialTrainer(RECIPE, X[150:], Y[150:], SMALL).recipe()
    assert set(recipe["game"]) == set(Game.__dataclass_fields__)
    assert recipe != AdversarialTrainer(RECIPE, X[149:], Y[149:], SMALL).recipe()
    assert recipe != AdversarialTrainer(RECIPE, X[150:], Y[150:], replace(SMALL, steps=3)).recipe()
    assert recipe == AdversarialTrainer(RECIPE, X[150:].copy(), Y[150:].copy(), SMALL).recipe()


def test_a_game_that_would_never_begin_is_refused() -> None:
    with pytest.raises(UsageError, match="would never begin: warm_up is 4, the training has 4 epochs"):
        AdversarialTrainer(RECIPE, X[150:], Y[150:], replace(SMALL, warm_up=4))


def test_reference_rows_are_checked() -> None:
    with pytest.raises(UsageError, match="reference"):
        AdversarialTrainer(RECIPE, X[:0], Y[:0])
    with pytest.raises(DataError, match="reference rows"):
        AdversarialTrainer(RECIPE, X[:3], np.array([0, 1, 9]), SMALL).train(X, Y, 4, [np.arange(9)], [0])
