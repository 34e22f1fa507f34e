"""A task tried in a process of its own first: native code that crashes or hangs takes that process with it."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress

from threadpoolctl import threadpool_limits

CARRY_OUT = (
    "import os, pickle, sys\nfrom contextlib import suppress\n"
    "with suppress(BaseException):\n    pickle.load(sys.stdin.buffer)()\nos._exit(0)\n"
)


def try_task(task: Callable[[], object], seconds: float) -> str | None:
    """Carries out a task in another process and forgets its result.

    On Linux that is a copy of this process. Elsewhere a copy can't go on, and it is a new one: a task that can't be
    pickled is not tried there.

    Args:
        task: may raise whatever it likes; it will raise the same when it is carried out for good.
        seconds: of the processor's time that it may take, and ten times as many of ours (the machine may be busy).

    Returns:
        What became of a process that did not come to an end by itself, in words; None: it did, or nothing was tried.

    >>> try_task(lambda: 1 / 0, 10.0)
    """
    return try_in_copy(task, seconds) if sys.platform == "linux" else try_in_new_process(task, 10 * seconds)


def try_in_new_process(task: Callable[[], object], seconds: float) -> str | None:
    """Carries out a task that can be pickled in a process of its own, which imports what it needs anew."""
    try:
        content = pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    places = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    words = [sys.executable, "-c", CARRY_OUT]
    try:
        done = subprocess.run(words, input=content, env=places, timeout=seconds, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return f"it was not done in {seconds:g} s"
    return None if done.returncode == 0 else f"it crashed the process that tried it (exit code {done.returncode})"


def try_in_copy(task: Callable[[], object], seconds: float) -> str | None:
    """Carries out a task in a copy of this process, which has imported all that it needs."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # forks are frowned upon near threads
        child = os.fork()
    if child == 0:
        _carry_out(task, seconds)
    try:
        status = os.waitpid(child, 0)[1]
    except BaseException:  # Ctrl-C: it must not outlive us
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        raise
    if not os.WIFSIGNALED(status):
        return None
    ended = os.WTERMSIG(status)
    if ended in (signal.SIGALRM, signal.SIGPROF):
        return f"it was not done in {seconds:g} s"
    return f"it crashed the process that tried it ({signal.Signals(ended).name})"


def _carry_out(task: Callable[[], object], seconds: float) -> None:
    """What the copy does: no word of it is printed, no handler of ours runs, and it ends here."""
    try:
        faulthandler.disable()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGPROF):
            signal.signal(number, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        sys.stdout = sys.stderr = os.fdopen(nowhere, "w")
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
        with threadpool_limits(1):
            task()
    except BaseException:  # it will be raised where it can be answered
        pass
    finally:
        os._exit(0)
