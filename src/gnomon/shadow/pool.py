"""The shadow pool: trains what the store does not hold, in batches, and keeps the models' answers.

The key of a model's answers is everything that decides them: the data's bytes, the rows it is trained on, the rows it
is asked, the recipe, the seed, the versions of what trains it. Never a path, never a count. Each finished batch is on
disk before the next one starts, so a killed run goes on where it stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from gnomon.core.arrays import Floats, Ints, check_log_probs, fingerprint, take_rows
from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import DataError, ModelError, UsageError
from gnomon.core.protocols import Model, ModelAbilities, Observation, Trainer, TrainerAbilities, Watching
from gnomon.core.system import DECIDING_PACKAGES, package_versions
from gnomon.engines.local import Done, Engine, Keep, Task
from gnomon.engines.workers import stop_workers
from gnomon.models.recipe_hash import describe_class, modules_behind
from gnomon.models.user_code import user_code
from gnomon.store.arrays import ArrayStore

ANSWERS_VERSION = 1  # raise when what is stored under a key changes its meaning


@dataclass(frozen=True)
class PoolAnswers:
    """Answers of m models on the asked rows, and how they came to be; without those that were let fail."""

    answers: list[Floats]  # m arrays (n, c), memory-mapped natural-log probabilities
    keys: list[str]
    fresh: list[bool]  # trained in this run, not found in the store
    batch: int  # models trained at once
    seconds: float  # training time, summed over processes
    remade: list[str] = field(default_factory=list)  # damaged files: discarded and made again
    trained_in: list[float | None] = field(default_factory=list)  # seconds that each took, in whichever run that was
    facts: list[dict[str, Any]] = field(default_factory=list)  # what each trained model says of itself
    observed: dict[str, list[Floats]] = field(default_factory=dict)  # by observation: m arrays, memory-mapped
    failed: dict[int, str] = field(default_factory=dict)  # why, by the position that a model was to have

    @property
    def trained(self) -> int:
        """Models trained in this run."""
        return sum(self.fresh)

    @property
    def reused(self) -> int:
        """Models whose answers were found in the store."""
        return len(self.fresh) - self.trained

    @property
    def seconds_each(self) -> float | None:
        """Mean training time of a model, also of those that an earlier run trained."""
        known = [seconds for seconds in self.trained_in if seconds is not None]
        return sum(known) / len(known) if known else None

    def after(self, first: int) -> PoolAnswers:
        """The same without the first models."""
        return self._part(slice(first, None))

    def first(self, count: int) -> PoolAnswers:
        """The first models only."""
        return self._part(slice(0, count))

    def _part(self, models: slice) -> PoolAnswers:
        return replace(
            self,
            answers=self.answers[models],
            keys=self.keys[models],
            fresh=self.fresh[models],
            trained_in=self.trained_in[models],
            facts=self.facts[models],
            observed={name: arrays[models] for name, arrays in self.observed.items()},
            failed={i - (models.start or 0): reason for i, reason in self.failed.items()},
        )


@dataclass(frozen=True)
class ShadowPool:
    """Trains models of one recipe on an engine and keeps their answers in a store."""

    store: ArrayStore
    engine: Engine
    trainer: Trainer

    def answers(
        self,
        data: Dataset,
        rows: Sequence[Ints],
        asked: Ints,
        seeds: Sequence[int],
        progress: Callable[[int], None] | None = None,
        observations: Sequence[Observation] = (),
        may_fail: Sequence[bool] | None = None,
    ) -> PoolAnswers:
        """Answers of one model per entry of ``rows``.

        Args:
            data: the rows and labels.
            rows: m arrays of positions to train on.
            asked: (n,) positions to ask every model.
            seeds: m seeds.
            progress: called with the number of models that have become ready.
            observations: what to keep beside the answers. A model whose answers are there and an observation is not
                is trained again, and only what is missing is written.
            may_fail: for each model whether it is left out where it can't be trained or can't answer; by default none.

        Raises:
            ModelError: a model that may not fail could not be trained or answered with something else than
                probabilities.
            StoreError: the store can't be written.
        """
        recipe = self._recipe()
        code = user_code(modules_behind(recipe)).modules
        keys = self._keys(data, rows, asked, seeds, recipe)
        wanted = [_all_keys(key, observations) for key in keys]
        found = {key: self.store.get(key) for every in dict.fromkeys(wanted) for key in every}
        remade = [f.damaged for f in found.values() if f.damaged]
        absent = {key for key, f in found.items() if f.array is None}
        ready = {every[0] for every in wanted if absent.isdisjoint(every)}
        if progress is not None and ready:
            progress(len(ready))
        sizes = [len(r) for r in rows]
        most = max(1, self.trainer.batch_size(data.x, data.n_classes, max(sizes))) if rows else 1
        able = TrainerAbilities.of(self.trainer)
        engine = self.engine.here if able.near else self.engine
        groups = even_groups(len(rows), most, engine.slots(able.gpus)) if rows else []
        work = [
            Work(r, seed, tuple(key if key in absent else None for key in every), excused)
            for r, seed, every, excused in zip(rows, seeds, wanted, may_fail or [False] * len(rows), strict=True)
        ]
        tasks, parts = self._tasks(data, asked, work, groups, observations, code, able.gpus)
        seconds, failed = 0.0, dict[int, str]()
        for done in _run(engine, tasks):
            batch: Trained = done.result
            seconds += batch.seconds
            failed |= {parts[done.position][i]: reason for i, reason in batch.failed.items()}
            if progress is not None:
                progress(sum(work[i].wanted for i in parts[done.position]))
        keys = [key for i, key in enumerate(keys) if i not in failed]
        wanted = [every for i, every in enumerate(wanted) if i not in failed]
        for key in absent.intersection(key for every in wanted for key in every):
            found[key] = self.store.get(key)
        arrays = [[self.store.kept(found[key]) for key in every] for every in wanted]
        return PoolAnswers(
            answers=[every[0] for every in arrays],
            keys=keys,
            fresh=[key not in ready for key in keys],
            batch=max((len(group) for group in groups), default=1),
            seconds=seconds,
            remade=remade,
            trained_in=[(found[key].facts or {}).get("seconds") for key in keys],
            facts=[(found[key].facts or {}).get("facts", {}) for key in keys],
            observed={o.name: [every[i] for every in arrays] for i, o in enumerate(observations, start=1)},
            failed=failed,
        )

    def _recipe(self) -> list[Any]:
        """What the trainer says of itself, and its class where that is not gnomon's."""
        own = type(self.trainer).__module__.startswith("gnomon.")
        return [self.trainer.recipe(), [] if own else describe_class(type(self.trainer))]

    def _keys(
        self, data: Dataset, rows: Sequence[Ints], asked: Ints, seeds: Sequence[int], recipe: Sequence[Any]
    ) -> list[str]:
        common = fingerprint(
            ["answers", ANSWERS_VERSION],
            data.fingerprint,
            asked,
            *recipe,
            package_versions(DECIDING_PACKAGES),
        )
        return [fingerprint(common, r, seed) for r, seed in zip(rows, seeds, strict=True)]

    def _tasks(
        self,
        data: Dataset,
        asked: Ints,
        work: Sequence[Work],
        groups: Sequence[range],
        observations: Sequence[Observation],
        code: Mapping[str, str],
        gpus: int,
    ) -> tuple[list[Task], list[range]]:
        """The tasks, and which models each trains.

        Groups are cut from the whole list, not from what is missing: a group is trained the same way again.
        """
        question = Asked(take_rows(data.x, asked), data.y[asked], tuple(observations))
        tasks, parts = [], []
        for part in groups:
            batch = [work[i] for i in part]
            if not any(one.wanted for one in batch):
                continue
            name = f"models {part[0] + 1} to {part[-1] + 1}"
            given = (self.trainer, data.x, data.y, data.n_classes, question, batch, code)
            tasks.append(Task(name, train_batch, given, keep=self.store.put, gpus=gpus))
            parts.append(part)
        return tasks, parts


