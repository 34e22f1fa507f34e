"""The shadow pool: trains what the store does not hold, in batches, and keeps what the models answer.

The key of a model's answers is everything that decides them: the data's bytes, the rows it is trained on, the rows it
is asked, the recipe, the seed, the versions of what trains it. Never a path, never a count. Each finished batch is on
disk before the next one starts, so a killed run goes on where it stopped.

What else is observed of a model lies beside its answers, under a key of theirs and of the observation's. A model whose
answers are there and whose observation is not is trained again for it; its answers stay.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from itertools import pairwise
from typing import Any

import numpy as np

from gnomon.core.arrays import Floats, Ints, check_log_probs, fingerprint, take_rows
from gnomon.core.data import Dataset
from gnomon.core.errors import ModelError, StoreError
from gnomon.core.protocols import Model, Observation, Trainer
from gnomon.engines.local import Engine, Task
from gnomon.store.arrays import ArrayStore

ANSWERS_VERSION = 1  # raise when what is stored under a key changes its meaning
OBSERVATIONS_VERSION = 1  # the same for what is observed
DECIDING_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")


@dataclass(frozen=True)
class PoolAnswers:
    """Answers of m models on the asked rows, and how they came to be."""

    answers: list[Floats]  # m arrays (n, c), memory-mapped natural-log probabilities
    keys: list[str]
    fresh: list[bool]  # trained in this run, not found in the store
    batch: int  # models trained at once
    seconds: float  # training time, summed over processes
    remade: list[str] = field(default_factory=list)  # damaged files: discarded and made again
    observed: dict[str, list[Floats]] = field(default_factory=dict)  # name -> m arrays (n, k), memory-mapped

    @property
    def trained(self) -> int:
        """Models trained in this run."""
        return sum(self.fresh)

    @property
    def reused(self) -> int:
        """Models whose answers were found in the store."""
        return len(self.fresh) - self.trained

    def after(self, first: int) -> PoolAnswers:
        """The same without the first models."""
        return replace(
            self,
            answers=self.answers[first:],
            keys=self.keys[first:],
            fresh=self.fresh[first:],
            observed={name: each[first:] for name, each in self.observed.items()},
        )


@dataclass(frozen=True)
class Asked:
    """What every model is asked, and what is observed of it."""

    x: Any  # (n, ...) rows
    y: Ints  # (n,) class ids; only observations read them
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True)
class Work:
    """One model to train, and the keys under which to store its answers (None: they are there) and observations."""

    rows: Ints
    seed: int
    answers: str | None
    observed: dict[str, str]  # name -> key, of those that are missing


@dataclass(frozen=True)
class ShadowPool:
    """Trains models of one recipe on an engine and keeps their answers, and what is observed of them, in a store."""

    store: ArrayStore
    engine: Engine
    trainer: Trainer
    observations: tuple[Observation, ...] = ()

    def answers(
        self,
        data: Dataset,
        rows: Sequence[Ints],
        asked: Ints,
        seeds: Sequence[int],
        progress: Callable[[int], None] | None = None,
    ) -> PoolAnswers:
        """Answers of one model per entry of ``rows``.

        Args:
            data: the rows and labels.
            rows: m arrays of positions to train on.
            asked: (n,) positions to ask every model.
            seeds: m seeds.
            progress: called with the number of models that have become ready.

        Raises:
            ModelError: a model could not be trained or answered with something else than probabilities.
            StoreError: the store can't be written.
        """
        keys = self._keys(data, rows, asked, seeds)
        beside = {key: {o.name: _beside(key, o) for o in self.observations} for key in keys}
        every = [k for key in beside for k in (key, *beside[key].values())]
        found = {key: self.store.get(key) for key in every}
        remade = [f.damaged for f in found.values() if f.damaged]
        held = {key for key, f in found.items() if f.array is not None}
        ready = {key for key, others in beside.items() if held.issuperset({key, *others.values()})}
        if progress is not None and ready:
            progress(len(ready))
        sizes = [len(r) for r in rows]
        most = max(1, self.trainer.batch_size(data.x, data.n_classes, max(sizes))) if rows else 1
        groups = even_groups(len(rows), most, self.engine.slots)
        work = [
            Work(r, seed, None if key in held else key, {name: k for name, k in beside[key].items() if k not in held})
            for r, seed, key in zip(rows, seeds, keys, strict=True)
        ]
        tasks, missing = self._tasks(data, asked, work, groups)
        seconds = 0.0
        for done in self.engine.run(tasks):
            seconds += done.result
            if progress is not None:
                progress(missing[done.position])
        arrays = {key: found[key].array if key in held else self.store.get(key).array for key in every}
        return PoolAnswers(
            answers=[self._present(arrays[key]) for key in keys],
            observed={o.name: [self._present(arrays[beside[key][o.name]]) for key in keys] for o in self.observations},
            keys=keys,
            fresh=[key not in ready for key in keys],
            batch=max((len(group) for group in groups), default=1),
            seconds=seconds,
            remade=remade,
        )

    def _present(self, array: Floats | None) -> Floats:
        if array is None:
            raise StoreError(
                f"{self.store.root}: answers vanished while they were made; does another run clean the same folder?"
            )
        return array

    def _keys(self, data: Dataset, rows: Sequence[Ints], asked: Ints, seeds: Sequence[int]) -> list[str]:
        common = fingerprint(
            ["answers", ANSWERS_VERSION],
            data.fingerprint,
            asked,
            self.trainer.recipe(),
            package_versions(DECIDING_PACKAGES),
        )
        return [fingerprint(common, r, seed) for r, seed in zip(rows, seeds, strict=True)]

    def _tasks(
        self, data: Dataset, asked: Ints, work: Sequence[Work], groups: Sequence[range]
    ) -> tuple[list[Task], list[int]]:
        """Groups are cut from the whole list, not from what is missing: a group is trained the same way again."""
        question = Asked(take_rows(data.x, asked), data.y[asked], self.observations)
        tasks, missing = [], []
        for part in groups:
            absent = sum(1 for i in part if work[i].answers or work[i].observed)
            if not absent:
                continue
            name = f"models {part[0] + 1} to {part[-1] + 1}"
            own = [work[i] for i in part]
            tasks.append(
                Task(name, train_batch, (self.store, self.trainer, data.x, data.y, data.n_classes, question, own))
            )
            missing.append(absent)
        return tasks, missing


def _beside(key: str, observation: Observation) -> str:
    return fingerprint(key, ["observation", OBSERVATIONS_VERSION, observation.name], observation.describe())


def even_groups(count: int, most: int, slots: int) -> list[range]:
    """Cuts ``count`` models into groups of at most ``most``, as even as can be, a multiple of ``slots`` of them.

    >>> [len(group) for group in even_groups(17, most=6, slots=2)]
    [4, 4, 5, 4]
    """
    if count == 0:
        return []
    fewest = math.ceil(count / most)
    number = min(count, math.ceil(fewest / slots) * slots)
    bounds = np.linspace(0, count, number + 1).round().astype(int).tolist()
    return [range(a, b) for a, b in pairwise(bounds)]


def train_batch(
    store: ArrayStore,
    trainer: Trainer,
    x: Any,
    y: Ints,
    n_classes: int,
    asked: Asked,
    work: Sequence[Work],
) -> float:
    """One task: trains a batch, stores what the models answer and what is observed, returns the seconds it took."""
    start = time.perf_counter()
    observations = [o for o in asked.observations if any(o.name in one.observed for one in work)]
    for observation in observations:
        trainer = observation.watching(trainer, asked.x, asked.y)
    models = trainer.train(x, y, n_classes, [one.rows for one in work], [one.seed for one in work])
    seconds = time.perf_counter() - start
    for model, one in zip(models, work, strict=True):
        facts = {"rows": len(one.rows), "seed": one.seed, "seconds": seconds / len(work)}
        if one.answers is not None:
            source = f"shadow model with seed {one.seed}"
            answers = check_log_probs(model.log_probs(asked.x), rows=len(asked.y), classes=n_classes, source=source)
            store.put(one.answers, answers, facts)
        for observation in observations:
            if observation.name in one.observed:
                store.put(one.observed[observation.name], observe(observation, model, asked.x, asked.y), facts)
    return seconds


def observe(observation: Observation, model: Model, x: Any, y: Ints) -> Floats:
    """An observation (n, k) of a model, checked.

    Raises:
        ModelError: it is no table of finite numbers with a row for each asked row.
    """
    values = np.asarray(observation.of(model, x, y), dtype=np.float32)
    if values.ndim != 2 or len(values) != len(y) or not np.isfinite(values).all():
        raise ModelError(
            f'observation "{observation.name}": expected finite numbers ({len(y)}, k), got shape {values.shape} with '
            f"{int((~np.isfinite(values)).sum())} that are not finite"
        )
    return values


def package_versions(names: Sequence[str]) -> dict[str, str]:
    """Versions of those of these packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def mean_accuracy(answers: Sequence[Floats], labels: Ints, chosen: Sequence[Any]) -> list[float]:
    """Accuracy of each of m models on its own choice of rows; rows where the label's answer is the largest."""
    return [float((np.asarray(a)[c].argmax(axis=1) == labels[c]).mean()) for a, c in zip(answers, chosen, strict=True)]
