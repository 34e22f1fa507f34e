"""Any function ``x -> (n, c)`` as a Model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Rows, count_rows, take_rows
from gnomon.core.errors import GnomonError, ModelError, UsageError, one_line
from gnomon.core.outputs import Outputs, check_outputs, is_one_column, log_from_outputs
from gnomon.core.protocols import ModelAbilities
from gnomon.models.estimators import rows_for

BATCH_ROWS = 8192


class CallableModel(ModelAbilities):
    """A function that answers, asked in batches, its answers checked.

    Args:
        function: n rows (an array or a data frame, as the data set holds them) -> array (n, c), columns in the order
            of the sorted class names; for two classes also (n,) or (n, 1) of the second one. A tensor will do.
        outputs: what it returns: ``probabilities``, ``logits`` or ``log_probabilities`` (natural logs).
        n_classes: number of classes c; without it, it is learned from the first answer.
        batch: most rows a call.
        name: what messages call it; by default the function's name.

    >>> model = CallableModel(lambda x: np.tile([0.0, np.log(3.0)], (len(x), 1)), outputs="logits")
    >>> np.exp(model.log_probs(np.zeros((2, 5)))).round(2).tolist(), model.n_classes
    ([[0.25, 0.75], [0.25, 0.75]], 2)
    """

    def __init__(
        self,
        function: Callable[[Rows], Any],
        outputs: Outputs = "probabilities",
        n_classes: int | None = None,
        batch: int = BATCH_ROWS,
        name: str | None = None,
    ) -> None:
        if not callable(function):
            raise UsageError(f"expected a function x -> (n, c), got {type(function).__name__}")
        check_outputs(outputs)
        if batch < 1:
            raise UsageError(f"expected batch >= 1, got batch={batch}")
        self.function = function
        self.outputs = outputs
        self.batch = batch
        self._name = name
        self.one_column = False  # it answers with one number a row, that of the second class
        self._n_classes = n_classes

    @property
    def n_classes(self) -> int:
        """Number of classes c.

        Raises:
            ModelError: not given, and nothing was answered yet.
        """
        if self._n_classes is None:
            raise ModelError("the callable's number of classes is known from its first answer on; give n_classes")
        return self._n_classes

    @property
    def title(self) -> str:
        """What messages call it."""
        return self._name or f"the callable {getattr(self.function, '__qualname__', type(self.function).__name__)}"

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c).

        Raises:
            ModelError: the function fails, or its answers are not what was declared.
        """
        n = count_rows(x)
        if n == 0:
            return np.empty((0, self.n_classes), np.float32)
        name = self.title
        parts: list[NDArray[Any]] = []
        for start in range(0, n, self.batch):
            rows = np.arange(start, min(n, start + self.batch), dtype=np.int64)
            part = self._numbers(take_rows(x, rows))
            if part.ndim == 0 or len(part) != len(rows) or (parts and part.shape[1:] != parts[0].shape[1:]):
                wanted = f"({len(rows)}, {parts[0].shape[1] if parts and parts[0].ndim > 1 else 'c'})"
                raise ModelError(f"{name}: expected {self.outputs} of shape {wanted}, got {part.shape}")
            parts.append(part)
        answers = np.concatenate(parts)
        logs = log_from_outputs(answers, self.outputs, rows=n, classes=self._n_classes, source=name)
        self.one_column = is_one_column(answers)
        self._n_classes = logs.shape[1]
        return logs

    def raw(self, rows: Rows) -> Any:
        """What the function returns for some rows; a tensor as an array.

        Raises:
            ModelError: it fails.
        """
        try:
            answer = self.function(rows_for(getattr(self.function, "__self__", None), rows))
        except GnomonError:  # in our words
            raise
        except Exception as error:
            shape = getattr(rows, "shape", None)
            raise ModelError(
                f"{self.title} failed on rows of shape {shape}: {type(error).__name__}: {one_line(error)}"
            ) from error
        # a tensor may stand on another device and carry gradients
        return answer.detach().cpu().numpy() if hasattr(answer, "detach") else answer

    def _numbers(self, rows: Rows) -> NDArray[Any]:
        answer = self.raw(rows)
        try:
            array = np.asarray(answer)
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{self.title}: expected an array (n, c), got {type(answer).__name__} ({error})"
            ) from error
        if array.dtype.kind not in "biuf":
            raise ModelError(f"{self.title}: expected numbers, got {array.dtype}")
        return array
