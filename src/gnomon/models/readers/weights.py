"""Weights of torch networks, which a recipe describes; no code in the file is run. Programs of torch need trust."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gnomon.core.errors import UsageError
from gnomon.core.protocols import Model, TrainerAbilities
from gnomon.models import torch as networks
from gnomon.models.callable import CallableModel
from gnomon.models.readers.model_file import ModelFile, Use


def read(place: Path, trust: bool) -> ModelFile:
    """The weights, still without a network; or a program, which is one by itself."""

    def make(use: Use) -> Model:
        if networks.is_program(place):
            if not trust:
                raise UsageError(networks.needs_trust(place))
            return CallableModel(networks.load_program(place), use.outputs, len(use.classes), name=place.name)
        recipe = TrainerAbilities.of(use.recipe).network
        if recipe is None:
            raise UsageError(
                f'{place}: a file of weights needs the network in [trainer] (kind = "torch", module, hidden, ...)'
            )
        return networks.load_torch(place, recipe, np.shape(use.x)[1:], len(use.classes))

    return ModelFile(make)
