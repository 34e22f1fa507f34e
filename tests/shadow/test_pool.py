from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import ModelError
from gnomon.core.protocols import TrainerAbilities
from gnomon.engines.local import Done, LocalEngine, Task
from gnomon.shadow.pool import ShadowPool
from gnomon.store.arrays import ArrayStore


@dataclass(frozen=True)
class Fitted:
    estimator: Any
    n_classes: int = 2

    def log_probs(self, x: Rows) -> Floats:
        return np.asarray(self.estimator.predict_log_proba(x), dtype=np.float32)


@dataclass(frozen=True)
class Recipe:
    strength: float = 1.0
    batch: int = 2
    calls: list[int] = field(default_factory=list, compare=False)
    fail_after: int | None = None

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[Fitted]:
        if self.fail_after is not None and len(self.calls) >= self.fail_after:
            raise ModelError("killed")
        self.calls.append(len(rows))
        return [Fitted(LogisticRegression(C=self.strength).fit(x[r], y[r])) for r in rows]

    def recipe(self) -> dict[str, Any]:
        return {"strength": self.strength}

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:
        return self.batch


@pytest.fixture
def data() -> Dataset:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    return make_dataset(x, (x[:, 0] + rng.normal(size=60) > 0).astype(int))


ROWS = [np.arange(i, i + 30) for i in range(5)]
ASKED = np.arange(60)
SEEDS = [1, 2, 3, 4, 5]


def pool(folder: Path, recipe: Recipe) -> ShadowPool:
    return ShadowPool(ArrayStore(folder), LocalEngine(1), recipe)


def test_answers_are_the_models_answers(tmp_path: Path, data: Dataset) -> None:
    found = pool(tmp_path, Recipe()).answers(data, ROWS, ASKED, SEEDS)
    wanted = LogisticRegression().fit(data.x[ROWS[3]], data.y[ROWS[3]]).predict_log_proba(data.x)
    np.testing.assert_allclose(found.answers[3], wanted, atol=1e-6)
    assert (found.trained, found.reused, found.batch) == (5, 0, 2)


