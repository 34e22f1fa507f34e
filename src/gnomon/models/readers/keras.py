"""Keras' own files (``.keras``: a description, settings and weights in a zip) in its safe mode.

What the description names besides Keras' own layers, and layers that hold code (Lambda, wrapped modules), need trust.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.arrays import Rows, is_frame
from gnomon.core.errors import ModelError, UsageError, import_extra, one_line
from gnomon.core.protocols import Model
from gnomon.core.system import too_large
from gnomon.models.callable import CallableModel
from gnomon.models.readers.model_file import ModelFile, Use

DESCRIPTION = "config.json"
WITH_CODE = {"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}
BACKENDS = ("tensorflow", "torch", "jax")


def read(place: Path, trust: bool) -> ModelFile:
    """The network in the file.

    Raises:
        ModelError: damaged, or a network of several inputs or outputs.
        UsageError: it names code that is not Keras', without trust.
        MissingExtraError: Keras is not installed.
    """
    try:
        with zipfile.ZipFile(place) as archive:
            most = too_large(sum(member.file_size for member in archive.infolist()))
            described = {} if most is not None else json.loads(archive.read(DESCRIPTION))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, RecursionError) as error:
        raise ModelError(f"{place}: no .keras file, or damaged ({one_line(error)})") from error
    if most is not None:
        raise ModelError(f"{place}: {most}")
    foreign = sorted(set(_foreign(described)))
    if foreign and not trust:
        raise UsageError(
            f"{place}: names code that is not Keras' own ({', '.join(foreign[:5])}); give --trust if you made it "
            "yourself, an ONNX file, or the model's answers"
        )
    network = _load(place, safe=not trust)
    if isinstance(network.input_shape, (list, dict)) or isinstance(network.output_shape, (list, dict)):
        raise ModelError(f"{place}: expected one input and one output, got several; give a function or its answers")

    def make(use: Use) -> Model:
        def answer(x: Rows) -> Any:
            return network.predict(_numbers(x), verbose=0)

        return CallableModel(answer, use.outputs, len(use.classes), name=place.name)

    return ModelFile(make)


def _load(place: Path, *, safe: bool) -> Any:
    backend = next((name for name in BACKENDS if find_spec(name) is not None), None)
    if backend is not None:
        os.environ.setdefault("KERAS_BACKEND", backend)
    keras = import_extra("keras", "keras", "a .keras file")
    try:
        return keras.saving.load_model(str(place), compile=False, safe_mode=safe)
    except Exception as error:  # Keras' own, of its layers and of its backend
        raise ModelError(f"{place}: cannot be loaded ({type(error).__name__}: {one_line(error)[:200]})") from error


def _foreign(described: Any) -> Iterator[str]:
    """Names of what a description would have imported that is not Keras', or that holds code."""
    waiting = [described]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            name, module = part.get("class_name"), part.get("module")
            root = str(module).partition(".")[0]
            if isinstance(name, str) and (name in WITH_CODE or (module is not None and root != "keras")):
                yield f"{module}.{name}"


def _numbers(x: Rows) -> Any:
    """Rows as Keras takes them: whole numbers stay whole, for embeddings."""
    array = x.to_numpy() if is_frame(x) else np.asarray(x)
    return array if array.dtype.kind in "iu" else array.astype(np.float32)
