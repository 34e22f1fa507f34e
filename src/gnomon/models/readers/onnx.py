"""ONNX files through onnxruntime; they run no code of their maker, so they need no trust."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Rows, count_rows, is_frame
from gnomon.core.errors import MissingExtraError, ModelError
from gnomon.core.outputs import Outputs
from gnomon.models.callable import BATCH_ROWS, CallableModel
from gnomon.models.readers.model_file import ModelFile, Use

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


def read(place: Path, trust: bool) -> ModelFile:  # noqa: ARG001 - every reader's arguments
    """The model in an ONNX file."""

    def make(use: Use) -> OnnxModel:
        try:
            return OnnxModel(place.read_bytes(), len(use.classes), use.outputs)
        except ModelError as error:
            raise ModelError(f"{place}: {error}") from error

    return ModelFile(make)
