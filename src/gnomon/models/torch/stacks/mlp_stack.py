"""Three ways to compute the gradients of several networks at once, behind one face.

A stack holds the numbers of its networks in tensors ``(m, ...)``, one slot a network; the first ``a`` slots are still
in training. `MlpStack`, here, writes the backward pass of fully connected networks out by hand;
`gnomon.models.torch.stacks.vmap_stack` has `VmapStack`, which leaves it to ``torch.func``, and `Alone`, a stack of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch
from torch import nn

from gnomon.models.torch.networks import Activation

ONE_DNN_FLOPS = 8_000_000  # a product of fewer operations gains less than a call of its own costs

Gradient: TypeAlias = "torch.Tensor | list[torch.Tensor]"  # (a, ...), or a list of a tensors
Masks: TypeAlias = "Mapping[str, torch.Tensor]"  # dropout layer -> factors (a, b, ...)


@dataclass(frozen=True)
class Batch:
    """One step's rows for each of a networks: padded to equal length, the padding with weight 0."""

    x: torch.Tensor  # (a, b, ...) float32
    y: torch.Tensor  # (a, b) int64, or (a, b, c) float32: the probabilities to be learnt
    weights: torch.Tensor  # (a, b, 1) float32; 1 / rows of the network's batch, so that losses are means
    masks: Masks
    epochs: tuple[int, ...] = ()  # full passes that each of the a networks has behind it


class Objective(Protocol):
    """What networks are trained to do, where it is not plain cross-entropy; see `gnomon.models.torch.objectives`."""

    @property
    def name(self) -> str:
        """What a recipe calls it."""
        ...

    def signal(self, logits: torch.Tensor, batch: Batch, /) -> torch.Tensor:
        """Gradient (a, b, c) of each network's loss in its logits (a, b, c), the batch's weights in it."""
        ...


class Network(Protocol):
    """Networks that can be looked at while they are trained."""

    def logits(self, slot: int, x: torch.Tensor, /) -> torch.Tensor:
        """Outputs ``(n, c)`` of one network in evaluation mode."""
        ...

    def state(self, slot: int, /) -> dict[str, torch.Tensor]:
        """A copy of one network's parameters and buffers by name."""
        ...


class Stack(Network, Protocol):
    """Several networks of one shape, trained together."""

    dropouts: list[str]  # names of the layers that `Batch.masks` must hold
    parameters: list[torch.Tensor]  # (m, ...) each
    constants: list[torch.Tensor]  # (m, ...) each: buffers and frozen parameters

    def gradients(self, batch: Batch, objective: Objective | None = None, /) -> list[Gradient]:
        """Gradients of the losses (default: cross-entropy), one entry a parameter, for the first a slots."""
        ...


class MlpStack:
    """Fully connected networks with hand-written passes: one batched product a layer for all of them.

    The first layer needs no gradient in its input. On CPUs with AVX-512, large products go to oneDNN one network at a
    time, because torch's default library (MKL) leaves half of the machine unused on processors that Intel did not make.
    """

    def __init__(self, modules: Sequence[nn.Module], activation: Activation, device: str) -> None:
        states = [dict(module.named_parameters()) for module in modules]
        self.names = list(states[0])
        self.parameters = [torch.stack([s[name].detach() for s in states]).to(device) for name in self.names]
        self.constants: list[torch.Tensor] = []
        self.activation = activation
        self.dropouts = [name for name, layer in modules[0].named_modules() if isinstance(layer, torch.nn.Dropout)]
        self._wide = has_wide_products(device)

    def gradients(self, batch: Batch, objective: Objective | None = None) -> list[Gradient]:
        """Forward and backward through all layers; see `Stack`."""
        a = len(batch.x)
        weights = [w[:a] for w in self.parameters[0::2]]
        biases = [b[:a] for b in self.parameters[1::2]]
        masks = [batch.masks[name] for name in self.dropouts]
        inputs, outputs = [batch.x], []  # of each layer: what it got; what its activation gave, before dropout
        for i, (weight, bias) in enumerate(zip(weights[:-1], biases[:-1], strict=True)):
            out = self._forward(inputs[-1], weight, bias, self.activation)
            outputs.append(out)
            inputs.append(out * masks[i] if masks else out)
        logits = self._forward(inputs[-1], weights[-1], biases[-1], None).float()
        signal = objective.signal(logits, batch) if objective else cross_entropy_signal(logits, batch)
        found: list[Gradient] = []
        for i in reversed(range(len(weights))):
            found += [signal.sum(1), self._weight_gradient(signal, inputs[i])]
            if i:
                signal = torch.bmm(signal, weights[i])
                if masks:
                    signal *= masks[i - 1]
                signal = self._through_activation(signal, outputs[i - 1])
        return found[::-1]

    def _forward(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, activation: Activation | None
    ) -> torch.Tensor:
        if self._wide and _is_large(x.shape[1], weight):
            out = x.new_empty(*x.shape[:2], weight.shape[1])
            linear = torch.ops.mkldnn._linear_pointwise
            for i in range(len(x)):
                out[i] = linear(x[i], weight[i], bias[i], activation or "none", [], "")
            return out
        out = torch.baddbmm(bias.unsqueeze(1), x, weight.mT)
        if activation is None:
            return out
        return out.tanh_() if activation == "tanh" else out.relu_()

    def _weight_gradient(self, signal: torch.Tensor, x: torch.Tensor) -> Gradient:
        if self._wide and _is_large(x.shape[1], signal, x):
            linear = torch.ops.mkldnn._linear_pointwise
            return [linear(s.T, rows.T, None, "none", [], "") for s, rows in zip(signal, x, strict=True)]
        return torch.bmm(signal.mT, x)

    def _through_activation(self, signal: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        if self.activation == "tanh":
            return torch.ops.aten.tanh_backward(signal, out)  # type: ignore[no-any-return]
        return torch.ops.aten.threshold_backward(signal, out, 0)  # type: ignore[no-any-return]

    def logits(self, slot: int, x: torch.Tensor) -> torch.Tensor:
        """Outputs ``(n, c)`` of one network without dropout."""
        pairs = list(zip(self.parameters[0::2], self.parameters[1::2], strict=True))
        for i, (weight, bias) in enumerate(pairs):
            x = torch.addmm(bias[slot], x, weight[slot].T)
            if i < len(pairs) - 1:
                x = x.tanh_() if self.activation == "tanh" else x.relu_()
        return x

    def state(self, slot: int) -> dict[str, torch.Tensor]:
        """A copy of one network's parameters by name."""
        return {name: values[slot].clone() for name, values in zip(self.names, self.parameters, strict=True)}


def cross_entropy_signal(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Gradient (a, b, c) of the weighted cross-entropy in the logits: softmax minus the label.

    By comparison, since what scatters is sorted first on a GPU that is to be deterministic, and can't be captured.
    """
    signal = torch.softmax(logits, -1)
    signal -= (batch.y.unsqueeze(2) == torch.arange(logits.shape[2], device=logits.device)).float()
    signal *= batch.weights
    return signal


def has_wide_products(device: str) -> bool:
    """Whether large products go to oneDNN: on a CPU with AVX-512, and a torch that was built for it."""
    return (
        device == "cpu"
        and torch.backends.mkldnn.is_available()
        and "AVX512" in torch.backends.cpu.get_cpu_capability()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def _is_large(rows: int, *factors: torch.Tensor) -> bool:
    product = 2 * rows
    for factor in factors:
        product *= factor.shape[-1] if len(factors) > 1 else factor.shape[-1] * factor.shape[-2]
    return product >= ONE_DNN_FLOPS
