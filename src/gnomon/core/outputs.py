"""What a model or a file gives, as checked natural-log probabilities: probabilities, logits or log-probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, check_log_probs, log_from_logits, log_from_probabilities
from gnomon.core.errors import ModelError, UsageError, did_you_mean

Outputs: TypeAlias = Literal["probabilities", "logits", "log_probabilities"]
OUTPUTS: dict[str, Callable[..., Floats]] = {
    "probabilities": log_from_probabilities,
    "logits": log_from_logits,
    "log_probabilities": check_log_probs,
}


def check_outputs(outputs: str) -> None:
    """Refuses a kind of output that does not exist.

    Raises:
        UsageError: no such kind of output.
    """
    if outputs not in OUTPUTS:
        raise UsageError(f'no outputs "{outputs}"{did_you_mean(outputs, OUTPUTS)}')


def is_one_column(array: NDArray[Any]) -> bool:
    """Whether there is one number a row."""
    return array.ndim == 1 or array.shape[1:] == (1,)


def log_from_outputs(array: Any, outputs: str, *, rows: int, classes: int | None, source: str) -> Floats:
    """Checked natural-log probabilities (n, c), float32, from outputs of the declared kind.

    One number a row, (n,) or (n, 1), is that of the second of two classes: its probability, its logit (the margin of
    the second class over the first), or its log-probability.

    Raises:
        UsageError: no such kind of output.
        ModelError: a wrong shape, NaN, or rows that do not sum to one.

    >>> log_from_outputs([[0.25, 0.75]], "probabilities", rows=1, classes=2, source="model").round(2)
    array([[-1.39, -0.29]], dtype=float32)
    >>> log_from_outputs([np.log(3)], "logits", rows=1, classes=2, source="model").round(2)
    array([[-1.39, -0.29]], dtype=float32)
    """
    check_outputs(outputs)
    array = np.asarray(array)
    if is_one_column(array):
        if classes not in (None, 2):
            raise ModelError(
                f"{source}: expected {outputs} of shape ({rows}, {classes}), got {array.shape}; one number a row is "
                "enough for two classes only"
            )
        array = _widened(array.reshape(-1).astype(np.float64), outputs, source)
    return OUTPUTS[outputs](array, rows=rows, classes=classes, source=source)


def _widened(second: Floats, outputs: str, source: str) -> Floats:
    """Both columns (n, 2), from that of the second class."""
    if outputs == "probabilities":
        first: Floats = 1.0 - second
    elif outputs == "logits":
        first = np.zeros_like(second)
    else:
        if (second > 0).any():
            raise ModelError(f"{source}: log-probabilities must not be above 0, got {second.max():.6g}")
        with np.errstate(divide="ignore"):
            first = np.log(-np.expm1(second))
    return np.stack([first, second], axis=1)
