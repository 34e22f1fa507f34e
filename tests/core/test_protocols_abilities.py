"""A model or a trainer of the bare protocol has every ability's default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.protocols import Model, ModelAbilities, Trainer, TrainerAbilities
from gnomon.models import torch as networks
from gnomon.models.sklearn import SklearnTrainer

X, Y = np.arange(12.0)[:, None].astype(np.float32), np.arange(12) % 2


class BareModel:
    n_classes = 2

    def log_probs(self, x: Rows) -> Floats:
        return np.full((len(x), 2), np.log(0.5), np.float32)


class BareTrainer:
    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[BareModel]:
        return [BareModel() for _ in rows]

    def recipe(self) -> dict[str, Any]:
        return {"kind": "bare"}

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:
        return 1


class Nothing:
    def on_network(self, network: Any) -> Trainer | None:
        return network

    def on_estimator(self, trainer: Any) -> Trainer | None:
        return trainer


@pytest.mark.parametrize("model", [BareModel(), None], ids=["bare", "none"])
def test_a_model_of_the_bare_protocol_can_do_nothing_else(model: Model | None) -> None:
    able = ModelAbilities.of(model)
    assert dict(able.facts) == {}
    assert (able.whole, able.one_column, able.observable) == (True, False, frozenset())
    found = [
        able.plain, able.known, able.clone_recipe(), able.recipe_again(BareTrainer()), able.training_rows(),
        able.gradients(X, Y), able.losses_over_training(X, Y, 2), able.last_layer(X, Y),
    ]  # fmt: skip
    assert found == [None] * len(found)


@pytest.mark.parametrize("trainer", [BareTrainer(), None], ids=["bare", "none"])
def test_a_trainer_of_the_bare_protocol_can_do_nothing_else(trainer: Trainer | None) -> None:
    able = TrainerAbilities.of(trainer)
    found = [
        able.network, able.of_what, able.promised_delta, able.promised_epsilon(10, 1e-5), able.stacking_note(X, 2),
        able.for_labels(("a", "b"), None), able.watching(X, Y, 2), able.changed(Nothing()),
    ]  # fmt: skip
    assert found == [None] * len(found)
    assert able.observable == frozenset()


def test_estimators_bring_their_recipe_and_show_their_stages() -> None:
    trainer = SklearnTrainer(GradientBoostingClassifier(n_estimators=3))
    [model] = trainer.train(X, Y, 2, [np.arange(12)], [0])
    able = ModelAbilities.of(model)
    assert able.observable == TrainerAbilities.of(trainer).observable == {"checkpoints"}
    recipe = able.clone_recipe()
    assert isinstance(recipe, SklearnTrainer)
    assert able.recipe_again(recipe) is not None
    assert able.recipe_again(SklearnTrainer(LogisticRegression())) is None
    assert TrainerAbilities.of(trainer).changed(Nothing()) is trainer


def test_networks_are_found_inside_of_what_wraps_them() -> None:
    pytest.importorskip("torch")
    network = networks.TorchTrainer(hidden=(4,), epochs=2)
    for trainer in (network, networks.DPTrainer(network, noise=1.0), networks.SelenaTrainer(network, 4, 2)):
        assert TrainerAbilities.of(trainer).network is network
        changed = TrainerAbilities.of(trainer).changed(Nothing())
        assert type(changed) is type(trainer)
        assert trainer.stacking_note(X, 2)
    assert networks.DPTrainer(network, noise=1.0, delta=1e-3).promised_delta == 1e-3
