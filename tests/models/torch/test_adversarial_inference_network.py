"""The inference network: its gradient by hand is autograd's, its weights begin as the rules say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.models.torch.test_adversarial import SMALL, game_of

from gnomon.models.game import Game
from gnomon.models.torch.adversarial import inference_network
from gnomon.models.torch.stacks.mlp_stack import Batch
from gnomon.models.torch.stacks.stacked_training import Sparring

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("gain", ["squares", "log"])
@pytest.mark.parametrize("sees", ["logits", "probabilities"])
def test_the_signal_is_autograds_gradient_of_both_losses(gain: Any, sees: Any) -> None:
    game = replace(SMALL, gain=gain, sees=sees, strength=2.5)
    met, stack = game_of(game, 2)
    with torch.no_grad():
        met.spar(stack, [Sparring(i, np.arange(100), 1) for i in range(2)])
    z = torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(0))
    y = torch.arange(14).view(2, 7) % 4
    weights = torch.stack([(torch.arange(7) < k) / k for k in (7, 3)])[:, :, None]
    found = met.signal(z.clone(), Batch(z, y, weights, {}, (1, 1)))
    for slot, k in enumerate((7, 3)):
        leaf = z[slot, :k].clone().requires_grad_()
        odds = met._matches[slot].network(leaf if sees == "logits" else leaf.softmax(1), y[slot, :k])
        h = odds.sigmoid()
        penalty = 2.5 * h.mean() if gain == "squares" else 2.5 / 2 * h.log().mean()
        wanted = torch.autograd.grad(torch.nn.functional.cross_entropy(leaf, y[slot, :k]) + penalty, leaf)[0]
        assert (found[slot, :k] - wanted).abs().max() < 1e-5
        assert found[slot, k:].abs().sum() == 0


def test_initial_weights_are_as_the_rules_say() -> None:
    # The authors' code for Purchase-100.
    answer, label, joint = (1024, 512, 64), (128, 64), (512, 256, 128, 64)
    game = Game(answer_hidden=answer, label_hidden=label, joint_hidden=joint, spread=0.01)
    network = inference_network(100, game)
    widths = [layer.out_features for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    assert widths == [1024, 512, 64, 128, 64, 512, 256, 128, 64, 1]
    first = next(layer for layer in network.modules() if isinstance(layer, torch.nn.Linear))
    assert float(first.weight.detach().std()) == pytest.approx(0.01, rel=0.05)
    assert float(first.bias.detach().abs().max()) == 0
