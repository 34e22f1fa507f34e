"""Pickles and joblib files; reading one runs whatever its maker put in, so that callers ask for trust first."""

from __future__ import annotations

from pathlib import Path

from gnomon.core.errors import ModelError
from gnomon.models.readers.model_file import ModelFile, object_in


def read(place: Path, trust: bool) -> ModelFile:  # noqa: ARG001 - every reader's arguments
    """What the pickle holds.

    Raises:
        ModelError: damaged, or made of classes that are not there.
    """
    import joblib

    try:
        return object_in(place, joblib.load(place))
    except Exception as error:
        raise ModelError(f"{place}: cannot be loaded ({type(error).__name__}: {error})") from error
