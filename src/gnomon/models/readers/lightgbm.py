"""LightGBM's own files."""

from __future__ import annotations

from pathlib import Path

from gnomon.models.boosters.lightgbm import adopt, from_file
from gnomon.models.readers.boosters import booster_file
from gnomon.models.readers.model_file import ModelFile


def read(place: Path, trust: bool) -> ModelFile:  # noqa: ARG001 - every reader's arguments
    """The booster in the file, with its recipe.

    Raises:
        ModelError: no LightGBM model, damaged, or no classifier.
        MissingExtraError: LightGBM is not installed.
    """
    return booster_file(place, from_file, adopt)
