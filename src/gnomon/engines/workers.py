"""Worker processes end with the process that started them, however that ends, and leave interrupts to it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 0.25  # between two looks for the parent
SAFE_PATH = "PYTHONSAFEPATH"  # a new Python looks for no module in the working folder


@contextmanager
def safe_path() -> Iterator[None]:
    """Python processes that start inside import nothing from the working folder, which may be a stranger's.

    joblib starts its workers with ``python -m``, for which that folder comes first, before the standard library.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(SAFE_PATH, None)
        else:
            os.environ[SAFE_PATH] = before


def start_worker(parent: int) -> None:
    """What a new worker does first: it ignores Ctrl-C, which its parent answers, and watches for its parent's end.

    A parent that is killed can't stop its workers, and they would go on, and write, for as long as their tasks last. On
    Windows a process keeps the number of a parent that has ended: there a worker ends when it has been idle for long.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.pop(SAFE_PATH, None)  # not for what the user's own code starts
    threading.Thread(target=_end_with, args=(parent,), name="end with parent", daemon=True).start()


def stop_workers() -> None:
    """Ends this process's workers at once, in the middle of their tasks."""
    if "joblib.externals.loky" in sys.modules:
        from joblib.externals.loky import get_reusable_executor

        with safe_path():  # it starts a process of its own where none was needed so far
            get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def leave_cluster() -> None:
    """Ends a Ray cluster that this process started, or what this process runs on another one."""
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os._exit(1)
