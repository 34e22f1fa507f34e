"""A task tried in a process of its own first: native code that crashes or hangs takes that process with it."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import select
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from threadpoolctl import threadpool_limits

CARRY_OUT = (
    "import pickle, sys\nfrom gnomon.engines.trial import carry_out\ncontent = sys.stdin.buffer.read()\n"
    "carry_out(lambda: pickle.loads(content)(), float(sys.argv[1]))\n"
)
SPINNING = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}  # threads that wait may look busy for ever
LOOK, LOOKS = 0.25, 4  # seconds between two looks at a copy; so many in a row without a sign of life, and it waits
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG
WAITS = "it waited for something that did not come"


def try_task(task: Callable[[], object], seconds: float) -> str | None:
    """Carries out a task in another process and forgets its result.

    On Linux that is a copy of this process, which has imported all that the task needs. A copy has none of the threads
    that libraries started here (those of OpenMP, CatBoost, TensorFlow), and where one is waited for, the copy sleeps
    for ever: then, and elsewhere always, it is a new process. That takes seconds longer.

    Args:
        task: may raise whatever it likes; it will raise the same when it is carried out for good. A new process can
            only be given one that can be pickled.
        seconds: of the processor's time that it may take, and ten times as many of ours (the machine may be busy).

    Returns:
        What became of a process that did not come to an end by itself, in words; None: it did, or nothing was tried
        (a task that can't be pickled, where there are no copies).

    >>> try_task(lambda: 1 / 0, 10.0)
    """
    if sys.platform == "linux" and not SPINNING & os.environ.keys():
        ended = try_in_copy(task, seconds)
        if ended != WAITS:
            return ended
        unsent: str | None = WAITS
    else:
        unsent = None
    try:
        content = pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError):
        return unsent
    return _try_in_new_process(content, seconds)


def _try_in_new_process(content: bytes, seconds: float) -> str | None:
    """Carries out a pickled task in a process of its own, which imports what it needs anew."""
    places = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    words = [sys.executable, "-P", "-c", CARRY_OUT, str(seconds)]  # -P: no module of the working folder
    try:
        done = subprocess.run(words, input=content, env=places, timeout=10 * seconds, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return f"it was not done in {seconds:g} s"
    return None if done.returncode == 0 else _said(done.returncode, seconds)


def try_in_copy(task: Callable[[], object], seconds: float) -> str | None:
    """Carries out a task in a copy of this process."""
    ends, held = os.pipe()  # held by the copy alone, so that its end is seen at once
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # forks are frowned upon near threads
        child = os.fork()
    if child == 0:
        carry_out(task, seconds)
    os.close(held)
    try:
        waits = _waits(child, ends)
    except BaseException:  # Ctrl-C: it must not outlive us
        _kill(child)
        raise
    finally:
        os.close(ends)
    if waits:
        _kill(child)
        return WAITS
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return _said(status, seconds) if status < 0 else None


def _waits(child: int, ends: int) -> bool:
    """Whether a copy came to sleep for good; False: it ended."""
    idle, before, end = 0, [""], select.poll()
    end.register(ends, 0)
    while idle < LOOKS:
        if end.poll(1000 * LOOK):
            return False
        fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        if fields[0] == "Z":  # something that it started holds the pipe
            return False
        now = fields[11:13]  # ticks of the processor's time
        idle = idle + 1 if fields[0] == "S" and now == before else 0
        before = now
    return True


def _kill(child: int) -> None:
    with suppress(OSError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _said(status: int, seconds: float) -> str:
    if -status in (signal.SIGALRM, signal.SIGPROF):
        return f"it was not done in {seconds:g} s"
    how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
    return f"it crashed the process that tried it ({how})"


def carry_out(task: Callable[[], object], seconds: float) -> NoReturn:
    """What the other process does: no word of it is printed, no handler of ours runs, and it ends here."""
    try:
        faulthandler.disable()
        if sys.platform != "win32":
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGPROF):
                signal.signal(number, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        sys.stdout = sys.stderr = os.fdopen(nowhere, "w")
        with threadpool_limits(1):
            task()
    except BaseException:  # it will be raised where it can be answered
        pass
    finally:
        os._exit(0)
