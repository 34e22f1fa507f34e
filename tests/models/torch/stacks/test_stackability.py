"""Which networks are trained as one stack, and why not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.models.torch.stacks.test_stacked_training import draws, largest_gap, mean_loss, table, with_batch_norm
from tests.models.torch.stacks.test_vmap_stack import images

from gnomon.models.torch.trainer import TorchTrainer

torch = pytest.importorskip("torch")


def with_instance_statistics_of_the_batch(shape: tuple[int, ...], n_classes: int) -> Any:
    norm = torch.nn.BatchNorm1d(8, track_running_stats=False)
    return torch.nn.Sequential(torch.nn.Linear(shape[0], 8), norm, torch.nn.Linear(8, n_classes))


class Branching(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def __init__(self, d: int, c: int) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(d, c)

    def forward(self, x: Any) -> Any:
        return self.linear(x) if self.linear.weight.detach().sum().item() > -1e9 else self.linear(-x)


class OwnDice(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def __init__(self, d: int, c: int) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(d, c)

    def forward(self, x: Any) -> Any:
        return self.linear(torch.nn.functional.dropout(x, 0.3, self.training))


def branching(shape: tuple[int, ...], n_classes: int) -> Any:
    return Branching(shape[0], n_classes)


def own_dice(shape: tuple[int, ...], n_classes: int) -> Any:
    return OwnDice(shape[0], n_classes)


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (with_batch_norm, "running statistics"),
        (with_instance_statistics_of_the_batch, "rest of the batch|single row"),
        (branching, "vmap fails"),
        (own_dice, "chance|random"),
    ],
)
def test_what_cannot_be_stacked_is_trained_alone_and_says_why(module: Any, why: str) -> None:
    x, y = table()
    trainer = TorchTrainer(module=module, batch=10, epochs=2, learning_rate=0.01)
    stacking = trainer.stacking(x, 4)
    assert not stacking.stacked
    assert re.search(why, stacking.reason)
    assert trainer.batch_size(x, 4, 100) == 1
    rows = draws(len(x), [41, 41])  # one row is left over after four batches of 10
    together, alone = trainer.train(x, y, 4, rows, [7, 8]), trainer.train(x, y, 4, rows[1:], [8])
    assert largest_gap(together[1], alone[0], x) == 0.0
    assert mean_loss(together[0], x, y, rows[0]) < 1.4


def test_convolutions_are_not_stacked_on_a_cpu_unless_asked() -> None:
    x, _ = images()
    found = TorchTrainer(module="cnn", device="cpu").stacking(x, 3)
    assert not found.stacked
    assert "convolutions on a CPU" in found.reason
    assert TorchTrainer(module="cnn", device="cpu", stack="always").stacking(x, 3).stacked
