"""What the last layer of a torch network does with a record, in numbers that mean the same in every network.

The gradient of the loss in a linear last layer is (p - e_y) h^T (and p - e_y in its bias), where p is the answer, y the
label and h the layer's input; so p, y and h hold all of it. But the units of two networks trained from different seeds
do not correspond: unit 17 of a shadow model says nothing of unit 17 of the target. What carries over from shadow models
to a target is what stays the same when units are renumbered: norms, sorted values, angles between h and the weights of
a class. Only such numbers are kept, 21 a record, whatever the network's width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, check_labels, count_rows
from gnomon.models.networks import resolve_device, tensor_rows
from gnomon.models.torch_gradients import LastLayer, last_layer
from gnomon.models.torch_model import TorchModel
from gnomon.models.torch_watch import precise_loss

if TYPE_CHECKING:
    import torch

INSIDE_VERSION = 1  # raise when the columns change
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
    import torch

    labels = check_labels(y, rows=count_rows(x), classes=model.n_classes, source="white-box access")
    device = resolve_device(model.device)
    model.network.to(device).eval()
    rows, targets = tensor_rows(x, model.layout, device), torch.tensor(labels, device=device)
    parts = [
        _features(last_layer(model, rows.block(start, start + INSIDE_ROWS)), targets[start : start + INSIDE_ROWS])
        for start in range(0, len(labels), INSIDE_ROWS)
    ]
    return np.concatenate(parts) if parts else np.empty((0, 14 + len(LEVELS)), np.float32)


def _features(layer: LastLayer, y: torch.Tensor) -> Floats:
    import torch

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
    import torch

    if layer.weight is None:
        return torch.zeros_like(size), torch.zeros_like(size)
    weight = layer.weight.double()
    lengths = size[:, None] * torch.linalg.vector_norm(weight, dim=1)
    cosines = h @ weight.T / lengths.clamp_min(1e-30)
    return cosines.gather(1, y[:, None])[:, 0], cosines.scatter(1, y[:, None], -1.0).amax(1)
