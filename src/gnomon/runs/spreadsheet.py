"""What a csv file may hold that people open in a spreadsheet: text that begins like a formula would be run there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gnomon.report.formatting import clean

_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")  # the last four are the wide forms of the others
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def cell(value: object) -> object:
    r"""A value as a csv file holds it: numbers as they are, text on one line, without control characters.

    Text that begins with ``=``, ``+``, ``-`` or ``@``, spaces and tabs before it not counted, and is not just a number,
    gets an apostrophe in front.

    >>> cell("=1+1"), cell("\tx\r\ny"), cell("-5"), cell(-0.5), cell("a\x1b[2J")
    ("'=1+1", ' x  y', '-5', -0.5, 'a�[2J')
    """
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if reads_as_formula(text) else text


def plain(text: str) -> str:
    """A csv file's text without the apostrophe that `cell` puts in front.

    >>> plain("'=1+1"), plain("'twas")
    ('=1+1', "'twas")
    """
    return text[1:] if text.startswith("'") and reads_as_formula(text[1:]) else text


def reads_as_formula(text: str) -> bool:
    """Whether a spreadsheet may run a text instead of showing it."""
    return len(text) > 1 and _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None


def first_changed(values: Iterable[object]) -> str | None:
    """The first text that a csv file would not hold as it is; None if there is none.

    >>> first_changed(["a", 1.5, "@SUM(A1)"])
    '@SUM(A1)'
    """
    return next((value for value in values if isinstance(value, str) and cell(value) != value), None)
