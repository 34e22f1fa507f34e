from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import ModelError
from gnomon.engines.local import LocalEngine
from gnomon.shadow.pool import ShadowPool
from gnomon.store.arrays import ArrayStore


@dataclass(frozen=True)
class Frequencies:
    """Answers with the label frequencies of its rows; remembers that it was watched."""

    share: float
    watched: Floats | None = None
    n_classes: int = 2

    def log_probs(self, x: Rows) -> Floats:
        return np.tile(np.log(np.array([1 - self.share, self.share], np.float32)), (len(x), 1))


@dataclass(frozen=True)
class Recipe:
    fail_after: int | None = None
    watched: Floats | None = None
    calls: list[int] = field(default_factory=list, compare=False)

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[Frequencies]:
        if self.fail_after is not None and len(self.calls) >= self.fail_after:
            raise ModelError("killed")
        self.calls.append(len(rows))
        return [Frequencies(float(y[r].mean()), self.watched) for r in rows]

    def recipe(self) -> dict[str, Any]:
        return {"kind": "frequencies"}

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:
        return 2


@dataclass(frozen=True)
class Share:
    """The model's share, times a factor, and the asked rows' first feature as it was watched in training."""

    factor: float = 1.0
    name: ClassVar[str] = "share"

    @property
    def key(self) -> str:
        return f"share {self.factor}"

    def watching(self, trainer: Any, asked: Rows, labels: Ints) -> Any:
        assert len(asked) == len(labels)
        return Recipe(trainer.fail_after, np.asarray(asked[:, 0], np.float32), trainer.calls)

    def of(self, model: Any, asked: Rows, labels: Ints) -> Floats:
        shares = np.full(len(labels), self.factor * model.share, np.float32)
        return np.column_stack([shares, model.watched])


@pytest.fixture
def data() -> Dataset:
    rng = np.random.default_rng(0)
    return make_dataset(rng.normal(size=(40, 3)), rng.integers(0, 2, 40))


ROWS = [np.arange(i, i + 20) for i in range(5)]
ASKED = np.arange(5, 40)
SEEDS = [1, 2, 3, 4, 5]


def found(folder: Path, recipe: Recipe, data: Dataset, *observations: Any) -> Any:
    pool = ShadowPool(ArrayStore(folder), LocalEngine(1), recipe)
    return pool.answers(data, ROWS, ASKED, SEEDS, None, observations)


def test_what_is_observed_lies_beside_the_answers_and_is_found_again(tmp_path: Path, data: Dataset) -> None:
    first = found(tmp_path, Recipe(), data, Share(2.0))
    for seen, rows in zip(first.observed["share"], ROWS, strict=True):
        wanted = np.column_stack([np.full(len(ASKED), 2 * data.y[rows].mean()), data.x[ASKED, 0]])
        np.testing.assert_allclose(seen, wanted, rtol=1e-6)
        assert isinstance(seen, np.memmap)
    again = Recipe()
    second = found(tmp_path, again, data, Share(2.0))
    assert (again.calls, second.trained, second.reused) == ([], 0, 5)
    np.testing.assert_array_equal(second.observed["share"], first.observed["share"])
    assert len(second.after(2).observed["share"]) == 3


def test_models_are_trained_again_for_an_observation_and_keep_their_answers(tmp_path: Path, data: Dataset) -> None:
    plain = found(tmp_path, Recipe(), data)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    again = Recipe()
    observed = found(tmp_path, again, data, Share())
    assert again.calls == [2, 1, 2], "all groups, as they were cut before"
    assert observed.keys == plain.keys
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list(tmp_path.rglob("*.npy"))) == 10


def test_nobody_is_watched_for_answers_alone(tmp_path: Path, data: Dataset) -> None:
    found(tmp_path, Recipe(), data, Share())
    for key in found(tmp_path, Recipe(), data).keys[:1]:
        next(tmp_path.rglob(f"{key}.npy")).unlink()
    seen = found(tmp_path, Recipe(), data, Share())
    assert (seen.trained, len(seen.remade)) == (1, 1)


def test_another_key_is_another_observation(tmp_path: Path, data: Dataset) -> None:
    found(tmp_path, Recipe(), data, Share(1.0))
    again = Recipe()
    assert found(tmp_path, again, data, Share(3.0)).observed["share"][0][0, 0] == 3 * np.float32(data.y[:20].mean())
    assert sum(again.calls) == 5


def test_a_run_that_broke_goes_on_where_it_stopped(tmp_path: Path, data: Dataset) -> None:
    with pytest.raises(ModelError, match="killed"):
        found(tmp_path, Recipe(fail_after=2), data, Share())
    again = Recipe()
    seen = found(tmp_path, again, data, Share())
    assert (seen.reused, seen.trained, again.calls) == (3, 2, [2])


def test_a_truncated_observation_is_made_again_and_named(tmp_path: Path, data: Dataset) -> None:
    first = found(tmp_path, Recipe(), data, Share())
    wanted = [np.array(seen) for seen in first.observed["share"]]
    file = Path(first.observed["share"][4].filename)
    file.write_bytes(file.read_bytes()[:-8])
    again = Recipe()
    seen = found(tmp_path, again, data, Share())
    assert again.calls == [2], "the group of the damaged one"
    assert [file.name in line for line in seen.remade] == [True]
    np.testing.assert_array_equal(seen.observed["share"], wanted)
