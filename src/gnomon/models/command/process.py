"""One command: no shell, a time limit for it and all that it starts, and its output kept."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gnomon.core.errors import ModelError, UsageError, one_line

QUOTED = 300  # characters of a failed command's output
_PARENT_DIED = 1  # Linux: PR_SET_PDEATHSIG


def split_line(line: str, key: str, needed: Sequence[str]) -> tuple[str, ...]:
    """The words of a command line.

    Args:
        line: with places such as ``{rows}``.
        key: of the plan, for messages.
        needed: places that it must have.

    Raises:
        UsageError: a quote that does not end, no word, or a place that is missing.

    >>> split_line("Rscript fit.R '{rows}' {model}", "train", ("{rows}", "{model}"))
    ('Rscript', 'fit.R', '{rows}', '{model}')
    """
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"trainer.{key}: not a command line ({error}): {line}") from None
    missing = [place for place in needed if not any(place in word for word in words)]
    if not words or missing:
        wanted = " and ".join(needed)
        raise UsageError(f"trainer.{key}: expected a command line with {wanted}, got {line or 'nothing'}")
    return words


def fill(words: Sequence[str], places: Mapping[str, object]) -> list[str]:
    """The words with the places filled; other braces stay, as in an awk program.

    >>> fill(("awk", "{print}", "{rows}"), {"{rows}": "rows.csv"})
    ['awk', '{print}', 'rows.csv']
    """
    filled = []
    for word in words:
        for place, value in places.items():
            word = word.replace(place, str(value))
        filled.append(word)
    return filled


def run_command(words: Sequence[str], folder: Path, log: Path, timeout: float, what: str) -> None:
    """Runs a command in a folder until it ends well.

    Args:
        words: the program and its arguments.
        folder: where it runs.
        log: where its output goes, after what is there.
        timeout: seconds after which it and all that it started are killed.
        what: for messages: "the command that trains".

    Raises:
        UsageError: it can't be started: no other model could be trained either.
        ModelError: it takes too long, or fails; its output is quoted.
    """
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                list(words),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent(),
            )
        except OSError as error:
            raise UsageError(f"{what} can't be started: {words[0]}: {error.strerror or error}") from None
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ModelError(
                f"{what} took longer than {timeout:g} s (trainer.timeout) and was stopped{_quoted(log)}"
            ) from None
        finally:
            _kill_group(process)
    if code != 0:
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise ModelError(f"{what} ({words[0]}) {ended}{_quoted(log)}")


def _quoted(log: Path) -> str:
    said = one_line(log.read_bytes()[-4 * QUOTED :].decode("utf-8", "replace"))
    return f"; it printed: {'...' if len(said) > QUOTED else ''}{said[-QUOTED:]}" if said else "; it printed nothing"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Ends what a command started and left behind; the command itself too, if it still runs."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_with_parent() -> Callable[[], None] | None:
    """What a command does before it begins: asks the system (Linux) to be killed when this process dies."""
    if sys.platform != "linux":
        return None
    system, parent = ctypes.CDLL(None), os.getpid()  # here: after the fork nothing may be loaded

    def ask() -> None:
        system.prctl(_PARENT_DIED, signal.SIGKILL)
        if os.getppid() != parent:  # it died before it was asked for
            os._exit(1)

    return ask
