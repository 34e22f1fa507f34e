"""How strong a mitigation is, read from the text behind its name: "3" of "top3", "1e-3" of "l2:1e-3"."""

from __future__ import annotations

import math

from gnomon.core.errors import UsageError


def whole(strength: str, name: str, *, least: int, what: str) -> int:
    """A whole number of at least ``least``.

    Raises:
        UsageError: it is missing, no whole number, or too small.

    >>> whole("3", "top", least=1, what="entries to keep")
    3
    >>> whole("0", "top", least=1, what="entries to keep")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: mitigation "top": entries to keep must be a whole number >= 1, got "0"
    """
    try:
        value = int(strength)
    except ValueError:
        value = least - 1
    if value < least:
        raise UsageError(_line(name, what, f"a whole number >= {least}", strength))
    return value


def number(
    strength: str,
    name: str,
    *,
    what: str,
    above: float | None = None,
    least: float | None = None,
    most: float = math.inf,
) -> float:
    """A finite number: larger than ``above`` or at least ``least``, and at most ``most``.

    Raises:
        UsageError: it is missing, no number, or out of range.

    >>> number("1e-3", "l2", what="lambda", least=0)
    0.001
    >>> number("-5", "temperature", what="t", above=0)
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: mitigation "temperature": t must be a number > 0, got "-5"
    """
    try:
        value = float(strength)
    except ValueError:
        value = math.nan
    low = (above is None or value > above) and (least is None or value >= least)
    if not (math.isfinite(value) and low and value <= most):
        bounds = [f"> {above:g}" if above is not None else "", f">= {least:g}" if least is not None else ""]
        bounds.append(f"<= {most:g}" if math.isfinite(most) else "")
        raise UsageError(_line(name, what, f"a number {' and '.join(b for b in bounds if b)}".strip(), strength))
    return value


def nothing(strength: str, name: str) -> None:
    """No strength at all.

    Raises:
        UsageError: one was given.

    >>> nothing("", "labels")
    """
    if strength:
        raise UsageError(f'mitigation "{name}" has no strength, got "{strength}": write "{name}"')


def _line(name: str, what: str, expected: str, strength: str) -> str:
    got = f'got "{strength}"' if strength else f'got none: write it behind the name, as in "{name}:NUMBER"'
    return f'mitigation "{name}": {what} must be {expected}, {got}'
