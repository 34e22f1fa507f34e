"""What readers of model files have in common: what they return, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gnomon.core.arrays import Rows
from gnomon.core.errors import ModelError
from gnomon.core.outputs import Outputs
from gnomon.core.protocols import Model
from gnomon.models.as_model import as_model, as_trained, known_classes, known_columns


@dataclass(frozen=True)
class Use:
    """What a file's model shall answer for.

    Attributes:
        classes: the data set's c class names, in the order of their ids.
        outputs: what the model's answers are, where the file does not say it.
        x: all rows of the audit: their shape, and the values of columns of text.
        members: how many rows the model was trained on, as far as these are known.
        recipe: recipe of the network that weights belong to (`gnomon.models.TorchTrainer`), if one is given.
    """

    classes: Sequence[str]
    outputs: Outputs = "probabilities"
    x: Rows = None
    members: int | None = None
    recipe: Any = None


@dataclass(frozen=True)
class ModelFile:
    """A file that was read.

    Attributes:
        model: makes the model.
        known: the labels that it knows, in the order of its answers; None where the file does not name them.
        columns: the names of the columns that it was trained on, in its order; None where it does not name them.
        rows: the rows of the audit as it was trained on them: text as categories where it was.
    """

    model: Callable[[Use], Model]
    known: tuple[Any, ...] | None = None
    columns: tuple[str, ...] | None = None
    rows: Callable[[Rows], Rows] = lambda x: x


def object_in(place: object, thing: Any) -> ModelFile:
    """A file that held a Python object."""

    def make(use: Use) -> Model:
        try:
            return as_model(thing, tuple(use.classes), outputs=use.outputs)
        except ModelError as error:
            raise ModelError(f"{place}: {error}") from error

    return ModelFile(make, known_classes(thing), known_columns(thing), partial(as_trained, thing))
