"""Stacks of modules whose code we do not know, and the probe that finds out what can be done with one."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from gnomon.core.errors import ModelError
from gnomon.models.torch.networks import seeded
from gnomon.models.torch.stacks.mlp_stack import Batch, Gradient, Masks, Objective


class VmapStack:
    """Any modules of one shape, stacked by ``torch.func``: functional, vectorised over the slots."""

    def __init__(self, modules: Sequence[nn.Module], device: str) -> None:
        self._skeleton = copy.deepcopy(modules[0]).to(device)
        self._hooks = DropoutHooks(self._skeleton)
        self.dropouts = list(self._hooks.factors)
        self._hooks.train()
        trained = [name for name, p in modules[0].named_parameters() if p.requires_grad]
        every = [named_values(m) for m in modules]
        stacked = {n: torch.stack([e[n].detach() for e in every]).to(device) for n in every[0]}
        self._trained = {n: stacked[n] for n in trained}
        self._constant = {n: v for n, v in stacked.items() if n not in self._trained}
        self.parameters = list(self._trained.values())
        self.constants = list(self._constant.values())
        self._gradient = torch.func.vmap(torch.func.grad(self._loss), randomness="error")
        self._outputs = torch.func.vmap(self._forward, randomness="error")

    def _loss(
        self,
        trained: dict[str, torch.Tensor],
        constant: dict[str, torch.Tensor],
        x: torch.Tensor,
        y: torch.Tensor,
        weights: torch.Tensor,
        masks: Masks,
    ) -> torch.Tensor:
        losses = torch.nn.functional.cross_entropy(self._forward(trained, constant, x, masks), y, reduction="none")
        return (losses * weights[:, 0]).sum()

    def _forward(
        self, trained: dict[str, torch.Tensor], constant: dict[str, torch.Tensor], x: torch.Tensor, masks: Masks
    ) -> torch.Tensor:
        self._hooks.factors.update(masks)
        return torch.func.functional_call(self._skeleton, ({**trained, **constant},), (x,))  # type: ignore[no-any-return]

    def gradients(self, batch: Batch, objective: Objective | None = None) -> list[Gradient]:
        """Gradients by ``vmap(grad)``, or for an objective from its signal backwards; see `Stack`."""
        a = len(batch.x)
        trained = {n: v[:a] for n, v in self._trained.items()}
        constant = {n: v[:a] for n, v in self._constant.items()}
        masks = dict(batch.masks)
        if objective is None:
            found = self._gradient(trained, constant, batch.x, batch.y, batch.weights, masks)
        else:
            logits, backwards = torch.func.vjp(lambda values: self._outputs(values, constant, batch.x, masks), trained)  # type: ignore[misc]
            [found] = backwards(objective.signal(logits.detach(), batch))
        self._hooks.clear()
        return [gradient.contiguous() for gradient in found.values()]  # the fused optimiser takes strides on trust

    def logits(self, slot: int, x: torch.Tensor) -> torch.Tensor:
        """Outputs ``(n, c)`` of one network in evaluation mode."""
        values = {n: v[slot] for n, v in {**self._trained, **self._constant}.items()}
        with self._hooks.evaluation():
            return torch.func.functional_call(self._skeleton, (values,), (x,))  # type: ignore[no-any-return]

    def state(self, slot: int) -> dict[str, torch.Tensor]:
        """A copy of one network's parameters and buffers by name."""
        values = {**self._trained, **self._constant}
        return {n: v[slot].clone() for n, v in values.items()}


class Alone:
    """A stack of one: a module trained by torch's own autograd, running statistics and all.

    A module that could not be stacked anyway keeps its own dice (``own_dice``): torch's global generator.
    """

    def __init__(self, module: nn.Module, device: str, *, own_dice: bool) -> None:
        self._module = copy.deepcopy(module).to(device)
        self._hooks = DropoutHooks(self._module, active=not own_dice)
        self.dropouts = list(self._hooks.factors)
        self._hooks.train()
        self._trained = [p for p in self._module.parameters() if p.requires_grad]
        self.parameters = [p.data.unsqueeze(0) for p in self._trained]
        self.constants: list[torch.Tensor] = []

    def gradients(self, batch: Batch, objective: Objective | None = None) -> list[Gradient]:
        """Gradients by autograd; see `Stack`."""
        self._hooks.factors.update({name: factor[0] for name, factor in batch.masks.items()})
        with torch.enable_grad():
            try:
                logits = self._module(batch.x[0])
            except (ValueError, RuntimeError) as error:
                shape = tuple(batch.x.shape[1:])
                raise ModelError(f"the network fails on a training batch of shape {shape}: {error}") from error
            if objective is None:
                losses = torch.nn.functional.cross_entropy(logits, batch.y[0], reduction="none")
                loss = (losses * batch.weights[0, :, 0]).sum()
            else:
                loss = (logits * objective.signal(logits.detach().unsqueeze(0), batch)[0]).sum()
            found = torch.autograd.grad(loss, self._trained, allow_unused=True)
        self._hooks.clear()
        pairs = zip(found, self._trained, strict=True)
        return [(torch.zeros_like(p) if g is None else g.contiguous()).unsqueeze(0) for g, p in pairs]

    def logits(self, _slot: int, x: torch.Tensor) -> torch.Tensor:
        """Outputs ``(n, c)`` in evaluation mode."""
        with self._hooks.evaluation():
            return self._module(x)  # type: ignore[no-any-return]

    def state(self, _slot: int) -> dict[str, torch.Tensor]:
        """A copy of the module's parameters and buffers by name."""
        return {name: value.detach().clone() for name, value in named_values(self._module).items()}