def test_a_second_run_trains_nothing_and_gives_the_same_bits(tmp_path: Path, data: Dataset) -> None:
    first = pool(tmp_path, Recipe()).answers(data, ROWS, ASKED, SEEDS)
    again = Recipe()
    second = pool(tmp_path, again).answers(data, ROWS, ASKED, SEEDS)
    assert again.calls == []
    assert (second.trained, second.reused) == (0, 5)
    for a, b in zip(first.answers, second.answers, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_that_broke_goes_on_where_it_stopped(tmp_path: Path, data: Dataset) -> None:
    with pytest.raises(ModelError, match="killed"):
        pool(tmp_path, Recipe(fail_after=2)).answers(data, ROWS, ASKED, SEEDS)
    again = Recipe()
    found = pool(tmp_path, again).answers(data, ROWS, ASKED, SEEDS)
    assert (found.reused, found.trained, again.calls) == (3, 2, [2])


@pytest.mark.parametrize("change", ["recipe", "rows", "seed", "data", "labels", "asked"])
def test_whatever_decides_the_answers_changes_the_key(tmp_path: Path, data: Dataset, change: str) -> None:
    pool(tmp_path, Recipe()).answers(data, ROWS, ASKED, SEEDS)
    recipe, rows, asked, seeds = Recipe(strength=2.0 if change == "recipe" else 1.0), list(ROWS), ASKED, list(SEEDS)
    if change == "rows":
        rows = [r + 1 for r in rows]
    if change == "seed":
        seeds = [s + 10 for s in seeds]
    if change == "asked":
        asked = ASKED[:50]
    if change == "data":
        data = make_dataset(data.x + 1e-9, data.y)
    if change == "labels":
        data = make_dataset(data.x, 1 - data.y)
    found = pool(tmp_path, recipe).answers(data, rows, asked, seeds)
    assert (found.reused, found.trained) == (0, 5)


def test_a_damaged_answer_is_named_and_made_again(tmp_path: Path, data: Dataset) -> None:
    first = pool(tmp_path, Recipe()).answers(data, ROWS, ASKED, SEEDS)
    wanted = [np.array(a) for a in first.answers]
    file = next(tmp_path.rglob(f"{first.keys[2]}.npy"))
    file.write_bytes(file.read_bytes()[:-1])
    found = pool(tmp_path, Recipe()).answers(data, ROWS, ASKED, SEEDS)
    assert len(found.remade) == 1
    assert first.keys[2] in found.remade[0]
    assert (found.trained, found.reused) == (1, 4)
    np.testing.assert_array_equal(found.answers[2], wanted[2])


def test_progress_counts_every_model_once(tmp_path: Path, data: Dataset) -> None:
    steps: list[int] = []
    pool(tmp_path, Recipe()).answers(data, ROWS[:2], ASKED, SEEDS[:2], steps.append)
    pool(tmp_path, Recipe()).answers(data, ROWS, ASKED, SEEDS, steps.append)
    assert sum(steps[:1]) == 2
    assert sum(steps[1:]) == 5


def test_a_model_that_answers_nonsense_is_refused(tmp_path: Path, data: Dataset) -> None:
    class Broken(Recipe):
        def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[Any]:
            class Nan:
                n_classes = 2

                def log_probs(self, x: Rows) -> Floats:
                    return np.full((len(x), 2), np.nan, np.float32)

            return [Nan() for _ in rows]

    with pytest.raises(ModelError, match="NaN"):
        pool(tmp_path, Broken()).answers(data, ROWS, ASKED, SEEDS)
    assert not list(tmp_path.rglob("*.npy"))


def test_a_model_that_may_fail_is_left_out_and_the_others_stay(tmp_path: Path, data: Dataset) -> None:
    class Picky(Recipe):
        def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[Any]:
            if SEEDS[1] in seeds:
                raise ModelError("not these rows")
            return super().train(x, y, n_classes, rows, seeds)

    wanted = pool(tmp_path / "plain", Recipe()).answers(data, ROWS, ASKED, SEEDS)
    found = pool(tmp_path / "picky", Picky()).answers(data, ROWS, ASKED, SEEDS, may_fail=[True] * 5)
    assert found.failed == {1: "not these rows"}
    assert len(found.answers) == len(found.keys) == len(found.facts) == 4
    for a, b in zip(found.answers, [wanted.answers[i] for i in (0, 2, 3, 4)], strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ModelError, match="not these rows"):
        pool(tmp_path / "strict", Picky()).answers(data, ROWS, ASKED, SEEDS, may_fail=[True, False, True, True, True])


@dataclass(frozen=True)
class Somewhere(Recipe, TrainerAbilities):
    gpus: int = 0  # type: ignore[misc] - a field in place of a property
    near: bool = False  # type: ignore[misc]


@dataclass
class Recording:
    """An engine of so many slots that notes its tasks and runs them here."""

    count: int
    tasks: list[Task] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    @property
    def here(self) -> LocalEngine:
        return LocalEngine(1)

    def slots(self, gpus: int = 0) -> int:
        self.asked.append(gpus)
        return gpus or self.count

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        self.tasks += tasks
        return self.here.run([replace(task, gpus=0) for task in tasks])  # there is none here


@pytest.mark.parametrize(("gpus", "sizes"), [(0, [1, 1, 1, 1, 1]), (1, [5]), (2, [2, 3])])
def test_a_gpu_gets_one_large_group_and_cores_share_the_models(
    tmp_path: Path, data: Dataset, gpus: int, sizes: list[int]
) -> None:
    engine = Recording(5)
    pool = ShadowPool(ArrayStore(tmp_path), engine, Somewhere(batch=9, gpus=gpus))
    pool.answers(data, ROWS, ASKED, SEEDS)
    assert engine.asked == [gpus]
    assert [len(task.arguments[5]) for task in engine.tasks] == sizes
    assert {task.gpus for task in engine.tasks} == {gpus}


def test_what_must_be_trained_here_is_not_sent_away(tmp_path: Path, data: Dataset) -> None:
    engine = Recording(5)
    found = ShadowPool(ArrayStore(tmp_path), engine, Somewhere(near=True)).answers(data, ROWS, ASKED, SEEDS)
    assert (found.trained, engine.tasks) == (5, [])
