"""What a network's last layer gives, as the rest of the code expects it: an answer (n, c), and logits in training.

A network with one output for two classes (a logit, or a probability behind a sigmoid) answers with that of the second
class. A hook on the network itself puts the first one beside it, so that weights keep their names.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from gnomon.core.outputs import Outputs

PLACE = "_gnomon_head"  # where a network keeps its hook


class Head:
    """A forward hook that gives a network the outputs (n, c) that it lacks.

    Attributes:
        outputs: what the network gives.
        as_logits: whether to give logits in place of probabilities.
        widened: whether it has met one output a row.
    """

    def __init__(self, outputs: Outputs, *, as_logits: bool) -> None:
        self.outputs, self.as_logits, self.widened = outputs, as_logits, False

    def __call__(self, module: nn.Module, inputs: Any, out: Any) -> Any:  # noqa: ARG002 - what hooks get
        """The outputs of a call, (n, c)."""
        if not isinstance(out, torch.Tensor):
            return out
        if out.ndim == 1 or out.shape[1:] == (1,):
            self.widened = True
            out = _both(out.reshape(-1), self.outputs)
        if self.as_logits and self.outputs == "probabilities":
            return out.clamp_min(torch.finfo(out.dtype).tiny).log()
        return out


def fit_head(network: nn.Module, n_classes: int, outputs: Outputs, *, as_logits: bool = False) -> nn.Module:
    """The network with a hook where it may need one; it has no more than one.

    >>> network = fit_head(nn.Linear(3, 1), 2, "logits")
    >>> network(torch.zeros(5, 3)).shape, len(network.state_dict())
    (torch.Size([5, 2]), 2)
    """
    needed = n_classes == 2 or (as_logits and outputs == "probabilities")
    if needed and getattr(network, PLACE, None) is None:
        head = Head(outputs, as_logits=as_logits)
        setattr(network, PLACE, head)
        network.register_forward_hook(head)
    return network


def is_widened(network: nn.Module) -> bool:
    """Whether the network has answered with one output a row."""
    return bool(getattr(getattr(network, PLACE, None), "widened", False))


def _both(second: torch.Tensor, outputs: Outputs) -> torch.Tensor:
    if outputs == "probabilities":
        first = 1 - second
    elif outputs == "logits":
        first = torch.zeros_like(second)
    else:
        first = torch.log(-torch.expm1(second))
    return torch.stack([first, second], dim=1)


def reads_whole(network: nn.Module) -> bool:
    """Whether the network looks numbers up in a table, so that they must stay whole."""
    return any(isinstance(part, (nn.Embedding, nn.EmbeddingBag)) for part in network.modules())
