"""Networks of any kind as one stack."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.models.torch.stacks.test_stacked_training import SEEDS, draws, largest_gap, table

from gnomon.models.torch.trainer import TorchTrainer

torch = pytest.importorskip("torch")


def images(n: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 8, 8, 2), dtype=np.uint8), rng.integers(0, 3, n)


@pytest.mark.parametrize("sizes", [[40, 40, 40, 40], [40, 13, 30, 5]], ids=["equal sizes", "ragged"])
def test_a_convolutional_network_is_the_same_alone_and_in_a_stack(sizes: list[int]) -> None:
    x, y = images()
    rows = draws(len(x), sizes)
    recipe = {"module": "cnn", "hidden": (16,), "dropout": 0.25, "batch": 10, "epochs": 3}
    stacked = TorchTrainer(stack="always", **recipe).train(x, y, 3, rows, SEEDS)
    alone = TorchTrainer(stack="never", **recipe).train(x, y, 3, rows, SEEDS)
    for a, b in zip(stacked, alone, strict=True):
        assert largest_gap(a, b, x) < 1e-4


def plain(shape: tuple[int, ...], n_classes: int) -> Any:
    return torch.nn.Sequential(
        torch.nn.Linear(shape[0], 8), torch.nn.LayerNorm(8), torch.nn.GELU(), torch.nn.Dropout(0.2),
        torch.nn.Linear(8, n_classes),
    )  # fmt: skip


def test_a_users_own_module_is_stacked_where_it_can_be() -> None:
    x, y = table()
    trainer = TorchTrainer(module=plain, batch=10, epochs=3, learning_rate=0.01)
    assert trainer.stacking(x, 4).stacked
    assert trainer.batch_size(x, 4, 100) > 1
    rows = draws(len(x), [60, 41, 7])
    stacked = trainer.train(x, y, 4, rows, [0, 1, 2])
    alone = replace(trainer, stack="never").train(x, y, 4, rows, [0, 1, 2])
    for a, b in zip(stacked, alone, strict=True):
        assert largest_gap(a, b, x) < 1e-4
