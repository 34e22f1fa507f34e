"""An ONNX file as a Model: it runs no code of its maker, so it needs no trust.

Models from files, without running anybody's code unless the user trusts it.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Rows, count_rows, is_frame
from gnomon.core.errors import MissingExtraError, ModelError, UsageError
from gnomon.core.outputs import Outputs
from gnomon.core.protocols import Model
from gnomon.models.callable import BATCH_ROWS, CallableModel
from gnomon.models.sklearn import SklearnModel

NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A network or a converted classifier in ONNX, asked through onnxruntime on one thread.

    Attributes:
        content: bytes of the file.
        n_classes: number of classes c.
        outputs: what its answer (n, c) is.

    Raises:
        ModelError: the bytes are no ONNX model, it wants something else than one array of numbers, or its answers are
            not what was declared.
        MissingExtraError: onnxruntime is not installed.
    """

    content: bytes
    n_classes: int
    outputs: Outputs = "probabilities"

    def __post_init__(self) -> None:
        _ = self._session

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c)."""
        if is_frame(x):
            raise ModelError("an ONNX model needs rows as an array of numbers, got a data frame")
        return CallableModel(self._answer, self.outputs, self.n_classes, BATCH_ROWS).log_probs(x)

    def __getstate__(self) -> dict[str, Any]:
        """Without the session, which can't travel to a worker."""
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError("onnxruntime", "onnx", "an .onnx model") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no class
            raise ModelError(f"not an ONNX model, or damaged ({' '.join(str(error).split())[:200]})") from error
        inputs = session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in NUMBERS:
            wanted = ", ".join(f"{given.name}: {given.type}" for given in inputs)
            raise ModelError(f"expected an ONNX model of one array of numbers, got one of {wanted}")
        return session

    def _answer(self, x: Rows) -> NDArray[Any]:
        given = self._session.get_inputs()[0]
        answers = self._session.run(None, {given.name: np.asarray(x).astype(NUMBERS[given.type])})
        shape = (count_rows(x), self.n_classes)
        for answer in answers:
            if isinstance(answer, np.ndarray) and answer.dtype.kind == "f" and answer.shape == shape:
                return answer
        for answer in answers if self.n_classes == 2 else ():
            if (
                isinstance(answer, np.ndarray)
                and answer.dtype.kind == "f"
                and answer.shape in (shape[:1], (shape[0], 1))
            ):
                return answer
        got = ", ".join(str(getattr(answer, "shape", type(answer).__name__)) for answer in answers)
        raise ModelError(
            f"expected one output of shape {shape}, got {got}; convert classifiers with the option zipmap=False"
        )


def load_onnx(place: Path, n_classes: int, outputs: Outputs) -> OnnxModel:
    """The model in an ONNX file."""
    try:
        return OnnxModel(place.read_bytes(), n_classes, outputs)
    except ModelError as error:
        raise ModelError(f"{place}: {error}") from error


SKOPS, ONNX, PICKLES = (".skops",), (".onnx",), (".joblib", ".pkl", ".pickle")
TORCH, TABLES = (".pt", ".pth", ".safetensors"), (".npz", ".csv", ".parquet", ".pq")


def load_model(
    path: str | Path, classes: Sequence[str], trust: bool = False, outputs: Outputs = "probabilities"
) -> Model:
    """The model in a file.

    Args:
        path: ``.skops`` (scikit-learn) or ``.onnx``; ``.joblib`` and ``.pkl`` with ``trust`` only, since reading them
            runs whatever their maker put in.
        classes: the data set's class names, in the order of their ids.
        trust: the file comes from a hand that the user trusts.
        outputs: what an ONNX model, or a function in a pickle, answers.

    Returns:
        A `SklearnModel` for a fitted classifier, otherwise whatever `as_model` makes.

    Raises:
        UsageError: an unknown extension, or trust is needed.
        ModelError: no such file, damaged, or nothing that can answer.
        MissingExtraError: ``.onnx`` without onnxruntime.
    """
    found = read_model(path, trust)
    if isinstance(found, Path):
        return load_onnx(found, len(classes), outputs)
    return named_model(found, path, classes, outputs)


def read_model(path: str | Path, trust: bool = False) -> Any:
    """What a model file holds, before it is joined to classes; of an ``.onnx`` file the path.

    Raises:
        UsageError: an unknown extension, or trust is needed.
        ModelError: no such file, or damaged.
    """
    place = Path(path)
    suffix = place.suffix.lower()
    _check_suffix(place, suffix, trust)
    if not place.is_file():
        raise ModelError(f"{place}: no such file")
    if suffix in ONNX:
        return place
    return _read_skops(place, trust) if suffix in SKOPS else _read_pickle(place)


