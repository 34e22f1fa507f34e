"""A Ray cluster, one of this machine's own or one that is there already; and the engine that a command names.

The driver, where gnomon was started, sends what tasks share into the cluster's object store once, and what they make
comes back through it, one array at a time: workers and driver need no disk in common, and the driver holds little.
What reads answers that lie on the driver's disk (attacks, mitigations) runs on the driver's machine (`RayEngine.here`).
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
import traceback
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gnomon.core.errors import GnomonError, MissingExtraError, ModelError, UsageError, one_line
from gnomon.core.system import available_cores
from gnomon.engines.installed import difference, installed
from gnomon.engines.local import Done, Engine, LocalEngine, Task, call, collecting, one_thread, told

OWN = "ray"  # in place of an address: a cluster of this machine's own, for as long as this process lives
AHEAD = 2  # tasks that are handed to the cluster for each that it can run at the same time
DEATHS = 3  # of workers, before a task is given up
CALL_SECONDS = 10.0  # that a cluster has to take a connection
LOOK_SECONDS = 30.0  # between two looks whether the cluster can run anything at all


@dataclass(frozen=True)
class RayEngine:
    """Workers of a Ray cluster, one processor or one GPU a task.

    A worker or node that dies takes its unfinished tasks with it: they run again elsewhere, and a task that has lost
    three workers is named in a `ModelError`. Workers must have the driver's Python, packages and gnomon.

    Attributes:
        address: ``ray`` for a cluster of this machine's own, which ends with this process; or that of a cluster:
            ``HOST:6379`` from a machine that belongs to it, ``ray://HOST:10001`` from any other.
        workers: most tasks at the same time; None means as many as the cluster can run.
    """

    address: str = OWN
    workers: int | None = None

    @property
    def here(self) -> LocalEngine:
        """The driver's own cores."""
        return LocalEngine()

    def slots(self, gpus: int = 0) -> int:
        """Tasks at the same time: the cluster's processors, or its GPUs for tasks that need one each.

        Raises:
            UsageError: the cluster has none.
        """
        kind = "GPU" if gpus else "CPU"
        found = int(self._connected().cluster_resources().get(kind, 0))
        if not found:
            raise UsageError(
                f"the Ray cluster {self.address} has no {kind} that tasks may use: add a node that has one"
            )
        return min(found, self.workers or found)

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """Runs the tasks and yields each as it is ready, after what it made was kept.

        Raises:
            UsageError: a node differs from this machine in what decides bits.
            ModelError: a task lost its workers three times; the others finish first.
        """
        if not tasks:
            return
        ray = self._connected()
        most = self._most(max(task.gpus for task in tasks))
        send = _Sender(ray, tasks)
        waiting, running, deaths = deque(range(len(tasks))), dict[Any, int](), Counter[int]()
        try:
            while waiting or running:
                while waiting and len(running) < most:
                    position = waiting.popleft()
                    running[send(position)] = position
                for ready in ray.wait(list(running), timeout=LOOK_SECONDS)[0] or self._look():
                    position = running.pop(ready)
                    try:
                        yield _received(ray, ready, position, tasks[position])
                    except _lost(ray):
                        deaths[position] += 1
                        if deaths[position] < DEATHS:
                            waiting.append(position)
        except SystemError as error:  # what Ray's native code makes of a signal that comes when it has its result
            raise error.__cause__ or error from None
        finally:
            if self.address != OWN:  # ours ends with us, and Ray's native code may end a process that cancels
                for unfinished in running:
                    ray.cancel(unfinished, force=True)
        given_up = [tasks[i].name for i, count in sorted(deaths.items()) if count == DEATHS]
        if given_up:
            raise ModelError(
                f"{', '.join(given_up)}: the worker process died {DEATHS} times on it (out of memory, a native crash "
                "or a lost node); give it more memory, fewer workers or smaller batches; what was finished is kept"
            )

    def _most(self, gpus: int) -> int:
        """Tasks in the cluster's hands: more than it runs, so that no worker waits, but where it must not run more."""
        return self.slots(gpus) * (1 if self.workers and self.address != OWN else AHEAD)

    def _look(self) -> tuple[()]:
        """Nothing has become ready for a while: that is well as long as there is somebody to run it."""
        self.slots()
        return ()

    def _connected(self) -> Any:
        """Ray, connected to the cluster; a connection that this process already has is used."""
        try:
            import ray
        except ImportError:
            raise MissingExtraError("ray", "ray", f"--engine {self.address}") from None
        if not ray.is_initialized():
            try:
                self._call()
                with _as_before(own=self.address == OWN):
                    ray.init(**self._options(ray))
                _hush(ray)
            except Exception as error:  # Ray raises whatever it meets, and plain exceptions of its own
                reason = one_line(str(error))
                raise UsageError(f"Ray cluster {self.address}: can't be used: {reason}{self._hint()}") from None
        return ray

    def _hint(self) -> str:
        """What keeps most callers out of a cluster of others: Ray sends no token to an address unless it is told to."""
        unset = self.address != OWN and "RAY_AUTH_MODE" not in os.environ
        return "; if it takes work only with a token, set RAY_AUTH_MODE=token" if unset else ""

    def _call(self) -> None:
        """Whether anybody answers at the address; Ray would try for minutes."""
        if self.address != OWN:
            host, _, port = self.address.removeprefix("ray://").rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), timeout=CALL_SECONDS).close()

    def _options(self, ray: Any) -> dict[str, Any]:
        quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if self.address != OWN:
            return {"address": self.address, **quiet}
        cores = self.workers or available_cores()
        job = ray.job_config.JobConfig(_client_job=True)  # else workers look for modules in the working folder first
        return {"address": "local", "num_cpus": cores, "include_dashboard": False, "job_config": job, **quiet}


