"""MLflow's models: a folder with a file ``MLmodel``, which says in which other file the model is, and what wrote it.

Where that file is of a kind that is read without running its maker's code, it is read as such, and shadow models
follow from it. Anything else is loaded by MLflow, which runs what the maker put in, and needs trust.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from gnomon.core.errors import ModelError, UsageError, import_extra
from gnomon.core.model_formats import MLMODEL, format_of
from gnomon.core.protocols import Model
from gnomon.models.callable import CallableModel
from gnomon.models.files import open_as
from gnomon.models.readers.model_file import ModelFile, Use

PLACES = ("pickled_model", "data", "model_path")  # keys of a flavour that name its file
ENDINGS = {".cb": ".cbm", ".xgb": ".ubj"}  # what MLflow calls files that their libraries call otherwise


def read(place: Path, trust: bool, types: Collection[str] = ()) -> ModelFile:
    """The model in an MLflow folder.

    Args:
        place: the folder.
        trust: it may run what its maker put in.
        types: further types to take in a skops file, by their names.

    Raises:
        ModelError: damaged, or a file that is not in the folder.
        UsageError: it can only be loaded by running its maker's code, without trust.
        MissingExtraError: MLflow is not installed.
    """
    flavours = _flavours(place)
    for file in _files(place, flavours):
        found = format_of(file.with_suffix(ENDINGS.get(file.suffix, file.suffix)).name)
        if found is not None and not found.recipe and (trust or not found.trust):
            return open_as(found, file, trust, types if found.types else ())
    if not trust:
        raise UsageError(
            f"{place}: MLflow loads this model ({', '.join(sorted(flavours))}) by running what its maker put in; log "
            "it in a format that holds no code (scikit-learn's with skops, a booster, ONNX), or give --trust if you "
            "made it yourself"
        )
    return ModelFile(lambda use: _function(place, use))


def _flavours(place: Path) -> dict[str, dict[str, Any]]:
    """What ``MLmodel`` says; reading it runs nothing."""
    described = import_extra("mlflow.models", "mlflow", "an MLflow model").Model
    try:
        found = dict(described.load(str(place / MLMODEL)).flavors)
    except Exception as error:  # yaml's and MLflow's own
        raise ModelError(f"{place}: no MLflow model, or damaged ({type(error).__name__})") from error
    if not all(isinstance(name, str) and isinstance(flavour, dict) for name, flavour in found.items()):
        raise ModelError(f"{place}: no MLflow model, or damaged (flavours that are no tables)")
    return found


def _files(place: Path, flavours: dict[str, dict[str, Any]]) -> Iterator[Path]:
    """The files that flavours name, those of libraries first."""
    root = place.resolve()
    for name in sorted(flavours, key=lambda flavour: flavour == "python_function"):
        for key in PLACES:
            named = flavours[name].get(key)
            if not isinstance(named, str):  # a list of lists of itself would become a text of gigabytes
                continue
            file = root / named
            if file.is_file():
                if not file.resolve().is_relative_to(root):
                    raise ModelError(f"{place}: names a file that is not in it ({named})")
                yield file


def _function(place: Path, use: Use) -> Model:
    """What MLflow loads, as a function of rows."""
    from mlflow.pyfunc import load_model

    try:
        loaded = load_model(str(place))
    except Exception as error:
        raise ModelError(f"{place}: cannot be loaded ({type(error).__name__}: {error})") from error
    return CallableModel(loaded.predict, use.outputs, len(use.classes), name=str(place))  # labels, a frame, an array
