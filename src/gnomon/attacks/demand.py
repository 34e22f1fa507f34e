"""How attacks take what they declared from the evidence."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from gnomon.core.answers import ShadowAnswers
from gnomon.core.errors import UsageError

Part = TypeVar("Part")


def demand(part: Part | None, what: str) -> Part:
    """The part itself, or a clear error where an attack is called directly with evidence that lacks it.

    Raises:
        UsageError: there is none.

    >>> demand(None, "the target's answers")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: the evidence lacks the target's answers, which this attack needs
    """
    if part is None:
        raise UsageError(f"the evidence lacks {what}, which this attack needs")
    return part


def judged_classes(pool: ShadowAnswers, n_classes: int, min_rows: int = 1) -> list[int]:
    """Classes that shadows know enough of: at least so many usable rows in, and as many out, over all shadows."""
    inside = np.bincount(pool.labels, weights=(pool.member & pool.usable).sum(axis=0), minlength=n_classes)
    outside = np.bincount(pool.labels, weights=(~pool.member & pool.usable).sum(axis=0), minlength=n_classes)
    return [int(c) for c in np.flatnonzero(np.minimum(inside, outside) >= min_rows)]
