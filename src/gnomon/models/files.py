"""Models from files, or from where MLflow keeps them, without running anybody's code unless the user trusts it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core import model_formats as formats
from gnomon.core.arrays import count_rows, take_rows
from gnomon.core.errors import ModelError, UsageError, import_extra, one_line
from gnomon.core.outputs import Outputs
from gnomon.core.protocols import Model
from gnomon.core.system import too_large
from gnomon.engines.trial import try_task
from gnomon.models import torch as networks
from gnomon.models.plugins import PlugIn, reader_for
from gnomon.models.readers.model_file import ModelFile, Use

TRIAL_SECONDS = 60.0
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


def read_model(
    path: str | Path, trust: bool = False, types: Collection[str] = (), reader: str | None = None
) -> ModelFile:
    """A model file, before it is joined to classes.

    Args:
        path: a file of a kind in `gnomon.core.model_formats.FORMATS`, or of one that a plug-in reads.
        trust: the file comes from a hand that the user trusts, and so does the plug-in.
        types: without ``trust``, types in it that are taken all the same, by their names (skops).
        reader: ``module:function`` that reads it, in place of the reader that its ending asks for.

    Raises:
        UsageError: an unknown extension, or trust is needed.
        ModelError: no such file, damaged, or, without trust, one that crashes or hangs a process that tries it.
    """
    place = Path(path)
    plugin = PlugIn("readers", place.suffix, reader) if reader is not None else None
    if plugin is None and formats.format_of(place.name) is None and place.suffix.lower() not in TABLES:
        plugin = reader_for(place.name)
    if plugin is not None:
        return _read_with(plugin, place, trust)
    suffix, found = place.suffix.lower(), formats.format_of(place.name)
    if suffix in TABLES:
        raise UsageError(f"{place}: a table is no model; give a model's answers as member and non-member answers")
    other = formats.other_format(place.name) or ("SavedModel" if (place / "saved_model.pb").is_file() else None)
    if other is not None:
        raise UsageError(f"{place}: {other} models are not read; {formats.INSTEAD}")
    if place.is_dir() and (found := formats.folder_format(place)) is None:
        raise UsageError(f"{place}: a folder is no model file; {formats.INSTEAD}")
    if found is None and not suffix and not place.exists():
        raise ModelError(f"{place}: no such file")
    if found is None:
        known = ", ".join(f.place for f in formats.FORMATS)
        raise UsageError(f'{place}: unknown kind of model file "{suffix}" (known: {known}); {formats.INSTEAD}')
    return open_as(found, place, trust, types)


def open_as(found: formats.ModelFormat, place: Path, trust: bool = False, types: Collection[str] = ()) -> ModelFile:
    """A file of a kind that is known, whatever its name; see `read_model`.

    Raises:
        UsageError: trust is needed.
        ModelError: no such file, damaged, or, without trust, one that crashes or hangs a process that tries it.
    """
    suffix = place.suffix.lower()
    if found.trust and not trust:
        raise UsageError(
            f"{place}: reading a {suffix} file runs whatever its maker put in; save the model in another format "
            "(scikit-learn's with skops), or give --trust if you made it yourself"
        )
    if types and not found.types:
        named = ", ".join(s for f in formats.FORMATS if f.types for s in f.suffixes)
        raise UsageError(f"{place}: --trust-type names types in a {named} file; a {suffix} file holds none")
    if not place.is_file() and not found.holds:
        raise ModelError(f"{place}: no such file")
    if (most := too_large(place.stat().st_size)) is not None:
        raise ModelError(f"{place}: {most}")
    module = import_module(f"gnomon.models.readers.{found.reader}")
    read = partial(module.read, place, trust, *([types] if found.types else []))
    if found.library:
        with suppress(ImportError):  # the reader says what is missing
            import_module(found.library)
    trust = trust or found.holds == formats.MLMODEL  # its reader tries the file in the folder
    if not (trust or found.recipe):
        _try(place, read)
    opened: ModelFile = read()
    if trust:
        return opened
    tried = partial(_tried_weights, place) if found.recipe else partial(_tried_model, place, read, found.tried)
    return replace(opened, model=partial(tried, opened))


def _tried_weights(place: Path, opened: ModelFile, use: Use) -> Model:
    """The network, once a process of its own has read its weights; they are numbers, so no query is tried."""
    _try(place, partial(networks.read_weights, place))
    return opened.model(use)


def _tried_model(place: Path, read: Callable[[], ModelFile], rows: int, opened: ModelFile, use: Use) -> Model:
    """The model, once a process of its own has made it and queried it with rows of the audit."""
    _try(place, Query(read, use, rows, opened))
    return opened.model(use)


@dataclass(frozen=True)
class Query:
    """The task of making a file's model and querying it; pickled, it reads the file again."""

    read: Callable[[], ModelFile]
    use: Use
    rows: int
    opened: ModelFile | None = None

    def __call__(self) -> None:
        """Queries the model with rows of the audit."""
        model, x = (self.opened or self.read()).model(self.use), self.use.x
        if x is not None:
            n = count_rows(x)
            model.log_probs(take_rows(x, np.unique(np.linspace(0, n - 1, min(n, self.rows)).astype(np.int64))))

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the file that was read and without the recipe, which may hold functions that can't be pickled."""
        return Query, (self.read, replace(self.use, recipe=None), self.rows)


def _try(place: Path, task: Callable[[], object]) -> None:
    ended = try_task(task, TRIAL_SECONDS)
    if ended is not None:
        raise ModelError(
            f"{place}: loading and querying this model was tried in a process of its own, and {ended}; the file is "
            "damaged or was made to do this (if you made it yourself and it is only slow, give --trust)"
        )


def _read_with(plugin: PlugIn, place: Path, trust: bool) -> ModelFile:
    """What a plug-in reads.

    Raises:
        UsageError: not trusted, or not there.
        ModelError: no such file, or the plug-in's reader gave something else than a `ModelFile`.
    """
    read = plugin.load(trust=trust)
    if not place.is_file():
        raise ModelError(f"{place}: no such file")
    opened = read(place, trust)
    if not isinstance(opened, ModelFile):
        raise ModelError(f"{place}: {plugin.path} gave {type(opened).__name__}, expected gnomon.models.ModelFile")
    return opened


def located(name: str) -> Path:
    """The path of a model.

    Args:
        name: a path, or an address such as ``models:/risk/3`` or ``runs:/0123abcd/model``.

    Raises:
        UsageError: MLflow has no such model, or the address names a server.
        MissingExtraError: MLflow is not installed.

    >>> located("models/risk.skops").name
    'risk.skops'
    """
    if not formats.is_address(name):
        return Path(name)
    if formats.names_server(name):
        raise UsageError(f"{name}: names a server; only MLFLOW_TRACKING_URI may, and the address begins with one slash")
    artifacts = import_extra("mlflow.artifacts", "mlflow", "a model at an MLflow address")
    try:
        return Path(artifacts.download_artifacts(artifact_uri=name))
    except Exception as error:  # MLflow's own, and those of its stores
        raise UsageError(
            f"{name}: MLflow brings no such model ({one_line(error)[:200]}); MLFLOW_TRACKING_URI names the server"
        ) from error