def _run(engine: Engine, tasks: Sequence[Task]) -> Iterator[Done]:
    try:
        yield from engine.run(tasks)
    except UsageError:
        stop_workers()  # they hold modules of before an edit; the next ones import what stands in the files
        raise


@dataclass(frozen=True)
class Asked:
    """What every model is asked, and what is observed of it."""

    x: Any  # (n, ...) rows
    labels: Ints  # (n,) class ids; only observations read them
    observations: tuple[Observation, ...]


@dataclass(frozen=True)
class Work:
    """One model to train."""

    rows: Ints
    seed: int
    keys: tuple[str | None, ...]  # of the answers and of each observation; None: the store has it
    may_fail: bool = False

    @property
    def wanted(self) -> bool:
        """Whether anything of it is missing."""
        return any(key is not None for key in self.keys)


@dataclass(frozen=True)
class Trained:
    """What became of a batch: seconds of training, and why models failed that may, by their position in it."""

    seconds: float
    failed: dict[int, str] = field(default_factory=dict)


def _all_keys(key: str, observations: Sequence[Observation]) -> tuple[str, ...]:
    """The key of a model's answers, and of each observation of it."""
    return (key, *(fingerprint(key, "observed", o.key) for o in observations))


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
    trainer: Trainer,
    x: Any,
    y: Ints,
    n_classes: int,
    asked: Asked,
    work: Sequence[Work],
    code: Mapping[str, str] = MappingProxyType({}),
    *,
    keep: Keep,
) -> Trained:
    """One task: trains a batch, and keeps what is missing of its models.

    Raises:
        UsageError: the user's own modules (``code``: their digests) are others in this process than in the keys.
    """
    start, watched = time.perf_counter(), trainer
    _check_code(code)
    for i, watcher in enumerate(asked.observations, start=1):
        if isinstance(watcher, Watching) and any(one.keys[i] for one in work):
            watched = watcher.watching(watched, asked.x, asked.labels)
    try:
        models = watched.train(x, y, n_classes, [one.rows for one in work], [one.seed for one in work])
    except (ModelError, DataError) as error:
        if len(work) == 1 and work[0].may_fail:
            return Trained(time.perf_counter() - start, {0: str(error)})
        if not any(one.may_fail for one in work):
            raise
        each = [train_batch(trainer, x, y, n_classes, asked, [one], code, keep=keep) for one in work]
        return Trained(sum(t.seconds for t in each), {i: t.failed[0] for i, t in enumerate(each) if t.failed})
    _check_code(code)  # what was imported only now counts too
    seconds, failed = time.perf_counter() - start, dict[int, str]()
    for i, (model, one) in enumerate(zip(models, work, strict=True)):
        try:
            _keep(keep, model, one, n_classes, asked, seconds / len(work))
        except (ModelError, DataError) as error:
            if not one.may_fail:
                raise
            failed[i] = str(error)
    return Trained(seconds, failed)


def _check_code(code: Mapping[str, str]) -> None:
    """Refuses to train by other code than that of the keys, as in a worker that starts after a file was edited."""
    here = user_code(code)
    strange = next((name for name, digest in code.items() if here.modules.get(name) != digest or here.unknown), None)
    if strange is not None:
        raise UsageError(
            f"{strange}: was edited since it was imported, so that processes would run other code than the one that "
            "answers are kept for; the worker processes were stopped: run it again, or restart Python"
        )


def _keep(keep: Keep, model: Model, one: Work, n_classes: int, asked: Asked, seconds: float) -> None:
    """Keeps what is missing of one model."""
    said = dict(ModelAbilities.of(model).facts)
    facts = {"rows": len(one.rows), "seed": one.seed, "seconds": seconds, "facts": said}
    for key, observation in zip(one.keys, (None, *asked.observations), strict=True):
        if key is None:
            continue
        if observation is None:
            source = f"shadow model with seed {one.seed}"
            answers = model.log_probs(asked.x)
            kept = check_log_probs(answers, rows=len(asked.labels), classes=n_classes, source=source)
        else:
            kept = observation.of(model, asked.x, asked.labels)
        keep(key, kept, facts)
