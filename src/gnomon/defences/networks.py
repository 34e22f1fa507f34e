"""Where a mitigation in training takes hold: the network's recipe in a trainer, however it is wrapped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from gnomon.core.errors import UsageError
from gnomon.core.protocols import Trainer
from gnomon.defences.estimators import possible_for
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch_stacks import Objective
from gnomon.models.torch_trainer import TorchTrainer

FOR_NETWORKS = (
    "l2",
    "dropout",
    "early_stopping",
    "label_smoothing",
    "augmentation",
    "relaxloss",
    "hamp_training",
    "selena",
    "adversarial",
    "dp",
)


def change_network(trainer: Trainer, name: str, change: Callable[[TorchTrainer], TorchTrainer]) -> Trainer:
    """A trainer whose network is trained another way; a trainer that wraps another is changed inside.

    Raises:
        UsageError: it trains no network, or none that is known here.
    """
    if isinstance(trainer, TorchTrainer):
        return change(trainer)
    wrapper: Any = trainer  # of its own kind, round a trainer that it calls so
    if isinstance(getattr(wrapper, "trainer", None), Trainer):
        changed: Trainer = dataclasses.replace(wrapper, trainer=change_network(wrapper.trainer, name, change))
        return changed
    raise cannot(trainer, name)


def train_for(trainer: Trainer, name: str, objective: Objective) -> Trainer:
    """A trainer whose network is trained for an objective.

    Raises:
        UsageError: it trains no network, or already has an objective.
    """

    def change(network: TorchTrainer) -> TorchTrainer:
        if network.objective is not None:
            had = getattr(network.objective, "name", type(network.objective).__name__)
            raise UsageError(f'mitigation "{name}": the network is already trained for {had}; take one of the two')
        return dataclasses.replace(network, objective=objective)

    return change_network(trainer, name, change)


def cannot(trainer: Trainer, name: str) -> UsageError:
    """The line for a mitigation that a trainer can't do, with those that it can."""
    if isinstance(trainer, SklearnTrainer):
        what, able = type(trainer.estimator).__name__, possible_for(trainer.estimator)
    else:
        what = type(trainer).__name__
        able = FOR_NETWORKS if isinstance(getattr(trainer, "trainer", trainer), TorchTrainer) else ()
    can = f"in training it can do {', '.join(able)}" if able else "it can do none in training"
    return UsageError(f'mitigation "{name}": {what} cannot do that; {can}, and every mitigation of the answers works')
