"""ONNX files through onnxruntime; they run no code of their maker, so they need no trust."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Rows, count_rows, full_parts, is_frame
from gnomon.core.data.labels import class_name, match_classes
from gnomon.core.errors import ModelError, did_you_mean, import_extra
from gnomon.core.outputs import Outputs, is_one_column
from gnomon.core.protocols import Gives, NamedClasses
from gnomon.models.callable import CallableModel
from gnomon.models.readers.model_file import ModelFile, Use

TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.str_,
}
LABELS = ("tensor(string)", "tensor(int64)")  # types of an output of labels
HALF_PRECISION = 5e-3  # by which probabilities of 16 bits may miss a sum of 1


@dataclass(frozen=True, eq=False)
class OnnxModel(NamedClasses):
    """A network or a converted classifier in ONNX, asked through onnxruntime on one thread.

    Its input is one array of rows, or an input for each column of a table. It may answer with an array (n, c), with one
    number a row for two classes, with a map from labels to probabilities for each row (zipmap), or with labels alone.

    Attributes:
        content: bytes of the file.
        classes: the data set's c class names, in the order of their ids.
        outputs: what its answer (n, c) is.
        decides: it answers with its own labels, each with probability 1.
        name: what messages call it.

    Raises:
        ModelError: the bytes are no ONNX model, it wants something else than rows, or its answers are not what was
            declared.
        MissingExtraError: onnxruntime is not installed.
    """

    content: bytes
    classes: tuple[str, ...]
    outputs: Outputs = "probabilities"
    decides: bool = False
    name: str = "an ONNX model"
    _seen: dict[str, bool] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _ = self._session

    @property
    def one_column(self) -> bool:  # type: ignore[override]
        """Whether it has answered with one number a row."""
        return self._seen.get("one column", False)

    @property
    def gives(self) -> Gives:
        """Labels, where it has no other output."""
        return "labels" if self._label is not None and len(self._session.get_outputs()) == 1 else "probabilities"

    @property
    def remarks(self) -> tuple[str, ...]:
        """That there is no recipe in it."""
        said = (
            "An ONNX file holds no recipe: shadow models are trained only where [trainer] names one, such as "
            'kind = "sklearn", "function" or "command".',
        )
        return said if self.gives != "labels" else (*said, "It has no probabilities: attacks see its labels.")

    def deciding(self) -> OnnxModel | None:
        """With the labels that it names, where it names any."""
        return None if self._label is None else replace(self, decides=True)

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c)."""
        labels = self.decides or self.gives == "labels"
        answer = partial(self._in_parts, read=self._decided if labels else self._read)
        outputs: Outputs = "probabilities" if labels else self.outputs
        try:
            return CallableModel(answer, outputs, self.n_classes, name=self.name).log_probs(x)
        except ModelError as error:
            if self._label is None or "declare them" not in str(error):
                raise
            raise ModelError(f"{error}; its labels alone can be audited, too (--reveals labels)") from None

    def labels_named(self) -> tuple[Any, ...] | None:
        """The labels that its answers name (zipmap); None where they name none, or a row made up shows nothing."""
        feed = {}
        for given in self._session.get_inputs():
            shape = [size if isinstance(size, int) and size > 0 else 1 for size in given.shape or [1, 1]]
            feed[given.name] = np.zeros(shape, TYPES[given.type] if given.type != "tensor(string)" else object)
            if given.type == "tensor(string)":
                feed[given.name][...] = ""
        try:
            answers = self._session.run(None, feed)
        except Exception:  # the row is made up; onnxruntime's own exceptions share no class
            return None
        maps = next((a for a in answers if _is_maps(a)), None)
        return None if maps is None else tuple(maps[0])

    def __getstate__(self) -> dict[str, Any]:
        """Without the session, which can't travel to a worker."""
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    @cached_property
    def _session(self) -> Any:
        onnxruntime = import_extra("onnxruntime", "onnx", "an .onnx model")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no class
            raise ModelError(f"not an ONNX model, or damaged ({' '.join(str(error).split())[:200]})") from error
        strange = next((given for given in session.get_inputs() if given.type not in TYPES), None)
        if strange is not None:
            raise ModelError(f"expected an ONNX model of numbers or text, got an input {strange.name}: {strange.type}")
        return session

    @cached_property
    def _label(self) -> int | None:
        """The position of the output that names each row's label; None where there is none."""
        outputs = self._session.get_outputs()
        return next((i for i, o in enumerate(outputs) if o.type in LABELS and len(o.shape or ()) == 1), None)

    def _in_parts(self, x: Rows, read: Callable[[Sequence[Any], int], NDArray[Any]]) -> NDArray[Any]:
        n, inputs = count_rows(x), self._session.get_inputs()
        feed = _whole(x, inputs[0]) if len(inputs) == 1 else _by_column(x, inputs)
        size = next((given.shape[0] for given in inputs if given.shape and isinstance(given.shape[0], int)), None)
        if not size or size == n:
            return read(self._session.run(None, feed), n)
        feeds = ({name: values[rows] for name, values in feed.items()} for rows in full_parts(n, size))
        return np.concatenate([read(self._session.run(None, part), size) for part in feeds])[:n]

    def _decided(self, answers: Sequence[Any], n: int) -> NDArray[Any]:
        """Probability 1 for the label of each row."""
        own, place = np.unique(np.asarray(answers[self._label or 0]), return_inverse=True)
        names, match = own.tolist(), match_classes(own.tolist(), self.classes)
        if match is not None and match.rule != "order":
            columns = match.places
        elif own.dtype.kind in "iu" and own.min() >= 0 and own.max() < self.n_classes:
            columns = own
        else:
            raise ModelError(
                f"{self.name}: it names the labels {', '.join(map(class_name, names[:8]))}, the data set has "
                f"{', '.join(self.classes[:8])}"
            )
        found = np.zeros((n, self.n_classes))
        found[np.arange(n), columns[place]] = 1.0
        return found

    def _read(self, answers: Sequence[Any], n: int) -> NDArray[Any]:
        """The output that holds probabilities, in the order of the classes."""
        maps = next((a for a in answers if _is_maps(a)), None)
        if maps is not None:
            return self._unzipped(maps)
        floats = [a for a in answers if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        found = next((a for a in floats if a.shape == (n, self.n_classes)), None)
        if found is None and self.n_classes == 2:
            found = next((a for a in floats if a.shape in ((n,), (n, 1))), None)
        if found is None:
            got = ", ".join(str(getattr(answer, "shape", type(answer).__name__)) for answer in answers)
            raise ModelError(f"expected one output of shape ({n}, {self.n_classes}), got {got}")
        self._seen["one column"] = is_one_column(found)
        self._check_order(found, answers, n)
        return self._renormalised(found)

    def _unzipped(self, maps: Sequence[Mapping[Any, float]]) -> NDArray[Any]:
        keys = list(maps[0])
        match = match_classes(keys, self.classes)
        if match is None:
            named = ", ".join(class_name(key) for key in keys[:8])
            raise ModelError(f"its answers name the classes {named}, the data set has {', '.join(self.classes[:8])}")
        found = np.zeros((len(maps), self.n_classes))
        found[:, match.places] = [[row[key] for key in keys] for row in maps]
        return found

    def _check_order(self, found: NDArray[Any], answers: Sequence[Any], n: int) -> None:
        """Refuses columns in another order than the classes', where the model's own labels show it."""
        labels = next(
            (a for a in answers if isinstance(a, np.ndarray) and a.shape == (n,) and a.dtype.kind in "OU"), None
        )
        if labels is None or is_one_column(found):
            return
        place = {name: k for k, name in enumerate(self.classes)}
        own = np.array([place.get(str(label), -1) for label in labels])
        first = found.argmax(axis=1)
        wrong = (
            (own >= 0) & (own != first) & (found[np.arange(n), np.maximum(own, 0)] < found.max(axis=1) - HALF_PRECISION)
        )
        if wrong.any():
            row = int(wrong.argmax())
            raise ModelError(
                f"its columns are in another order than the classes {', '.join(self.classes[:8])}: it names "
                f'"{labels[row]}"'
                f" where column {first[row]} is the largest; convert it with the option zipmap=True, which names them"
            )

    def _renormalised(self, found: NDArray[Any]) -> NDArray[Any]:
        if found.dtype != np.float16:
            return found
        wide = found.astype(np.float64)
        if self.outputs != "probabilities" or is_one_column(found):
            return wide
        sums = wide.sum(axis=1, keepdims=True)
        return wide / sums if bool((np.abs(sums - 1) < HALF_PRECISION).all()) else wide


def _is_maps(answer: Any) -> bool:
    return isinstance(answer, list) and bool(answer) and isinstance(answer[0], Mapping)


def _whole(x: Rows, given: Any) -> dict[str, NDArray[Any]]:
    """All columns as one array."""
    if is_frame(x):
        text = [str(name) for name in x.columns if x[name].dtype.kind not in "biuf"]
        if text and given.type != "tensor(string)":
            raise ModelError(
                f'it takes one array of numbers ({given.name}: {given.type}), but the column "{text[0]}" holds text; '
                "convert the pipeline with one input per column, or encode the column"
            )
        x = x.to_numpy()
    return {given.name: _typed(np.asarray(x), given)}


def _by_column(x: Rows, inputs: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """An input (n, 1) for each column: by name, or for an array by position."""
    wide = [
        f"{given.name}: {given.shape[-1]}" for given in inputs if len(given.shape or ()) > 1 and given.shape[-1] != 1
    ]
    if wide:
        raise ModelError(
            f"it takes {len(inputs)} inputs of several columns ({', '.join(wide)}), and nothing says which are whose; "
            "convert it with one input for all or one for each, or give a function that parts them (target.callable)"
        )
    names = [str(name) for name in x.columns] if is_frame(x) else [given.name for given in inputs]
    if not is_frame(x) and (np.ndim(x) != 2 or np.shape(x)[1] != len(inputs)):
        raise ModelError(f"it takes {len(inputs)} inputs of one column each, got rows of shape {np.shape(x)[1:]}")
    place = {_plain(name): i for i, name in enumerate(names)}
    feed = {}
    for given in inputs:
        i = place.get(_plain(given.name))
        if i is None:
            raise ModelError(
                f'it takes a column "{given.name}", which the rows have not{did_you_mean(given.name, names)}'
            )
        column = np.asarray(x.iloc[:, i] if is_frame(x) else x[:, i])
        rank = len(given.shape) if given.shape else 2
        feed[given.name] = _typed(column, given).reshape((len(column),) + (1,) * (rank - 1))
    return feed


def _typed(values: NDArray[Any], given: Any) -> NDArray[Any]:
    try:
        if given.type == "tensor(string)":
            return values.astype(str).astype(object)
        return np.ascontiguousarray(values).astype(TYPES[given.type])
    except (TypeError, ValueError) as error:
        raise ModelError(
            f'its input "{given.name}" takes {given.type}, which the rows do not give ({error})'
        ) from error


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name)


def read(place: Path, trust: bool) -> ModelFile:  # noqa: ARG001 - every reader's arguments
    """The model in an ONNX file."""

    def make(use: Use) -> OnnxModel:
        try:
            return OnnxModel(content, tuple(use.classes), use.outputs, name=place.name)
        except ModelError as error:
            raise ModelError(f"{place}: {error}") from error

    content = place.read_bytes()
    known = make(Use(())).labels_named()
    return ModelFile(make, known)