class _Sender:
    """Hands tasks to the cluster; an argument that several of them share travels once."""

    def __init__(self, ray: Any, tasks: Sequence[Task]) -> None:
        self._ray, self._tasks = ray, tasks
        self._run = ray.remote(max_retries=0, num_cpus=1)(_carry_out)
        counts = Counter(id(argument) for task in tasks for argument in task.arguments)
        several = {id(a): a for task in tasks for a in task.arguments if counts[id(a)] > 1}
        self._shared = {key: ray.put(argument) for key, argument in several.items()}
        self._here = ray.put(installed())

    def __call__(self, position: int) -> Any:
        task = self._tasks[position]
        arguments = [self._shared.get(id(argument), argument) for argument in task.arguments]
        run = self._run.options(num_gpus=1) if task.gpus else self._run
        return run.remote(self._here, task.function, task.keep is not None, *arguments)


@dataclass(frozen=True)
class _Came:
    """What comes back from a worker: a result or an error, and where the cluster holds what was made."""

    result: Any = None
    error: Exception | None = None
    made: Sequence[Any] = ()  # references to the arguments of `Task.keep`, a call each
    warned: tuple[tuple[str, str], ...] = ()


def _carry_out(here: dict[str, str], function: Any, keeps: bool, *arguments: Any) -> _Came:
    """What a worker does."""
    import ray

    other = difference(here, installed())
    if other is not None:
        node = ray.util.get_node_ip_address()
        return _Came(error=UsageError(f"node {node} of the Ray cluster has {other}: install there what is here"))
    made: list[Any] = []

    def keep(*kept: Any) -> None:
        made.append(ray.put(kept))  # out of this process's memory

    try:
        with one_thread(), collecting() as warned:
            result = call(function, arguments, keep if keeps else None)
    except Exception as error:
        if not isinstance(error, GnomonError):
            error.add_note(traceback.format_exc())  # which does not travel otherwise
        return _Came(error=error)
    return _Came(result, made=made, warned=warned.texts())


def _received(ray: Any, ready: Any, position: int, task: Task) -> Done:
    """A finished task, after what it made was kept; its own error is raised."""
    try:
        came: _Came = ray.get(ready)
    except ray.exceptions.RayTaskError as error:  # before the task itself began
        reason = one_line(str(error.cause or error)) if hasattr(error, "cause") else one_line(str(error))
        raise UsageError(
            f"{task.name}: a worker of the Ray cluster can't load what it is sent ({reason}): install gnomon and what "
            "the plan names on all nodes, the same as here"
        ) from None
    if came.error is not None:
        raise came.error
    for made in came.made:
        assert task.keep is not None
        task.keep(*ray.get(made))
    return told(Done(position, came.result, came.warned))


def _lost(ray: Any) -> tuple[type[Exception], ...]:
    """Errors that say that a worker or a node is gone."""
    known = ray.exceptions
    return known.WorkerCrashedError, known.NodeDiedError, known.OutOfMemoryError, known.ObjectLostError


def _hush(ray: Any) -> None:
    """Ray writes each worker's death to standard output, which is a document with ``--json``; the engine says it."""
    if hasattr(ray._private.worker, "print_to_stdstream"):  # nothing public stops it
        ray._private.worker.print_to_stdstream = lambda *_given, **_options: None


@contextmanager
def _as_before(*, own: bool) -> Iterator[None]:
    """Ray starts quietly, sends nothing home, and leaves signals to those who handled them.

    A cluster of our own takes work from who knows its secret, which lives as long as this process and on no disk.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if own:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    before, main = signal.getsignal(signal.SIGTERM), threading.current_thread() is threading.main_thread()
    paths = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)  # workers of our own find what we do
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        if paths is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = paths
        if main:
            signal.signal(signal.SIGTERM, before)


LOCAL = "local"
ENGINE_WORDS = (
    "where models are trained: local (this machine), ray (a Ray cluster on this machine that ends with the command), "
    "or the address of a Ray cluster, HOST:6379 or ray://HOST:10001; see docs/scale.md"
)


def engine_of(name: str, workers: int | None = None) -> Engine:
    """The engine of this name, with at most so many workers.

    Raises:
        UsageError: no engine's name.

    >>> engine_of("local", 2)
    LocalEngine(workers=2)
    >>> engine_of("rai")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: --engine: expected local, ray, HOST:PORT or ray://HOST:PORT, got "rai"
    """
    if name == LOCAL:
        return LocalEngine(workers)
    if name == OWN or name.rpartition(":")[2].isdigit():
        return RayEngine(name, workers)
    raise UsageError(f'--engine: expected local, ray, HOST:PORT or ray://HOST:PORT, got "{name}"')
