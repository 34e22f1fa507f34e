"""What the registry holds of a data set: its shape, its terms, and the function that loads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gnomon.core.data.dataset import Dataset


@dataclass(frozen=True)
class Source:
    """A data set by name.

    Attributes:
        name: what a plan calls it.
        title: what it is, in one line.
        rows: number of rows n.
        features: number of columns d.
        classes: the numbers of classes it comes with; the first is the default.
        terms: licence and provenance, in one line.
        load: number of classes -> data set.
        stand_in: name of a data set like it, of open terms, for studies that are told to do with another where this one
            can't be had (and then call that one by its own name); None if there is none.
    """

    name: str
    title: str
    rows: int
    features: int
    classes: tuple[int, ...]
    terms: str
    load: Callable[[int], Dataset]
    stand_in: str | None = None
