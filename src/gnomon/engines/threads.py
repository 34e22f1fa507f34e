"""One thread a process, also for libraries that are loaded on first use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController, threadpool_limits

from gnomon.core.machine import available_cores

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


@contextmanager
def one_thread() -> Iterator[None]:
    """Numerical libraries run on one thread inside.

    A second thread gains little in an audit and loses much next to a busy neighbour, and sums that threads share differ
    in their last bits. A limit on the libraries that are there leaves out those that are loaded later (torch, what
    scikit-learn's trees use); they read the environment when they are loaded, so that is set too. Afterwards all is as
    before, and libraries that were loaded inside get the threads that the environment names, or one a core.

    >>> with one_thread():
    ...     os.environ["OMP_NUM_THREADS"]
    '1'
    """
    known = {library.filepath for library in ThreadpoolController().lib_controllers}
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, "1"))
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        asked = before["OMP_NUM_THREADS"] or ""
        threads = int(asked) if asked.isdigit() and int(asked) > 0 else available_cores()
        for library in ThreadpoolController().lib_controllers:
            if library.filepath not in known:
                library.set_num_threads(threads)
