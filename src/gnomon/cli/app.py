"""The command line: parses, calls the command, chooses the exit code. A command's module is imported when it runs."""

from __future__ import annotations

import ast
import io
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Literal

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from gnomon.core import VERSION
from gnomon.core.errors import GnomonError, one_line
from gnomon.core.system import system_reason
from gnomon.engines.workers import leave_cluster, stop_workers

COMMANDS = (
    "demo",
    "init",
    "check",
    "audit",
    "report",
    "verify",
    "gate",
    "synth",
    "defend",
    "study",
    "reproduce",
    "diff",
)
USAGE_ERROR = 2
INTERRUPTED, TERMINATED, READER_GONE = 130, 143, 141  # what a shell reports of a command that such a signal ended

app = App(
    name="gnomon",
    version=VERSION,
    help="Measures what a trained model reveals about the records it was trained on.",
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=(), show_default=lambda value: value or None),  # a flag is given or not
)


class Terminated(BaseException):
    """SIGTERM came: ends the command as Ctrl-C does, past everything that catches errors."""


def _docstring(command: str) -> str | None:
    """A command's help without importing it: what it imports would make `--help` slow."""
    tree = ast.parse((Path(__file__).parent / f"{command}.py").read_text(encoding="utf-8"))
    [found] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == command]
    return ast.get_docstring(found)


for _name in COMMANDS:
    app.command(f"gnomon.cli.{_name}:{_name}", name=_name, help=_docstring(_name))
app.command(
    "gnomon.cli.list:listing", name="list", help="Lists what there is: attacks, datasets, mitigations, readers."
)


@app.command
def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Prints a shell's completion script: source it, or put it where the shell looks for such scripts.

    Args:
        shell: bash, zsh or fish.
    """
    print(app.generate_completion(prog_name="gnomon", shell=shell))
    return 0


def main() -> None:
    """Entry point: a `GnomonError` becomes one line and exit code 2; a reader that goes away is no error of ours."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows fewer characters gets their numbers
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as end:  # as in `gnomon list attacks | head -3`
        if isinstance(end, SystemExit) and not isinstance(end.__context__, BrokenPipeError):  # rich's way to say it
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed has nowhere to go
        code = READER_GONE
    for number in (signal.SIGINT, signal.SIGTERM):  # all is written: while workers end, a signal needs no traceback
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code."""
    if any("\0" in argument for argument in arguments):
        return _end("a NUL stands in an argument, which no file can be called", USAGE_ERROR)
    try:
        code = app(list(arguments), exit_on_error=False, print_error=False)
    except (GnomonError, CycloptsError) as error:
        return _end(str(error), USAGE_ERROR)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _reader_is_gone():
            raise
        where = "" if error.filename is None else f"{error.filename}: "
        return _end(f"{where}{system_reason(error)}; the system refused a file or a process", USAGE_ERROR)
    except MemoryError as error:
        said = f" ({error})" if str(error) else ""
        return _end(f"out of memory{said}; give fewer rows, models or workers, or a machine with more", USAGE_ERROR)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich's way to say it
            raise
        return _end(f"code that was called ended Python (exit code {end.code}); it must return", USAGE_ERROR)
    except KeyboardInterrupt:
        return _end("stopped; what was finished is kept, run the same command again to go on", INTERRUPTED)
    except Terminated:
        return _end("ended by a signal; what was finished is kept, run the same command again to go on", TERMINATED)
    return int(code or 0)


def _end(message: str, code: int) -> int:
    """One line on standard error; no worker outlives it."""
    Console(stderr=True, highlight=False, emoji=False).print(
        f"gnomon: {one_line(message)}", style="red", markup=False, soft_wrap=True
    )
    stop_workers()
    leave_cluster()
    return code


def _terminate(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a handler is called with
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the second one ends at once
    raise Terminated


def _reader_is_gone() -> bool:
    """Whether it is our own output that nobody reads any more, and not a pipe to a worker that broke."""
    if not hasattr(select, "poll"):
        return True
    outputs = select.poll()
    for stream in (sys.stdout, sys.stderr):
        outputs.register(stream.fileno(), 0)  # what is gone is reported unasked
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in outputs.poll(0))
