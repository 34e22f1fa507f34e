"""Which column of exported answers belongs to which class: by its name, by what it holds of it, by its number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from gnomon.core.arrays import Ints
from gnomon.core.data.labels import match_classes

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
