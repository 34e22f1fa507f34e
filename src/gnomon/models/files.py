"""Models from files, without running anybody's code unless the user trusts it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from gnomon.core.errors import ModelError, UsageError
from gnomon.core.model_formats import FORMATS, format_of
from gnomon.core.outputs import Outputs
from gnomon.core.protocols import Model
from gnomon.models.readers.model_file import ModelFile, Use

TABLES = (".npz", ".csv", ".parquet", ".pq")


def load_model(
    path: str | Path, classes: Sequence[str], trust: bool = False, outputs: Outputs = "probabilities"
) -> Model:
    """The model in a file that holds a whole one; for weights see `read_model`.

    Args:
        path: a file of a kind in `gnomon.core.model_formats.FORMATS`.
        classes: the data set's class names, in the order of their ids.
        trust: the file comes from a hand that the user trusts.
        outputs: what an ONNX model, or a function in a pickle, answers.

    Returns:
        A `SklearnModel` for a fitted classifier, otherwise whatever `as_model` makes.

    Raises:
        UsageError: an unknown extension, trust is needed, or weights.
        ModelError: no such file, damaged, or nothing that can answer.
        MissingExtraError: a library that the format needs is not installed.
    """
    return read_model(path, trust).model(Use(tuple(classes), outputs))


def read_model(path: str | Path, trust: bool = False) -> ModelFile:
    """A model file, before it is joined to classes.

    Raises:
        UsageError: an unknown extension, or trust is needed.
        ModelError: no such file, or damaged.
    """
    place = Path(path)
    suffix, found = place.suffix.lower(), format_of(place.name)
    if suffix in TABLES:
        raise UsageError(f"{place}: a table is no model; give a model's answers as member and non-member answers")
    if found is None:
        known = ", ".join(s for f in FORMATS for s in f.suffixes)
        raise UsageError(f'{place}: unknown kind of model file "{suffix}" (known: {known})')
    if found.trust and not trust:
        raise UsageError(
            f"{place}: reading a {suffix} file runs whatever its maker put in; save the model in another format "
            "(scikit-learn's with skops), or give --trust if you made it yourself"
        )
    if not place.is_file():
        raise ModelError(f"{place}: no such file")
    reader = import_module(f"gnomon.models.readers.{found.reader}")
    opened: ModelFile = reader.read(place, trust)
    return opened
