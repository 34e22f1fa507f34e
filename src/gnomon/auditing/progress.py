"""Who is told how far an audit is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable


class Progress(Protocol):
    """Who is told how far the audit is."""

    def stage(self, title: str, total: int | None) -> Callable[[int], None]:
        """A new stage of so many steps (None: unknown); the returned function is called with steps done."""
        ...


@runtime_checkable
class Noting(Protocol):
    """Progress that also shows single lines, such as what was understood of a service."""

    def note(self, line: str) -> None:
        """Something that the user should read now."""
        ...


class Silent:
    """Tells nobody."""

    def stage(self, title: str, total: int | None) -> Callable[[int], None]:  # noqa: ARG002 - the protocol's names
        """Ignores the stage."""
        return lambda _: None
