"""This machine: one thread a process, as many processes as cores.

Libraries that are loaded on first use run on one thread too (`one_thread`). What libraries warn of is counted in place
of printed (`collecting`): once a shadow model and call, it would fill the screen.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from threadpoolctl import ThreadpoolController, threadpool_limits

from gnomon.core.errors import ModelError, one_line
from gnomon.core.system import available_cores
from gnomon.engines.workers import safe_path, start_worker

Keep = Callable[[str, Any, dict[str, Any]], None]  # key, array, facts: as `gnomon.store.ArrayStore.put`


@dataclass(frozen=True)
class Task:
    """A function, its arguments and the name that an error message uses.

    Attributes:
        keep: where what the function makes is kept; it gets the argument ``keep`` then, and calls that. A function
            that runs on another machine gets one that sends what is kept back to this one.
        gpus: GPUs of this machine, of which it needs one; 0: it needs none.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keep: Keep | None = None
    gpus: int = 0


@dataclass(frozen=True)
class Done:
    """A finished task: its position among the tasks, and what its function returned."""

    position: int
    result: Any
    warned: tuple[tuple[str, str], ...] = ()  # kind and text of warnings


class Engine(Protocol):
    """Where tasks run."""

    @property
    def here(self) -> LocalEngine:
        """This machine's cores, for tasks that read what lies on its disk."""
        ...

    def slots(self, gpus: int = 0) -> int:
        """Tasks that run at the same time, of those that need one of so many GPUs of this machine each, or none."""
        ...

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """Runs the tasks and yields each as it is ready, in any order; a task's own error is raised."""
        ...


@dataclass(frozen=True)
class LocalEngine:
    """Processes on this machine.

    A worker that dies (out of memory, a signal, a crash in native code) takes its unfinished tasks with it: they run
    once more, and a task that kills its worker again is named in a `ModelError`.

    Attributes:
        workers: processes; None means one a core. With one, tasks run in this process.
    """

    workers: int | None = None

    @property
    def here(self) -> LocalEngine:
        """Itself."""
        return self

    def slots(self, gpus: int = 0) -> int:
        """Processes at the same time: one a core, or one a GPU."""
        return min(gpus, self.workers or gpus) if gpus else self.workers or available_cores()

    @contextmanager
    def starting(self, *needed: object) -> Iterator[None]:
        """Starts the worker processes while the body runs, so that they need not be waited for later.

        Args:
            needed: functions and classes; the modules that they stand in are imported in every worker.
        """
        workers = self.slots()
        if workers <= 1:
            yield
            return
        with safe_path():
            started = _processes(workers)(joblib.delayed(len)(needed) for _ in range(workers))
        try:
            yield
        finally:
            with suppress(TerminatedWorkerError):  # the tasks that follow start others
                deque(started, maxlen=0)

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """Runs the tasks and yields each as it is ready."""
        workers = min(self.slots(max((task.gpus for task in tasks), default=0)), len(tasks))
        if workers <= 1:
            for position, task in enumerate(tasks):
                yield told(_numbered(position, task))
            return
        waiting = dict(enumerate(tasks))
        for _ in range(2):
            yield from _parallel(waiting, workers)
            if not waiting:
                return
        for position, task in list(waiting.items()):
            alone = {position: task}
            yield from _parallel(alone, 2)  # with one, joblib would run the task in this process
            if alone:
                raise ModelError(
                    f"{task.name}: the worker process died three times on it (out of memory or a native crash); "
                    "give it more memory, fewer workers or smaller batches; what was finished is kept"
                )


def in_order(engine: Engine, tasks: Sequence[Task], ready: Callable[[int], None] = lambda _: None) -> list[Any]:
    """What the tasks return, in their order; ``ready`` is called with 1 for each."""
    found = dict[int, Any]()
    for done in engine.run(tasks):
        found[done.position] = done.result
        ready(1)
    return [found[i] for i in range(len(tasks))]


def _parallel(waiting: dict[int, Task], workers: int) -> Iterator[Done]:
    """Runs what is waiting; removes what has finished; returns early when a worker died."""
    tasks = (joblib.delayed(_numbered)(position, task) for position, task in list(waiting.items()))
    try:
        with safe_path():
            for done in _processes(workers)(tasks):
                del waiting[done.position]
                yield told(done)
    except TerminatedWorkerError:
        return


def _processes(workers: int) -> joblib.Parallel:
    """Processes that serve every call alike, so that they are started once; results come as they are ready."""
    with joblib.parallel_config(
        backend="loky", inner_max_num_threads=1, initializer=start_worker, initargs=(os.getpid(),)
    ):
        return joblib.Parallel(n_jobs=workers, return_as="generator_unordered", pre_dispatch=workers, batch_size=1)


def _numbered(position: int, task: Task) -> Done:
    with collecting() as warned, _on_gpu(position, task.gpus):
        result = call(task.function, task.arguments, task.keep)
    return Done(position, result, warned.texts())


def call(function: Callable[..., Any], arguments: Sequence[Any], keep: Keep | None) -> Any:
    """What a task's function returns."""
    return function(*arguments) if keep is None else function(*arguments, keep=keep)


@contextmanager
def _on_gpu(position: int, gpus: int) -> Iterator[None]:
    """Torch's device "cuda" is one of several GPUs inside, each task's in turn."""
    if gpus < 2:
        yield
        return
    import torch

    with torch.cuda.device(position % gpus):
        yield


def told(done: Done) -> Done:
    """The finished task, its warnings passed on."""
    pass_on(done.warned)
    return done


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


LONGEST = 200  # letters of a warning


@dataclass(frozen=True)
class Warned:
    """Warnings that would have been printed, in the order in which they came.

    Attributes:
        caught: as Python records them; the list grows while it is collected.
    """

    caught: Sequence[warnings.WarningMessage] = field(default_factory=list)

    def texts(self) -> tuple[tuple[str, str], ...]:
        """Kind and text of each, short and on one line; they can be pickled."""
        return tuple((w.category.__name__, one_line(str(w.message))[:LONGEST]) for w in self.caught)

    def counts(self) -> dict[str, int]:
        """How often each came, the most frequent first."""
        found = Counter(text if kind == "Passed" else f"{kind}: {text}" for kind, text in self.texts())
        return dict(found.most_common())


class Passed(Warning):
    """A warning of another process, with its kind in its text."""


@contextmanager
def collecting() -> Iterator[Warned]:
    """What is warned of inside is collected; filters, and what they turn into errors, stay as they are.

    >>> with collecting() as found:
    ...     pass_on([("UserWarning", "too hot")] * 3)
    >>> found.counts()
    {'UserWarning: too hot': 3}
    """
    with warnings.catch_warnings(record=True) as caught:
        yield Warned(caught)


def pass_on(texts: Sequence[tuple[str, str]]) -> None:
    """Warnings of a task, to whoever collects them, or onto the screen; no filter meets them a second time."""
    for kind, text in texts:
        message = text if kind == "Passed" else f"{kind}: {text}"
        warnings.showwarning(Passed(message), Passed, "a task", 0)
