"""The stack of dense networks: passes by hand are autograd's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.models.torch.stacks.test_stacked_training import RECIPES, SEEDS, draws, largest_gap, table

from gnomon.models.torch.stacks import mlp_stack
from gnomon.models.torch.trainer import TorchTrainer


@pytest.mark.parametrize("name", RECIPES)
def test_hand_written_passes_equal_autograd_of_the_same_module(name: str) -> None:
    x, y = table()
    rows = draws(len(x), [100, 7, 41, 1])
    by_hand = RECIPES[name].train(x, y, 4, rows, SEEDS)
    by_autograd = replace(RECIPES[name], stack="never").train(x, y, 4, rows, SEEDS)
    for a, b in zip(by_hand, by_autograd, strict=True):
        assert largest_gap(a, b, x) < 1e-4


@pytest.mark.skipif(not mlp_stack.has_wide_products("cpu"), reason="no AVX-512: both would be batched products")
def test_wide_products_equal_batched_products(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = table()
    rows = draws(len(x), [100, 101])
    trainer = TorchTrainer(stack="always", hidden=(16, 9), dropout=0.2, batch=30, epochs=3)
    monkeypatch.setattr(mlp_stack, "ONE_DNN_FLOPS", 1)
    wide = trainer.train(x, y, 4, rows, SEEDS[:2])
    monkeypatch.setattr(mlp_stack, "ONE_DNN_FLOPS", 10**12)
    batched = trainer.train(x, y, 4, rows, SEEDS[:2])
    for a, b in zip(wide, batched, strict=True):
        assert largest_gap(a, b, x) < 1e-4
