"""What there is to know of a network before it is trained: can it be stacked, how many at a time, with what dropout."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import nn

from gnomon.core.errors import DataError, ModelError
from gnomon.core.system import core_cache
from gnomon.models.torch.networks import Activation, TensorRows, build_seeded
from gnomon.models.torch.stacks.mlp_stack import MlpStack, Stack
from gnomon.models.torch.stacks.stacked_training import Rates
from gnomon.models.torch.stacks.vmap_stack import Alone, Probe, VmapStack, is_dropout, probe

StackRule: TypeAlias = Literal["auto", "always", "never"]

PROBE_ROWS = 4
CPU_STACK_BYTES = 16 * 2**20  # of weights, gradients, moments and batches, where nobody says how large the caches are
CUDA_STACK_SHARE = 0.5  # of a GPU's memory
MOST_NETWORKS = {"cpu": 256, "cuda": 4096}


@dataclass(frozen=True)
class Stacking:
    """Whether several networks are trained as one stack, and why or why not."""

    stacked: bool
    reason: str


@dataclass(frozen=True)
class NetworkFacts:
    """A network on rows of one shape."""

    build: Callable[[], nn.Module]
    n_classes: int
    stacking: Stacking
    dropout: Rates
    weights: int  # numbers in one network
    activations: int  # numbers that a row leaves on its way through the network
    own_dice: bool  # it draws random numbers from torch's global generator

    def at_once(self, batch: int, moments: int, device: str) -> int:
        """How many networks a stack should hold, trained on batches of so many rows.

        On a CPU weights, gradients, moments and batches should stay in a core's share of the caches.
        """
        if not self.stacking.stacked:
            return 1
        each = 4 * ((2 + moments) * self.weights + batch * self.activations)
        kind = torch.device(device).type
        return min(max(_budget(device) // each, 1), MOST_NETWORKS.get(kind, MOST_NETWORKS["cpu"]))

    def stack(self, modules: Sequence[nn.Module], by_hand: Activation | None, device: str) -> Stack:
        """The modules as one stack; ``by_hand`` is the activation of fully connected networks."""
        if not self.stacking.stacked:
            return Alone(modules[0], device, own_dice=self.own_dice)
        return MlpStack(modules, by_hand, device) if by_hand else VmapStack(modules, device)


def examine(
    build: Callable[[], nn.Module], data: TensorRows, n_classes: int, rule: StackRule, hidden: Sequence[int] | None
) -> NetworkFacts:
    """Finds out what can be done with a network on such rows; the same answer every time.

    Args:
        build: makes the network; its initial weights don't matter here.
        data: rows, of which the first few are run through the network.
        n_classes: number of classes c.
        rule: what the recipe says about stacking.
        hidden: hidden units of a fully connected network, which needs no trial; None for anything else.

    Raises:
        DataError: fewer than two classes.
        ModelError: the network does not fit the rows.
    """
    if n_classes < 2:
        raise DataError(f"a classifier needs 2 classes or more, got {n_classes}")
    module = build_seeded(build, 0)
    weights = sum(p.numel() for p in module.parameters() if p.requires_grad)
    if not weights:
        raise ModelError("the network has no weights to train")
    dropouts: dict[str, Any] = {name: layer for name, layer in module.named_modules() if is_dropout(layer)}
    if hidden is None:
        found = probe(module, data.block(0, PROBE_ROWS), n_classes)
    else:
        shapes: dict[str, tuple[int, ...]] = {name: (units,) for name, units in zip(dropouts, hidden, strict=False)}
        found = Probe(None, False, 2 * sum(hidden) + n_classes, shapes)
    own_dice = found.problem is not None
    rates: Rates = {name: (float(dropouts[name].p), shape) for name, shape in found.mask_shapes.items()}
    activations = math.prod(data.shape) + (1 if hidden is not None else 3) * found.activations
    stacking = _decide(found, rule, data.values.device.type)
    return NetworkFacts(build, n_classes, stacking, {} if own_dice else rates, weights, activations, own_dice)


def _decide(found: Probe, rule: StackRule, device: str) -> Stacking:
    if found.problem is not None:
        return Stacking(False, f"trained one at a time: {found.problem}")
    if rule == "never":
        return Stacking(False, 'trained one at a time: the recipe says stack = "never"')
    if rule == "auto" and found.convolves and device == "cpu":
        return Stacking(False, "trained one at a time: convolutions on a CPU are slower in a stack")
    return Stacking(True, "stacked")


def _budget(device: str) -> int:
    if torch.device(device).type != "cuda":
        return core_cache() or CPU_STACK_BYTES
    return int(CUDA_STACK_SHARE * torch.cuda.get_device_properties(device).total_memory)