class DropoutHooks:
    """Takes the dice out of a module's dropout layers: they multiply by factors that are handed in.

    Stacked or alone, a network then drops the same units, and ``vmap`` meets no randomness.
    """

    def __init__(self, module: nn.Module, *, active: bool = True) -> None:
        self._module = module
        self._layers = {name: layer for name, layer in module.named_modules() if active and is_dropout(layer)}
        self.factors: dict[str, Any] = dict.fromkeys(self._layers)
        for name, layer in self._layers.items():
            layer.register_forward_hook(self._hook(name))

    def _hook(self, name: str) -> Any:
        def multiply(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            factor = self.factors[name]
            return output if factor is None else output * factor

        return multiply

    def train(self) -> None:
        """Puts the module into training mode, with the layers' own dice off."""
        self._module.train()
        for layer in self._layers.values():
            layer.eval()

    def clear(self) -> None:
        """No factors, and no hold on the tensors that were handed in."""
        self.factors.update(dict.fromkeys(self.factors))

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """The module in evaluation mode, without factors and gradients; then in training mode again."""
        self._module.eval()
        self.clear()
        with torch.no_grad():
            yield
        self.train()


def is_dropout(layer: nn.Module) -> bool:
    """Whether a layer is dropout of the kinds that `DropoutHooks` can replace: single units, or whole channels."""
    return type(layer) in (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


def named_values(module: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers by name; tied ones once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


@dataclass(frozen=True)
class Probe:
    """What one forward and backward pass on a few rows tells of a module."""

    problem: str | None  # why it cannot be stacked
    convolves: bool
    activations: int  # numbers that its layers put out, a row
    mask_shapes: dict[str, tuple[int, ...]]  # dropout layer -> shape of a row's factors


def probe(module: nn.Module, x: torch.Tensor, n_classes: int) -> Probe:
    """Runs a copy of a module on a few rows ``(b, ...)`` and finds out whether it can be stacked.

    Raises:
        ModelError: it does not take such rows, or does not return ``(b, n_classes)``.
    """
    with seeded(0, str(x.device)):  # the verdict on a module that throws dice must not depend on them
        subject = copy.deepcopy(module).to(x.device).train()
        layers, outputs = _watch(subject)
        before = {name: value.clone() for name, value in subject.named_buffers()}
        try:
            out = subject(x)
        except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
            reason = str(error).split("\n", 1)[0]
            raise ModelError(f"the network does not take rows of shape {tuple(x.shape[1:])}: {reason}") from error
        if not isinstance(out, torch.Tensor) or out.shape != (len(x), n_classes):
            got = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
            raise ModelError(f"expected the network to return ({len(x)}, {n_classes}) logits, got {got}")
        changed = [name for name, value in subject.named_buffers() if not torch.equal(value, before[name])]
        shapes = {name: _mask_shape(layer, outputs[name]) for name, layer in layers.items() if outputs.get(name)}
        activations = sum(shape.numel() for calls in outputs.values() for shape in calls) // len(x)
        problem = _problem(module, layers, outputs, changed, x) or _vmap_problem(module, x, shapes)
    convolves = any(isinstance(layer, torch.nn.modules.conv._ConvNd) for layer in module.modules())
    return Probe(problem, convolves, activations, shapes)


def _watch(module: nn.Module) -> tuple[dict[str, nn.Module], dict[str, list[torch.Size]]]:
    outputs: dict[str, list[torch.Size]] = {}

    def watcher(name: str) -> Any:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if hasattr(output, "shape"):
                outputs.setdefault(name, []).append(output.shape)

        return note

    leaves = {name: layer for name, layer in module.named_modules() if not list(layer.children())}
    for name, layer in leaves.items():
        layer.register_forward_hook(watcher(name))
    return {name: layer for name, layer in leaves.items() if is_dropout(layer)}, outputs


def _mask_shape(layer: nn.Module, calls: list[torch.Size]) -> tuple[int, ...]:
    row = tuple(calls[0][1:])
    return row if type(layer) is nn.Dropout else (row[0], *(1 for _ in row[1:]))


def _problem(
    module: nn.Module,
    dropouts: dict[str, nn.Module],
    outputs: dict[str, list[torch.Size]],
    changed: list[str],
    x: torch.Tensor,
) -> str | None:
    if changed:
        return f"it keeps running statistics ({changed[0]})"
    for name in dropouts:
        calls = outputs.get(name, [])
        if len(calls) != 1 or calls[0][0] != len(x):
            return f"its dropout layer {name} is not called exactly once on the batch"
    still = copy.deepcopy(module).to(x.device)
    DropoutHooks(still).train()
    with torch.no_grad():
        try:
            first, every = still(x[:1]), still(x)
        except (RuntimeError, ValueError):
            return "it does not take a single row in training"
    if not torch.allclose(first, every[:1], rtol=1e-3, atol=1e-4):
        return "its answer to a row depends on the rest of the batch, or on chance"
    return None


def _vmap_problem(module: nn.Module, x: torch.Tensor, shapes: dict[str, tuple[int, ...]]) -> str | None:
    b = len(x)
    masks = {name: x.new_ones(2, b, *shape) for name, shape in shapes.items()}
    y = torch.zeros(2, b, dtype=torch.int64, device=x.device)
    try:
        stack = VmapStack([module, module], str(x.device))
        stack.gradients(Batch(torch.stack([x, x]), y, x.new_full((2, b, 1), 1 / b), masks))
    except Exception as error:  # whatever a module's code raises when it meets a batched tensor
        return f"torch.func.vmap fails on it: {str(error).split(chr(10), 1)[0]}"
    return None
