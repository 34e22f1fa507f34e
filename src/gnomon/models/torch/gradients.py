"""White-box quantities of a torch network: norms of the gradient of each record's own loss.

Members have small gradients: training has driven them to zero (Nasr, Shokri and Houmansadr 2019). Only norms are kept,
a number a record, since the gradients of n records are n times the size of the network.

What the last layer of a torch network does with a record, in numbers that mean the same in every network.

The gradient of the loss in a linear last layer is (p - e_y) h^T (and p - e_y in its bias), where p is the answer, y the
label and h the layer's input; so p, y and h hold all of it. But the units of two networks trained from different seeds
do not correspond: unit 17 of a shadow model says nothing of unit 17 of the target. What carries over from shadow models
to a target is what stays the same when units are renumbered: norms, sorted values, angles between h and the weights of
a class. Only such numbers are kept, 21 a record, whatever the network's width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from gnomon.core.arrays import Floats, Ints, Rows, check_labels, count_rows
from gnomon.core.errors import ModelError
from gnomon.models.torch.checkpoints import precise_loss
from gnomon.models.torch.networks import resolve_device
from gnomon.models.torch.precision import computing

if TYPE_CHECKING:
    from gnomon.models.torch.model import TorchModel

BLOCK_NUMBERS = 2**24  # numbers that the gradients of a block of rows may hold: 64 MiB of float32

Norms: TypeAlias = "dict[str, torch.Tensor]"  # name -> (b,) float64
Weights: TypeAlias = "dict[str, torch.Tensor]"
OneLoss: TypeAlias = "Callable[[Weights, torch.Tensor, torch.Tensor], torch.Tensor]"


def white_box(model: TorchModel, x: Rows, y: Ints) -> dict[str, Floats]:
    """Norms (L2) of the gradients of the cross-entropy loss -log p_y, record by record, in evaluation mode.

    The loss is taken in float64, so that the gradient of a record that is answered with probability 1 - 1e-12 is small
    and not zero.

    Args:
        model: the network.
        x: n rows.
        y: (n,) class ids.

    Returns:
        name -> (n,) float64, lower = more member-like:
        "parameters" in all parameters together; "layer.NAME" in those of one layer (weight and bias); "input" in the
        record itself as the network sees it; and where the network ends in a linear layer "last_layer", the same by its
        closed form ||p - e_y|| sqrt(||a||^2 + 1), with "activation", the norm of its input a.

    Raises:
        DataError: rows that are no finite numbers, or labels that are no class ids.
        ModelError: the network does not take such rows.

    >>> import numpy as np, torch
    >>> from gnomon.models import TorchModel
    >>> network = torch.nn.Linear(2, 3, bias=False)
    >>> torch.nn.init.zeros_(network.weight).shape
    torch.Size([3, 2])
    >>> norms = white_box(TorchModel(network, 3, device="cpu"), np.array([[3.0, 4.0]]), np.array([0]))
    >>> float(norms["parameters"][0].round(4))  # ||p - e_y|| ||x|| = sqrt(6) / 3 * 5
    4.0825
    """
    labels = check_labels(y, rows=count_rows(x), classes=model.n_classes, source="white-box access")
    device = resolve_device(model.device)
    network = model.network.to(device).eval()
    rows = model.rows(x, device)
    targets = torch.tensor(labels, device=device)
    size = max(1, BLOCK_NUMBERS // max(1, sum(p.numel() for p in network.parameters())))
    found: list[Norms] = []
    try:
        with computing("fp32", device):
            for start in range(0, len(labels), size):
                block, own = rows.block(start, start + size), targets[start : start + size]
                found.append(_gradient_norms(model, block, own) | _last_layer(model, block, own))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        reason = str(error).split("\n", 1)[0]
        raise ModelError(f"the gradients of rows of shape {rows.shape} cannot be taken: {reason}") from error
    return {name: torch.cat([norms[name] for norms in found]).cpu().numpy() for name in found[0]} if found else {}


def _gradient_norms(model: TorchModel, x: torch.Tensor, y: torch.Tensor) -> Norms:
    trained = {name: p.detach() for name, p in model.network.named_parameters()}

    def one_loss(weights: Weights, row: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        out = torch.func.functional_call(model.network, weights, (row[None],))
        return -_log_probs(model, out)[0].gather(0, label[None])[0]

    try:
        if x.is_floating_point():
            gradient = torch.func.grad(one_loss, argnums=(0, 1))
            by_name, by_input = torch.func.vmap(gradient, in_dims=(None, 0, 0))(trained, x, y)
        else:  # tokens have no gradient
            by_name = torch.func.vmap(torch.func.grad(one_loss), in_dims=(None, 0, 0))(trained, x, y)
            by_input = torch.zeros(x.shape, device=x.device)
    except Exception:  # whatever a module's code raises when it meets a batched tensor
        by_name, by_input = _one_at_a_time(one_loss, trained, x, y)
    squares = {name: _norm(g) ** 2 for name, g in by_name.items()}
    layers: dict[str, Any] = {}
    for name, square in squares.items():
        layer = f"layer.{name.rpartition('.')[0] or name}"
        layers[layer] = layers.get(layer, 0.0) + square
    whole = torch.stack(list(squares.values())).sum(0)
    return {"parameters": whole.sqrt(), "input": _norm(by_input), **{n: s.sqrt() for n, s in layers.items()}}


def _one_at_a_time(
    one_loss: OneLoss, trained: Weights, x: torch.Tensor, y: torch.Tensor
) -> tuple[Weights, torch.Tensor]:
    gradients: dict[str, list[torch.Tensor]] = {name: [] for name in trained}
    inputs = []
    for row, label in zip(x, y, strict=True):
        leaves = {name: value.clone().requires_grad_() for name, value in trained.items()}
        tokens = not row.is_floating_point()
        leaf = torch.zeros(row.shape, requires_grad=True) if tokens else row.clone().requires_grad_()
        with torch.enable_grad():
            loss = one_loss(leaves, row if tokens else leaf, label)
        found = torch.autograd.grad(loss, [*leaves.values(), leaf], allow_unused=True, materialize_grads=True)
        for name, gradient in zip(leaves, found, strict=False):
            gradients[name].append(gradient)
        inputs.append(found[-1])
    return {name: torch.stack(each) for name, each in gradients.items()}, torch.stack(inputs)


@dataclass(frozen=True, eq=False)
class LastLayer:
    """What a network's last layer did with b rows.

    Attributes:
        logits: (b, c); logarithms of what comes out where that is no logits.
        activation: (b, ...) its input, if the network ends in a linear layer.
        weight: (c, units) of that layer.
        bias: whether it has one.
    """

    logits: torch.Tensor
    activation: torch.Tensor | None = None
    weight: torch.Tensor | None = None
    bias: bool = False


def last_layer(model: TorchModel, x: torch.Tensor) -> LastLayer:
    """Asks a network b rows as it sees them, in evaluation mode, and notes what reaches its last layer."""
    seen: list[tuple[torch.nn.Linear, torch.Tensor, torch.Tensor]] = []

    def note(layer: torch.nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        assert isinstance(layer, torch.nn.Linear)
        seen.append((layer, inputs[0], output))

    hooks = [m.register_forward_hook(note) for m in model.network.modules() if isinstance(m, torch.nn.Linear)]
    try:
        with torch.no_grad():
            out = model.network(x)
    finally:
        for hook in hooks:
            hook.remove()
    if model.outputs != "logits":
        return LastLayer(_log_probs(model, out))
    if not seen or seen[-1][2] is not out:
        return LastLayer(out)
    layer, activation, _ = seen[-1]
    return LastLayer(out, activation, layer.weight.detach(), layer.bias is not None)


def _last_layer(model: TorchModel, x: torch.Tensor, y: torch.Tensor) -> Norms:
    """Closed form of the gradient in a linear last layer: dL/dW = (p - e_y) a^T, dL/db = p - e_y."""
    layer = last_layer(model, x)
    if layer.activation is None:
        return {}
    off = torch.softmax(layer.logits.double(), 1)
    others = off.scatter(1, y[:, None], 0.0)
    off = others.scatter(1, y[:, None], -others.sum(1, keepdim=True))  # p_y - 1, without cancellation
    size = _norm(layer.activation)
    return {"last_layer": _norm(off) * (size**2 + float(layer.bias)).sqrt(), "activation": size}


def _log_probs(model: TorchModel, out: torch.Tensor) -> torch.Tensor:
    if model.outputs == "logits":
        return torch.log_softmax(out.double(), 1)
    return out.double() if model.outputs == "log_probabilities" else out.double().clamp_min(1e-300).log()


def _norm(values: torch.Tensor) -> torch.Tensor:
    """L2 norm (b,) of each entry of the first axis, summed in float64: squares of small float32 would underflow."""
    norms: torch.Tensor = torch.linalg.vector_norm(values.flatten(1), dim=1, dtype=torch.float64)
    return norms


INSIDE_ROWS = 4096  # asked at once
LARGEST = 3  # columns of the gradient, by the size of the wrong classes' probabilities
LEVELS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)  # quantiles of the activations


def inside_features(model: TorchModel, x: Rows, y: Ints) -> Floats:
    """Numbers (n, 21), float32, of n rows and their class ids (n,).

    In order: the loss; norms of the gradient in the last layer, of the gradient in its bias (p - e_y) and of its input
    h; the 3 largest columns of the gradient that belong to wrong classes (0 where there are fewer); of the logits that
    of the label, the largest other one, their mean and their log-sum-exp; the cosines between h and the weights of the
    label, and of the closest other class; quantiles and mean of h. For a network that does not end in a linear layer
    its own outputs stand for h, and the cosines are 0.

    Raises:
        DataError: rows that are no finite numbers, or labels that are no class ids.
    """
    labels = check_labels(y, rows=count_rows(x), classes=model.n_classes, source="white-box access")
    device = resolve_device(model.device)
    model.network.to(device).eval()
    rows, targets = model.rows(x, device), torch.tensor(labels, device=device)
    with computing("fp32", device):
        parts = [
            _features(last_layer(model, rows.block(start, start + INSIDE_ROWS)), targets[start : start + INSIDE_ROWS])
            for start in range(0, len(labels), INSIDE_ROWS)
        ]
    return np.concatenate(parts) if parts else np.empty((0, 14 + len(LEVELS)), np.float32)


def _features(layer: LastLayer, y: torch.Tensor) -> Floats:
    logits = layer.logits.double()
    own = logits.gather(1, y[:, None])
    others = logits.scatter(1, y[:, None], -torch.inf)
    wrong = torch.softmax(logits, 1).scatter(1, y[:, None], 0.0)  # p - e_y but for the label's own entry
    off = (wrong.square().sum(1) + wrong.sum(1).square()).sqrt()
    h = (logits if layer.activation is None else layer.activation.flatten(1)).double()
    size = torch.linalg.vector_norm(h, dim=1)
    reach = (size.square() + 1.0).sqrt()
    largest = wrong.topk(min(LARGEST, wrong.shape[1] - 1), dim=1).values * reach[:, None]
    largest = torch.nn.functional.pad(largest, (0, LARGEST - largest.shape[1]))
    columns = [
        precise_loss(logits, y), off * reach, off, size, *largest.T,
        own[:, 0], others.amax(1), logits.mean(1), logits.logsumexp(1), *_cosines(layer, h, size, y),
        *torch.quantile(h, torch.tensor(LEVELS, dtype=h.dtype, device=h.device), dim=1), h.mean(1),
    ]  # fmt: skip
    found: Floats = torch.stack(columns, 1).float().cpu().numpy()
    return found


def _cosines(layer: LastLayer, h: torch.Tensor, size: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    if layer.weight is None:
        return torch.zeros_like(size), torch.zeros_like(size)
    weight = layer.weight.double()
    lengths = size[:, None] * torch.linalg.vector_norm(weight, dim=1)
    cosines = h @ weight.T / lengths.clamp_min(1e-30)
    return cosines.gather(1, y[:, None])[:, 0], cosines.scatter(1, y[:, None], -1.0).amax(1)
