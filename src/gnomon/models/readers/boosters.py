"""What the readers of boosters' own files have in common: no code in them is run, so they need no trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gnomon.core.arrays import Rows
from gnomon.core.errors import ModelError
from gnomon.core.protocols import Model
from gnomon.models.as_model import known_classes
from gnomon.models.readers.model_file import ModelFile, Use
from gnomon.models.sklearn import SklearnModel


def booster_file(
    place: Path, opened: Callable[[Path], Any], adopt: Callable[[Any, Rows, int | None], Any]
) -> ModelFile:
    """A file with a booster.

    Args:
        place: the file.
        opened: reads the booster.
        adopt: makes an estimator of it, with the audit's rows and the number of those that it was trained on.

    Raises:
        ModelError: no such model, damaged, or no classifier.
    """

    def made(x: Rows = None, rows: int | None = None) -> Any:
        try:
            return adopt(booster, x, rows)
        except ModelError as error:
            raise ModelError(f"{place}: {error}") from error

    def make(use: Use) -> Model:
        return SklearnModel(made(use.x, use.members), tuple(use.classes))

    try:
        booster = opened(place)
    except ModelError as error:
        raise ModelError(f"{place}: {error}") from error
    return ModelFile(make, known_classes(made()))
