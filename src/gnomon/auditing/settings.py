"""How to run, as opposed to what: settings, what the user trusts of a plan, and who is told how far the audit is.

A plan may come from a stranger. It names code, files, variables of the environment and addresses, and could run the
first and send the others away. Progress is bars on a terminal, a line in a notebook, nothing elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from gnomon.core.errors import UsageError, one_line
from gnomon.core.plan import Plan
from gnomon.engines.ray import LOCAL


@dataclass(frozen=True)
class Trust:
    """What the user trusts; nothing by default.

    Attributes:
        trust: load pickle and joblib files, and import code that the plan names.
        trust_type: a type in a .skops file to take though it is not scikit-learn's, by its name; repeatable.
        send_to: a machine to which a plan may send its rows and headers, by its name; repeatable.
    """

    trust: bool = False
    trust_type: tuple[str, ...] = ()
    send_to: tuple[str, ...] = ()


NOTHING = Trust()


@dataclass(frozen=True)
class Settings(Trust):
    """How to run, as opposed to what: nothing here changes a result.

    Attributes:
        workers: processes; None for one a core.
        engine: where models are trained: ``local``, ``ray``, or the address of a Ray cluster.
        store: folder of models' answers; None for ``store/`` in the run's folder.
    """

    workers: int | None = None
    engine: str = LOCAL
    store: Path | None = None


def host_of(address: str) -> str:
    """The machine that an address names, in lower case.

    >>> host_of("https://Risk.example:8443/v1"), host_of("http://[::1]:9/x")
    ('risk.example', '::1')
    """
    return urlsplit(address).hostname or ""


def refuse_sending(plan: Plan, trusted: Trust) -> None:
    """Refuses a plan that sends something to a machine that is neither this one nor trusted.

    Args:
        plan: the plan.
        trusted: what the user trusts.

    Raises:
        UsageError: it names another machine; the message says what would be sent, and what allows it.
    """
    if trusted.trust:
        return
    allowed = {name.lower() for name in trusted.send_to}
    for key, address, variables in plan.sends():
        host = host_of(address)
        if host in allowed or _is_here(host):
            continue
        secrets = f" and the environment's {', '.join(variables)}" if variables else ""
        raise UsageError(
            f"{key}: the plan would send its rows{secrets} to {host}; give --send-to {host} if that is what you want"
        )


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


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


EVERY = 0.2  # seconds between two updates of a notebook's line


class TerminalProgress:
    """Bars on standard error, one a stage; nothing where standard error is not a terminal."""

    def __init__(self, *, reuse: bool = False) -> None:
        """Makes the bars; they appear with the first stage.

        Args:
            reuse: a stage of a title that was there before starts that bar anew (many audits, one after the other).
        """
        self._reuse = reuse
        self._by_title: dict[str, TaskID] = {}
        console = Console(stderr=True, emoji=False)
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

    def note(self, line: str) -> None:
        """A line above the bars, also where standard error is no terminal."""
        self._bars.console.print(one_line(line), markup=False, highlight=False, soft_wrap=True)


class NotebookProgress:
    """One line a stage in the output of a notebook's cell, brought up to date in its place; needs IPython only."""

    def stage(self, title: str, total: int | None) -> Callable[[int], None]:
        """A new line."""
        from IPython.display import HTML, display

        start, done, shown = time.monotonic(), 0, 0.0
        handle: Any = display(HTML(_line(title, 0, total, 0.0)), display_id=True)

        def advance(steps: int) -> None:
            nonlocal done, shown
            done += steps
            now = time.monotonic()
            if handle is not None and (now - shown >= EVERY or done == total):
                shown = now
                handle.update(HTML(_line(title, done, total, now - start)))

        return advance

    def note(self, line: str) -> None:
        """A line of its own."""
        from IPython.display import HTML, display

        display(HTML(f"<div>{escape(one_line(line))}</div>"))


def _line(title: str, done: int, total: int | None, seconds: float) -> str:
    bar = "" if total is None else f'<progress value="{done}" max="{total}"></progress> '
    left = f", about {seconds / done * (total - done):.0f} s left" if total and 0 < done < total else ""
    reach = f"{done}" if total is None else f"{done}/{total}"
    return f"<div>{escape(title)} {bar}{reach} in {seconds:.0f} s{left}</div>"


@contextmanager
def following(progress: Progress | bool) -> Iterator[Progress]:
    """Who is told how far an audit is.

    Args:
        progress: False: nobody; True: whoever sits in front, at a notebook or a terminal; or somebody else.

    Raises:
        UsageError: something else.
    """
    if progress is False:
        yield Silent()
    elif progress is True and Console().is_jupyter:
        yield NotebookProgress()
    elif progress is True:
        with TerminalProgress() as bars:
            yield bars
    elif hasattr(progress, "stage"):
        yield progress
    else:
        raise UsageError(f"progress: expected True, False or an object with a method stage, got {progress!r}")
