"""Weights of torch networks; the network itself is described by a recipe. No code in the file is run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gnomon.core.errors import UsageError
from gnomon.core.protocols import Model, TrainerAbilities
from gnomon.models import torch as networks
from gnomon.models.readers.model_file import ModelFile, Use


def read(place: Path, trust: bool) -> ModelFile:  # noqa: ARG001 - every reader's arguments
    """The weights, still without a network."""

    def make(use: Use) -> Model:
        recipe = TrainerAbilities.of(use.recipe).network
        if recipe is None:
            raise UsageError(
                f'{place}: a file of weights needs the network in [trainer] (kind = "torch", module, hidden, ...)'
            )
        return networks.load_torch(place, recipe, np.shape(use.x)[1:], len(use.classes))

    return ModelFile(make)
