"""This machine: one thread a process, as many processes as cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from gnomon.core.errors import ModelError
from gnomon.core.machine import available_cores
from gnomon.engines.warned import collecting, pass_on
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
    def here(self) -> Engine:
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
