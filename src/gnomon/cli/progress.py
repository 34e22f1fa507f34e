"""Progress with time left, on a terminal; quiet elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class TerminalProgress:
    """Bars on standard error, one a stage; nothing where standard error is not a terminal."""

    def __init__(self, *, reuse: bool = False) -> None:
        """Makes the bars; they appear with the first stage.

        Args:
            reuse: a stage of a title that was there before starts that bar anew (many audits, one after the other).
        """
        self._reuse = reuse
        self._by_title: dict[str, TaskID] = {}
        console = Console(stderr=True)
        self._bars = RichProgress(
            TextColumn("{task.description:>14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> TerminalProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def stage(self, title: str, total: int | None) -> Callable[[int], None]:
        """A new bar."""
        if self._reuse and title in self._by_title:
            bar = self._by_title[title]
            self._bars.reset(bar, total=total)
        else:
            bar = self._by_title[title] = self._bars.add_task(title, total=total)
        return lambda steps: self._bars.advance(bar, steps)
