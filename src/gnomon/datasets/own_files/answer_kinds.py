"""What exported answers are, where they are not whole probabilities: in per cent, rounded, the largest only, or labels.

A file shows what a service showed. Read as such, an attack sees what its attacker would see, and shadow models answer
through the same step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import PROBABILITY_SUM_TOLERANCE, Floats, Ints
from gnomon.core.data.labels import class_name, match_classes

MOST_DECIMALS = 4  # of answers that count as rounded
PER_CENT = 100.0
CLOSE = 1e-6
CLOSE_LOG = 1e-5  # the same of probabilities that were kept as logarithms of single precision
LEAST_SHORT = 0.05  # of the rows do not sum to 1 where answers are rounded, or the largest only


@dataclass(frozen=True)
class AnswerKind:
    """Numbers read as what they are.

    Attributes:
        probabilities: (n, c), 0 where they are hidden.
        reveals: what they show, as a plan says it: "full", "labels", "top:K", "rounded:D".
        said: what was done to read them; empty where nothing was.
    """

    probabilities: Floats
    reveals: str = "full"
    said: str = ""

    def at(self, rows: Ints) -> AnswerKind:
        """Those of these rows, in this order."""
        return replace(self, probabilities=self.probabilities[rows])


def kind_of(table: NDArray[Any], reveals: str) -> AnswerKind | None:
    """What probabilities (n, c) are that do not all lie in [0, 1] and sum to 1; None where they are nothing known.

    Args:
        table: as they stand in the file; NaN where a field is empty.
        reveals: what the plan says of them; "full" where it says nothing.

    >>> kind_of(np.array([[90.0, 7.0, 3.0], [40.0, 30.0, 30.0]]), "full").said
    'in per cent'
    >>> kind_of(np.array([[0.9, 0.07, 0.0], [0.4, 0.0, 0.3]]), "full").reveals
    'top:2'
    >>> kind_of(np.array([[0.33, 0.33, 0.33]]), "full").reveals
    'rounded:2'
    >>> kind_of(np.array([[0.33, 0.21, 0.15]]), "full") is None
    True
    """
    values = table.astype(np.float64)
    empty = np.isnan(values)
    values = np.where(empty, 0.0, values)
    if empty.all(axis=1).any() or values.min() < 0 or not np.isfinite(values).all():
        return None
    said = []
    if values.max() > 1 + PROBABILITY_SUM_TOLERANCE:
        sums = values.sum(axis=1)
        if values.max() > PER_CENT + 1 or sums.max() > PER_CENT + values.shape[1] / 2 or np.median(sums) < PER_CENT / 2:
            return None
        values, said = values / PER_CENT, ["in per cent"]
    found = _shows(values, empty, reveals)
    if found is None:
        return None
    said += [] if found == "full" or reveals != "full" else [f"read as {found}"]
    return AnswerKind(np.minimum(values, 1.0), found, ", ".join(said))


def _shows(values: Floats, empty: NDArray[np.bool_], reveals: str) -> str | None:
    """What the numbers show, as a plan says it."""
    if reveals != "full":
        return reveals
    sums, width = values.sum(axis=1), values.shape[1]
    short = np.abs(sums - 1) > PROBABILITY_SUM_TOLERANCE
    if not empty.any() and not short.any():
        return "full"
    if not empty.any() and short.mean() < LEAST_SHORT:
        return None  # a few wrong rows are a mistake, and no kind of answer
    shown = (values > 0).sum(axis=1) if not empty.any() else (~empty).sum(axis=1)
    k = int(shown.max())
    alike = bool(((shown == k) | ~short).all())
    decimals = next((d for d in range(MOST_DECIMALS + 1) if _has(values, d)), None)
    slack = PROBABILITY_SUM_TOLERANCE if decimals is None else max(PROBABILITY_SUM_TOLERANCE, width * _half(decimals))
    if not empty.any() and decimals is not None and (np.abs(sums - 1) <= slack + CLOSE).all():
        return f"rounded:{decimals}"
    return f"top:{k}" if k < width and alike and (sums <= 1 + slack).all() else None


def share_of(column: NDArray[Any]) -> Floats | None:
    """The probability of one class where a column holds it in per cent; None where it holds something else.

    >>> share_of(np.array([90.0, 2.5])).tolist(), share_of(np.array([0.9, 1.0])), share_of(np.array([-3.0, 80.0]))
    ([0.9, 0.025], None, None)
    """
    values = column.astype(np.float64)
    per_cent = values.min() >= 0 and PER_CENT / 2 < values.max() <= PER_CENT
    return values / PER_CENT if per_cent else None


def could_show(probabilities: Floats, reveals: str) -> bool:
    """Whether whole probabilities (n, c) look the same after a step, as those of an overfitted model's members may.

    >>> could_show(np.array([[0.9, 0.1], [1.0, 0.0]]), "rounded:1"), could_show(np.array([[0.9, 0.1]]), "top:1")
    (True, False)
    """
    word, _, amount = reveals.partition(":")
    if word == "rounded":
        return _has(probabilities, int(amount), CLOSE_LOG)
    if word == "top":
        return bool(((probabilities > 0).sum(axis=1) <= int(amount)).all())
    return word == "full" or bool(((probabilities == 0) | (probabilities == 1)).all())


def _has(values: Floats, decimals: int, close: float = CLOSE) -> bool:
    """Whether all values are written with so many decimals."""
    scaled = values * 10.0**decimals
    return bool((np.abs(scaled - np.round(scaled)) <= close * np.maximum(1.0, scaled)).all())


def _half(decimals: int) -> float:
    return float(0.5 * 10.0**-decimals)


def from_labels(
    values: NDArray[Any], classes: Sequence[str], confidence: NDArray[Any] | None = None
) -> AnswerKind | None:
    """Predicted labels (n,) as answers of which nothing else is known; None where they are no class names.

    Args:
        values: the labels.
        classes: the data set's class names.
        confidence: (n,) the probability of each label, where it is known; None where it is none.

    >>> from_labels(np.array(["no", "yes"]), ("no", "yes")).probabilities
    array([[1., 0.],
           [0., 1.]])
    """
    if values.dtype.kind == "f":
        if (len(classes) == 2 and values.max() <= 1) or not (values == np.round(values)).all():
            return None  # numbers of the second class
        values = values.astype(np.int64)
    own, place = np.unique(values if values.dtype.kind in "biu" else values.astype(str), return_inverse=True)
    match = match_classes([class_name(v) for v in own.tolist()], classes)
    if match is None or match.rule == "order":
        return None
    answers = np.zeros((len(values), len(classes)))
    answers[np.arange(len(values)), match.places[place]] = 1.0
    if confidence is not None:
        shares = kind_of(np.asarray(confidence, dtype=np.float64)[:, None], "top:1")
        if shares is None:
            return None
        said = ", ".join(part for part in (shares.said, "predicted labels with their probability") if part)
        return AnswerKind(answers * shares.probabilities, "top:1", said)
    return AnswerKind(answers, "labels", "predicted labels only")
