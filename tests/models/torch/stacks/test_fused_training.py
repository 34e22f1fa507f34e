"""Compiled steps train the same networks as a stack does, from the same streams of chance, and say so in the recipe."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba", reason="the extra fast is not installed")

from tests.models.torch.stacks.test_stacked_training import RECIPES, SEEDS, draws, largest_gap, table  # noqa: E402

from gnomon.core.errors import ModelError  # noqa: E402
from gnomon.models.torch.networks import tensor_rows  # noqa: E402
from gnomon.models.torch.objectives import LabelSmoothing  # noqa: E402
from gnomon.models.torch.stacks import fused_training  # noqa: E402
from gnomon.models.torch.stacks.fused_training import FusedRows, fused_version  # noqa: E402
from gnomon.models.torch.trainer import TorchTrainer  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fused(trainer: TorchTrainer) -> TorchTrainer:
    chosen = replace(trainer, stack="auto", device="cpu")
    assert chosen.fused
    return chosen


KINDS: dict[str, Any] = {
    "few ones": lambda x: (x & (np.arange(x.shape[1]) % 2 == 0)).astype(np.uint8),
    "many ones": lambda x: 1 - x,
    "floats": lambda x: x * np.linspace(-2, 2, x.shape[1], dtype=np.float32),
    "bytes of images": lambda x: (x * 200).reshape(len(x), 3, 4),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RECIPES)
def test_the_same_networks_as_in_a_stack(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_training, "CHUNK_BYTES", 4000)  # several calls an epoch
    x, y = table()
    x = KINDS[kind](x)
    rows = draws(len(x), [100, 7, 41, 1])
    stacked = replace(RECIPES[name], stack="always").train(x, y, 4, rows, SEEDS)
    for ours, theirs in zip(fused(RECIPES[name]).train(x, y, 4, rows, SEEDS), stacked, strict=True):
        assert largest_gap(ours, theirs, x) < 1e-4


def test_alone_and_in_company_bit_by_bit() -> None:
    x, y = table()
    trainer, rows = fused(RECIPES["mlp, dropout, weight decay"]), draws(len(x), [100, 60, 41])
    for i, model in enumerate(trainer.train(x, y, 4, rows, [3, 4, 5])):
        assert largest_gap(model, trainer.train(x, y, 4, [rows[i]], [3 + i])[0], x) == 0


def test_it_stops_early_where_a_stack_does() -> None:
    x, y = table(n=200)
    trainer = TorchTrainer(hidden=(16,), learning_rate=0.02, batch=20, epochs=30, patience=3, stack="always")
    rows = draws(len(x), [150, 100])
    stacked = trainer.train(x, y, 4, rows, [0, 1])
    for ours, theirs in zip(fused(trainer).train(x, y, 4, rows, [0, 1]), stacked, strict=True):
        assert largest_gap(ours, theirs, x) < 1e-4
    assert largest_gap(stacked[0], replace(trainer, patience=None).train(x, y, 4, rows, [0, 1])[0], x) > 1e-2


def test_watching_changes_nothing_and_sees_what_a_stack_shows() -> None:
    x, y = table()
    trainer = TorchTrainer(hidden=(16,), learning_rate=0.02, batch=20, epochs=6, stack="always")
    rows = draws(len(x), [100, 80])
    plain = fused(trainer).train(x, y, 4, rows, [0, 1])
    ours = fused(trainer).watching(x, y, 3).train(x, y, 4, rows, [0, 1])
    theirs = trainer.watching(x, y, 3).train(x, y, 4, rows, [0, 1])
    for bare, watched, stacked in zip(plain, ours, theirs, strict=True):
        assert largest_gap(bare, watched, x) == 0
        np.testing.assert_allclose(watched.course, stacked.course, atol=1e-4)


def test_training_that_diverges_is_refused() -> None:
    x, y = table()
    wild = TorchTrainer(hidden=(8,), activation="relu", optimizer="sgd", learning_rate=1e9, epochs=3)
    with pytest.raises(ModelError, match="diverged to NaN or infinity"):
        fused(wild).train(x.astype(np.float32) * 1e30, y, 4, [np.arange(100)], [0])


def test_the_recipe_says_what_trains() -> None:
    plain = TorchTrainer(device="cpu")
    assert plain.recipe()["steps"] == fused_version()
    assert "compiled steps (numba" in plain.stacking_note(np.zeros((5, 3), np.float32), 2)
    for other in (
        replace(plain, stack="always"), replace(plain, stack="never"), replace(plain, module="cnn"),
        replace(plain, objective=LabelSmoothing(0.1)),
    ):  # fmt: skip
        assert not other.fused
        assert "steps" not in other.recipe()


def test_what_the_rows_are_decides_between_lists_and_products() -> None:
    labels = torch.zeros(4, dtype=torch.int64)

    def ones(x: Any) -> Any:
        return FusedRows.of(tensor_rows(x, "flat", "cpu"), labels).ones

    bits = np.zeros((4, 10), dtype=np.uint8)
    bits[1, [2, 7]] = bits[3, 0] = 1
    assert ones(bits).tolist() == [2, 7, 0]
    assert ones(bits.astype(np.float32)).tolist() == [2, 7, 0]
    assert ones(bits * 2) is None
    assert ones(1 - bits) is None
    assert ones(bits.reshape(4, 2, 5)) is None  # bytes of images, of 255 parts


def test_where_numba_is_not_installed_a_stack_trains() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from gnomon.models.torch.trainer import TorchTrainer\n"
        "import numpy as np\n"
        "trainer = TorchTrainer(hidden=(4,), epochs=1, device='cpu')\n"
        "assert not trainer.fused and 'steps' not in trainer.recipe()\n"
        "trainer.train(np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1]), 2, [np.arange(4)], [0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
