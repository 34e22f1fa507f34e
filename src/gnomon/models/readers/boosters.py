"""Boosters' own files: no code in them is run, so they need no trust."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gnomon.core.arrays import Rows
from gnomon.core.errors import ModelError
from gnomon.core.model_formats import format_of
from gnomon.core.protocols import Model
from gnomon.models.as_model import known_classes
from gnomon.models.boosters import catboost, lightgbm, xgboost
from gnomon.models.readers.model_file import ModelFile, Use
from gnomon.models.sklearn import SklearnModel

LIBRARIES: dict[str, Any] = {"XGBoost": xgboost, "LightGBM": lightgbm, "CatBoost": catboost}  # by the format's title


def read(place: Path, trust: bool) -> ModelFile:  # noqa: ARG001 - every reader's arguments
    """The booster in the file, with its recipe.

    Raises:
        ModelError: no such model, damaged, or no classifier.
        MissingExtraError: the booster's library is not installed.
    """
    found = format_of(place.name)
    assert found is not None
    library = LIBRARIES[found.title]

    def made(x: Rows = None, rows: int | None = None) -> Any:
        try:
            return library.adopt(booster, x, rows)
        except ModelError as error:
            raise ModelError(f"{place}: {error}") from error

    def make(use: Use) -> Model:
        return SklearnModel(made(use.x, use.members), tuple(use.classes))

    try:
        booster = library.from_file(place)
    except ModelError as error:
        raise ModelError(f"{place}: {error}") from error
    return ModelFile(make, known_classes(made()))
