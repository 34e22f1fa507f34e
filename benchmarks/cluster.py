"""A Ray cluster against this machine's own processes: time, and what the driver holds.

python benchmarks/cluster.py --parts speed     # logistic regressions on 1 and 2 workers, both engines
    python benchmarks/cluster.py --parts sleep     # 64 workers that sleep: what the engine itself costs
    python benchmarks/cluster.py --parts many      # what the driver holds: 1,000 models, 4 MB of answers each
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.protocols import Trainer
from gnomon.core.system import peak_memory_mb
from gnomon.engines.local import Engine, LocalEngine, Task
from gnomon.engines.ray import RayEngine
from gnomon.engines.workers import leave_cluster
from gnomon.models.sklearn import SklearnTrainer
from gnomon.shadow.pool import ShadowPool
from gnomon.store.arrays import ArrayStore


@dataclass(frozen=True)
class Asleep:
    """A model that gives every record the same answers, and took some seconds of sleep to train."""

    n_classes: int

    def log_probs(self, x: Rows) -> Floats:
        """See `gnomon.core.protocols.Model`."""
        return np.full((len(x), self.n_classes), -np.log(self.n_classes), dtype=np.float32)


@dataclass(frozen=True)
class Sleeper:
    """Trains nothing, one model at a time."""

    seconds: float

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[Asleep]:  # noqa: ARG002
        """Sleeps."""
        time.sleep(self.seconds)
        return [Asleep(n_classes) for _ in rows]

    def recipe(self) -> dict[str, Any]:
        """How long it sleeps."""
        return {"sleep": self.seconds}

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:  # noqa: ARG002
        """One."""
        return 1


def numbers(n: int, columns: int, n_classes: int) -> Dataset:
    rng = np.random.default_rng(0)
    return make_dataset(rng.normal(size=(n, columns)).astype(np.float32), np.arange(n) % n_classes)


def seconds_of(engine: Engine, trainer: Trainer, data: Dataset, models: int) -> float:
    """Wall time of the answers of so many models, each trained on half of the rows, into an empty store."""
    rng = np.random.default_rng(1)
    rows = [np.sort(rng.choice(len(data), len(data) // 2, replace=False)) for _ in range(models)]
    with tempfile.TemporaryDirectory() as folder:
        pool = ShadowPool(ArrayStore(Path(folder)), engine, trainer)
        start = time.perf_counter()
        pool.answers(data, rows, np.arange(len(data)), range(models))
        return time.perf_counter() - start


def speed(repeats: int) -> None:
    """Both engines in turns; workers are up before the time is taken."""
    data, trainer = numbers(4_000, 60, 10), SklearnTrainer(LogisticRegression(max_iter=300))
    for workers in (1, 2):
        engines: dict[str, Engine] = {"this machine": LocalEngine(workers), "ray": RayEngine(workers=workers)}
        times: dict[str, list[float]] = {name: [] for name in engines}
        for turn in range(repeats + 1):
            for name, engine in engines.items():
                taken = seconds_of(engine, trainer, data, 2 * workers if turn == 0 else 16)
                if turn:
                    times[name].append(taken)
        shown = {name: f"{min(t):.2f} / {np.median(t):.2f}" for name, t in times.items()}
        print(f"{workers} workers, 16 logistic regressions, seconds (least / median of {repeats}): {shown}")
        leave_cluster()


def sleep(workers: int, rounds: int, seconds: float) -> None:
    """Sleeping workers stand in for those of a large cluster, which would not share this machine's cores."""
    engine, nap = RayEngine(workers=workers), Task("sleep", time.sleep, (seconds,))
    started = time.perf_counter()
    for _ in engine.run([nap] * (2 * workers)):
        pass
    print(f"{workers} workers are up and have slept twice after {time.perf_counter() - started:.1f} s")
    start, used = time.perf_counter(), time.process_time()
    for _ in engine.run([nap] * (rounds * workers)):
        pass
    taken, used = time.perf_counter() - start, time.process_time() - used
    print(
        f"{rounds * workers} tasks of {seconds:g} s: {taken:.1f} s, efficiency {rounds * seconds / taken:.2f}; "
        f"driver: {1000 * used / (rounds * workers):.1f} ms of processor time a task"
    )
    leave_cluster()


def many(workers: int, models: int, seconds: float) -> None:
    """Models that are asleep give answers as large as real ones."""
    data, engine = numbers(100_000, 2, 10), RayEngine(workers=workers)
    started = time.perf_counter()
    seconds_of(engine, Sleeper(0.5), numbers(100, 2, 10), 2 * workers)
    print(f"{workers} workers are up after {time.perf_counter() - started:.1f} s; driver {peak_memory_mb()} MiB")
    before = resource.getrusage(resource.RUSAGE_SELF)
    taken = seconds_of(engine, Sleeper(seconds), data, models)
    after = resource.getrusage(resource.RUSAGE_SELF)
    ideal = -(-models // workers) * seconds
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{models} models of {seconds:g} s, {len(data):,} x 10 answers each: {taken:.1f} s, {ideal:.1f} s of sleep, "
        f"efficiency {ideal / taken:.2f}; driver: {used:.1f} s of processor time, peak {peak_memory_mb()} MiB"
    )
    leave_cluster()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", nargs="*", default=["speed", "sleep", "many"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    if "speed" in options.parts:
        speed(options.repeats)
    if "sleep" in options.parts:
        sleep(options.workers, 10, options.seconds)
    if "many" in options.parts:
        many(options.workers, options.models, options.seconds)
