"""What exported answers are, where they are not whole probabilities: in per cent, rounded, the largest only, or labels.

A file shows what a service showed. Read as such, an attack sees what its attacker would see, and shadow models answer
through the same step. Which column belongs to which class its name tells, or its number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import PROBABILITY_SUM_TOLERANCE, Floats, Ints
from gnomon.core.data.labels import class_name, match_classes

ColumnRule: TypeAlias = Literal["name", "name within", "number", "position", "one column"]
READINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.casefold,
    lambda text: re.sub(r"[\W_]+", "_", text.casefold()),  # "very high" in "prob_very_high"
)


@dataclass(frozen=True)
class AnswerColumns:
    """Where the classes' columns stand.

    Attributes:
        places: (c,) for each class the position of its column.
        rule: what they were found by.
    """

    places: Ints
    rule: ColumnRule


def match_columns(names: Sequence[str], classes: Sequence[str]) -> AnswerColumns | None:
    """The column of each class, or None if the names do not say it.

    A column is called after its class, or its name holds exactly one class name (``prob_yes``), or the columns are
    numbered from 0 (or 1) in the order of the classes, in whatever order they stand.

    Args:
        names: c names of columns, all different.
        classes: c class names.

    >>> match_columns(["prob_yes", "prob_no"], ["no", "yes"]).places.tolist()
    [1, 0]
    >>> match_columns(["p1", "p10", "p2"], ["1", "2", "10"]).places.tolist()
    [0, 2, 1]
    >>> match_columns(["left", "right"], ["no", "yes"]) is None
    True
    """
    if len(names) != len(classes):
        return None
    match = match_classes(classes, names)
    if match is not None:
        return AnswerColumns(match.places, "name")
    for reading in READINGS:
        ours, theirs = [reading(c) for c in classes], [reading(n) for n in names]
        if len(set(ours)) == len(ours) and len(set(theirs)) == len(theirs):
            places = _framed(theirs, ours) or _held(theirs, ours)
            if places is not None:
                return AnswerColumns(np.array(places, dtype=np.int64), "name within")
    numbers = _numbered(names)
    return None if numbers is None else AnswerColumns(np.argsort(numbers), "number")


def class_of(name: str, classes: Sequence[str]) -> int | None:
    """The one of two classes that a single column is called after, or that its name holds; None if it names none.

    >>> class_of("prob_yes", ["no", "yes"]), class_of("score", ["no", "yes"]), class_of("p1", ["0", "1"])
    (1, None, 1)
    """
    for reading in READINGS:
        ours = [reading(c) for c in classes]
        held = _names_in(reading(name), ours) if len(set(ours)) == len(ours) else []
        if len(held) == 1:
            return ours.index(held[0])
    numbers = re.findall(r"\d+", name)
    return classes.index(numbers[0]) if len(numbers) == 1 and numbers[0] in classes else None


def _framed(names: Sequence[str], classes: Sequence[str]) -> list[int] | None:
    """All columns are a class name between one prefix and one suffix."""
    place = {name: i for i, name in enumerate(names)}
    first, frames = names[0], set()
    for c in classes:
        starts = [i for i in range(len(first)) if c and first.startswith(c, i)]
        frames |= {(first[:i], first[i + len(c) :]) for i in starts}
    fits = [[place.get(f"{before}{c}{after}") for c in classes] for before, after in sorted(frames)]
    whole = [[i for i in each if i is not None] for each in fits if None not in each]
    return whole[0] if whole and all(each == whole[0] for each in whole) else None


def _held(names: Sequence[str], classes: Sequence[str]) -> list[int] | None:
    """Each column's name holds exactly one class name, set off from the rest, and each class is held once."""
    held = [_names_in(name, classes) for name in names]
    if any(len(each) != 1 for each in held) or len({each[0] for each in held}) < len(classes):
        return None
    place = {each[0]: i for i, each in enumerate(held)}
    return [place[c] for c in classes]


def _names_in(name: str, classes: Sequence[str]) -> list[str]:
    """Class names that stand in a name as whole words; one that only stands within another does not count."""
    spans = [
        (found.start(), found.end(), c)
        for c in classes
        if c
        for found in re.finditer(rf"(?<![^\W_]){re.escape(c)}(?![^\W_])", name)
    ]
    outer = {
        c
        for start, end, c in spans
        if not any(a <= start and end <= b and (b - a) > (end - start) for a, b, _ in spans)
    }
    return sorted(outer)


def _numbered(names: Sequence[str]) -> list[int] | None:
    """The one number in which the names differ, if these numbers count from 0 or from 1."""
    if len({re.sub(r"\d+", "#", name) for name in names}) != 1:
        return None
    numbers = np.array([[int(digits) for digits in re.findall(r"\d+", name)] for name in names])
    differing = [k for k in range(numbers.shape[1]) if len(set(numbers[:, k].tolist())) > 1]
    if len(differing) != 1:
        return None
    own: list[int] = numbers[:, differing[0]].tolist()
    first = min(own)
    return own if first in (0, 1) and sorted(own) == list(range(first, first + len(own))) else None


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
    slack = (
        PROBABILITY_SUM_TOLERANCE if decimals is None else max(PROBABILITY_SUM_TOLERANCE, width * 0.5 * 10.0**-decimals)
    )
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