def known_classes(thing: Any) -> tuple[Any, ...] | None:
    """The labels that a fitted classifier knows, in the order of its answers; None where it does not name them."""
    known = getattr(thing, "classes_", None)
    if known is None or isinstance(known, list) or np.ndim(known) != 1:
        return None
    return tuple(np.asarray(known).tolist())


def named_model(thing: Any, path: str | Path, classes: Sequence[str], outputs: Outputs = "probabilities") -> Model:
    """`as_model` of what stood in a file; errors name the file."""
    try:
        return as_model(thing, tuple(classes), outputs=outputs)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def as_model(
    thing: Any,
    classes: Sequence[str],
    outputs: Outputs = "probabilities",
    labels: tuple[Any, ...] | None = None,
) -> Model:
    """Anything that can answer, as a `Model`: a Model, a fitted scikit-learn classifier, or a function of rows.

    Args:
        thing: what shall answer.
        classes: the data set's c class names, in the order of their ids.
        outputs: what a function answers.
        labels: the c labels that a classifier was trained on, in the order of their ids; None: the class names, or
            class ids.

    Raises:
        ModelError: it can't answer, or for another number of classes.

    >>> as_model(lambda x: x, ("no", "yes")).n_classes
    2
    """
    if isinstance(thing, type):
        raise ModelError(f"expected a model, got the class {thing.__name__}; make and fit one first")
    if isinstance(thing, Model):
        if thing.n_classes != len(classes):
            raise ModelError(f"expected a model of {len(classes)} classes, got one of {thing.n_classes}")
        return thing
    if hasattr(thing, "predict_proba") or (hasattr(thing, "fit") and hasattr(thing, "predict")):
        return SklearnModel(thing, tuple(classes), labels)
    if hasattr(thing, "state_dict") and hasattr(thing, "parameters"):
        raise ModelError(f"{type(thing).__name__} is a torch module: wrap it in gnomon.models.TorchModel")
    if callable(thing):
        return CallableModel(thing, outputs, len(classes))
    raise ModelError(
        f"expected a model, a fitted classifier or a function x -> (n, c), got {type(thing).__module__}."
        f"{type(thing).__qualname__}"
    )


def _check_suffix(place: Path, suffix: str, trust: bool) -> None:
    if suffix in TORCH:
        raise UsageError(f"{place}: weights alone are no model: name their network (a trainer of kind torch)")
    if suffix in TABLES:
        raise UsageError(f"{place}: a table is no model; give a model's answers as member and non-member answers")
    if suffix not in (*SKOPS, *ONNX, *PICKLES):
        known = ", ".join((*SKOPS, *ONNX, *PICKLES, *TORCH))
        raise UsageError(f'{place}: unknown kind of model file "{suffix}" (known: {known})')
    if suffix in PICKLES and not trust:
        raise UsageError(
            f"{place}: reading a {suffix} file runs whatever its maker put in; save the model with skops, or give "
            "--trust if you made it yourself"
        )


def _read_skops(place: Path, trust: bool) -> Any:
    import skops.io

    try:
        strange = skops.io.get_untrusted_types(file=place)
    except Exception as error:  # zip, json and key errors of a damaged file
        raise ModelError(f"{place}: not a skops file, or damaged ({type(error).__name__}: {error})") from error
    refused = [name for name in strange if not _is_sklearn_class(name)]
    if refused and not trust:
        raise ModelError(
            f"{place}: holds types that are not scikit-learn's: {', '.join(refused[:5])}"
            f"{', ...' if len(refused) > 5 else ''}; give --trust if you know where they come from"
        )
    try:
        return skops.io.load(place, trusted=strange)
    except Exception as error:
        raise ModelError(f"{place}: cannot be loaded ({type(error).__name__}: {error})") from error


def _is_sklearn_class(name: str) -> bool:
    """Whether a type is a class that scikit-learn defines, such as the tree inside a forest.

    skops lists inner classes of scikit-learn as unknown. Making one runs only scikit-learn's code, so we take them; we
    do not take functions, which a file could have called with arguments of its own choice.
    """
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] != "sklearn":
        return False
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__.split(".")[0] == "sklearn"


def _read_pickle(place: Path) -> Any:
    import joblib

    try:
        return joblib.load(place)
    except Exception as error:
        raise ModelError(f"{place}: cannot be loaded ({type(error).__name__}: {error})") from error
