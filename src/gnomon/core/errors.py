"""Every error that gnomon raises on purpose, in one tree.

    GnomonError                 the root: the command line catches this one and nothing else (exit code 2)
    ├── UsageError              the caller asked for something that can't be (an argument, a flag)
    │   └── PlanError           ... and it stands in a plan file
    ├── DataError               rows, labels or answers are not what they must be
    ├── ModelError              a model or a trainer misbehaved (wrong shape, not a number, cannot be loaded)
    │   └── BudgetError         the target's query budget is spent
    ├── StoreError              the store can't be written or read
    ├── PreflightError          a finding of severity "error" stops the audit
    └── MissingExtraError       an optional dependency is not installed

A message says what was expected, what came, and what to do next.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable
from typing import Any


class GnomonError(Exception):
    """Root of all errors that gnomon raises on purpose."""


class UsageError(GnomonError):
    """The caller asked for something that can't be."""


class PlanError(UsageError):
    """A plan file says something that can't be."""


class DataError(GnomonError):
    """Rows, labels or answers are not what they must be."""


class ModelError(GnomonError):
    """A model or a trainer misbehaved."""


class BudgetError(ModelError):
    """The target's query budget is spent."""


class StoreError(GnomonError):
    """The store can't be written or read."""


class PreflightError(GnomonError):
    """A finding of severity "error" stops the audit."""


class MissingExtraError(GnomonError):
    """An optional dependency is not installed; the message holds the command that installs all of its extra."""

    def __init__(self, package: str, extra: str, what: str) -> None:
        wanted = " ".join(f"'{name}'" for name in requirements_of(extra) or [package])
        super().__init__(f"{what} needs {package}, which is not installed: pip install {wanted}")


def import_extra(module: str, extra: str, what: str) -> Any:
    """A module of an optional dependency.

    Args:
        module: its name, as ``import`` takes it.
        extra: that installs it.
        what: needs it, for the message.

    Raises:
        MissingExtraError: it is not installed.
    """
    from importlib import import_module  # slow, and a quick command needs none

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(module.partition(".")[0], extra, what) from error


def requirements_of(extra: str) -> list[str]:
    """What an extra of this very installation asks for on this platform, where its packages can be had by name.

    gnomon itself need not be on a package index, so a remedy names the packages and not ``gnomon[extra]``.

    >>> requirements_of("no such extra")
    []
    """
    from importlib import metadata  # slow, and only a message needs it

    try:
        declared = metadata.requires("gnomon") or []
    except metadata.PackageNotFoundError:  # run from its source without being installed
        return []
    lines = [[part.strip() for part in line.partition(";")] for line in declared]
    found = [requirement for requirement, _, marker in lines if extra in _EXTRA.findall(marker) and _here(marker)]
    own = [requirement for requirement in found if requirement.startswith("gnomon[")]  # an extra within this one
    further = [name for inner in own for name in requirements_of(inner[len("gnomon[") : -1])]
    return [requirement for requirement in found if requirement not in own] + further


_EXTRA = re.compile(r"""extra == ['"]([^'"]+)['"]""")
_PLATFORM = re.compile(r"""sys_platform (==|!=) ['"](\w+)['"]""")


def _here(marker: str) -> bool:
    """Whether the platform that a marker names, if any, is this one."""
    return all((sys.platform == name) == (operator == "==") for operator, name in _PLATFORM.findall(marker))


def expect(name: str, value: object, kinds: type | tuple[type, ...], words: str) -> None:
    """Refuses an argument of another type.

    Args:
        name: of the argument.
        value: what was given.
        kinds: what it may be.
        words: the same in words, with what to do where that helps.

    Raises:
        UsageError: the value is of none of these types.

    >>> expect("path", 3, str, "a path")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: path: expected a path, got int
    """
    if not isinstance(value, kinds):
        raise UsageError(f"{name}: expected {words}, got {type(value).__name__}")


def one_line(error: BaseException | str) -> str:
    r"""A message as one line of printable characters: what steers a terminal or turns text around is left out.

    >>> one_line("a\n  b \x1b[31m\x9b2J \u202ec")
    'a b [31m2J c'
    """
    return "".join(c for c in " ".join(str(error).split()) if c.isprintable())


def no_text(texts: Iterable[object]) -> str | None:
    r"""The first text that no file can hold: with half a character, as from a file name or an array of other bytes.

    >>> no_text(["a", 3, "b\udce9"])
    "'b\\udce9'"
    """
    found = [text for text in texts if isinstance(text, str)]
    try:
        "".join(found).encode("utf-8")
    except UnicodeEncodeError:
        return next(ascii(text) for text in found if any(0xD800 <= ord(c) < 0xE000 for c in text))
    return None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt word: ``' (did you mean "epochs"?)'``, or the list of what is known.

    >>> did_you_mean("epoch", ["epochs", "batch"])
    ' (did you mean "epochs"?)'
    >>> did_you_mean("zzz", ["epochs", "batch"])
    ' (known: batch, epochs)'
    """
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1)
    return f' (did you mean "{close[0]}"?)' if close else f" (known: {', '.join(words)})"
