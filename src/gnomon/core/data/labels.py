"""Which label of the data is which class of a model: by name, as equal numbers, or by order; never by guess.

A model knows its classes by labels of its own (``classes_``): the user's labels, or ids that the user gave them. A data
set knows them by class ids 0 .. c - 1. Everything that joins the two goes through `match_classes`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from gnomon.core.arrays import Ints

Rule: TypeAlias = Literal["names", "numbers", "order"]

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_SHOWN = 8


@dataclass(frozen=True)
class Match:
    """Where labels stand among others.

    Attributes:
        places: (k,) for each label its position among the others; no two are equal.
        rule: what they were matched by. ``order``: the others are 0 .. k - 1, an encoding of the sorted labels.
    """

    places: Ints
    rule: Rule


def class_name(label: Any) -> str:
    """What a label is called: whole numbers have one name, however they are stored.

    >>> class_name(1.0), class_name(np.int8(1)), class_name("007"), class_name(np.True_)
    ('1', '1', '007', 'True')
    """
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return str(int(label))
    return str(label)


def match_classes(labels: Sequence[Any], known: Sequence[Any]) -> Match | None:
    """Where each of some labels stands among those that are known; None where they can't be told for certain.

    Args:
        labels: distinct labels, in the order of their class ids.
        known: distinct labels that a model or a file knows, in its own order.

    >>> match_classes(["no", "yes"], ["no", "perhaps", "yes"]).places.tolist()
    [0, 2]
    >>> match_classes(["007", "1.0"], [1, 7]).places.tolist()
    [1, 0]
    >>> match_classes(["no", "yes"], [0, 1]).rule
    'order'
    >>> match_classes([0, 1], [1, 2]) is None
    True
    """
    ours, theirs = [class_name(v) for v in labels], [class_name(v) for v in known]
    named = _places(ours, theirs)
    if named is not None:
        return Match(named, "names")
    numbers = [_number(name) for name in ours], [_number(name) for name in theirs]
    equal = _places(*numbers) if None not in numbers[0] and None not in numbers[1] else None
    if equal is not None:
        return Match(equal, "numbers")
    if len(labels) == len(known) and all(_is_id(v, i) for i, v in enumerate(known)):
        return Match(np.arange(len(labels)), "order")
    return None


def first_unknown(labels: Sequence[Any], known: Sequence[Any]) -> int:
    """Position of the first label that is not known by its name; 0 where each of them is."""
    names = {class_name(v) for v in known}
    return next((i for i, v in enumerate(labels) if class_name(v) not in names), 0)


def unknown_label(source: str, row: Any, label: Any, known: Sequence[Any]) -> str:
    """The line for a label that a model does not know."""
    listed = ", ".join(class_name(v) for v in known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
    return (
        f'{source}: row {row} has the label "{class_name(label)}", which the model does not know (it knows {listed}); '
        "correct the label or drop the row"
    )


def _places(ours: Sequence[Any], theirs: Sequence[Any]) -> Ints | None:
    place = {value: i for i, value in enumerate(theirs)}
    if len(place) < len(theirs) or len(set(ours)) < len(ours) or not all(value in place for value in ours):
        return None
    return np.array([place[value] for value in ours], dtype=np.int64)


def _number(name: str) -> float | None:
    return float(name) if _NUMBER.fullmatch(name) else None


def _is_id(value: Any, i: int) -> bool:
    """Whether a label is the number i, or the truth value that counts as it; text never is."""
    return not isinstance(value, str) and isinstance(value, (bool, int, float, np.bool_, np.number)) and value == i
