"""How an attack takes what it declared from the evidence."""

from __future__ import annotations

from typing import TypeVar

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
