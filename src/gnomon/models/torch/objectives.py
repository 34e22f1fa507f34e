"""What networks may be trained to do instead of plain cross-entropy, each as the gradient of a loss in the logits.

A stack of networks needs no more than that: from the logits backwards everything stays as it is, by hand or by
autograd. Letters: a networks, b rows of a batch, c classes; p the softmax of the logits, w a row's weight in the mean.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from gnomon.core.errors import UsageError
from gnomon.models.torch.stacks.mlp_stack import Batch


@dataclass(frozen=True)
class SoftLabels:
    """Cross-entropy against probabilities instead of class ids, as in distillation: the signal is p - target."""

    name: ClassVar[str] = "soft_labels"

    def signal(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Gradient (a, b, c) in the logits; see `Objective`. The batch's labels are probabilities (a, b, c)."""
        return (logits.softmax(-1) - batch.y) * batch.weights


@dataclass(frozen=True)
class LabelSmoothing:
    """Cross-entropy against the label with a share of its probability spread over all classes (Szegedy et al., 2016).

    Args:
        share: that is spread evenly, the label's own class included. At the fixed point of a row the label has
            probability 1 - share + share / c.
    """

    name: ClassVar[str] = "label_smoothing"
    share: float = 0.1

    def __post_init__(self) -> None:
        _within("label_smoothing", "a share", self.share, 0, 1)

    def signal(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Gradient (a, b, c) in the logits; see `Objective`."""
        c = logits.shape[-1]
        return (logits.softmax(-1) - _two_levels(logits, batch.y, 1 - self.share + self.share / c)) * batch.weights


@dataclass(frozen=True)
class RelaxLoss:
    """Keeps the mean loss at a level, with gradient ascent below it (Chen, Yu and Fritz, 2022).

    In even epochs the loss is |L - alpha|, L the batch's mean cross-entropy. In odd ones it is L while L > alpha, and
    below that the posterior is flattened: cross-entropy of the rows that are answered wrongly against their own
    probability of the label with the rest spread evenly, minus the cross-entropy of all rows.

    Args:
        alpha: level of the training loss, in nats.
        upper: the largest probability that flattening asks for.
    """

    name: ClassVar[str] = "relaxloss"
    alpha: float = 0.5
    upper: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and self.alpha >= 0):
            raise UsageError(f"relaxloss: expected a level alpha of at least 0 nats, got {self.alpha:g}")
        _within("relaxloss", "an upper probability", self.upper, 0, 1)

    def signal(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Gradient (a, b, c) in the logits; see `Objective`."""
        label = batch.y.unsqueeze(-1)
        logs = logits.log_softmax(-1)
        p = logs.exp()
        plain = (p - torch.zeros_like(p).scatter_(-1, label, 1.0)) * batch.weights
        level = -(logs.gather(-1, label) * batch.weights).sum(1, keepdim=True)  # (a, 1, 1)
        even = torch.tensor([epoch % 2 == 0 for epoch in batch.epochs], device=p.device).view(-1, 1, 1)
        pull = torch.where(even, (level - self.alpha).sign(), 1.0)
        flatten = ~even & (level <= self.alpha)
        if not bool(flatten.any()):
            return plain * pull
        return torch.where(flatten, self._flattening(logs, p, batch) - plain, plain * pull)

    def _flattening(self, logs: torch.Tensor, p: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Gradient of the wrong rows' soft cross-entropy; the soft label's own dependence on the logits counts too."""
        label = batch.y.unsqueeze(-1)
        own = p.gather(-1, label)
        wrong = p.argmax(-1, keepdim=True) != label
        confidence = own.clamp(max=self.upper)
        c = logs.shape[-1]
        by_logits = p - _two_levels(p, batch.y, confidence)
        own_log = logs.gather(-1, label)
        by_confidence = (logs.sum(-1, keepdim=True) - own_log) / (c - 1) - own_log
        through_confidence = -own * p
        through_confidence.scatter_add_(-1, label, own)
        through_confidence *= own <= self.upper
        return wrong * (by_logits + by_confidence * through_confidence) * batch.weights


@dataclass(frozen=True)
class HighEntropy:
    """HAMP's training: soft labels of high entropy, and a bonus for the answer's (Chen and Pattabiraman, 2024).

    The label gets the largest probability with which the soft label (the rest spread evenly) has at least a share
    gamma of the entropy of the uniform distribution. Loss: cross-entropy against it, minus strength times the entropy
    of the answer. The defaults are recalled from the paper, not re-read.

    Args:
        gamma: the share of the largest entropy, ln c, that labels must have.
        strength: of the bonus.
    """

    name: ClassVar[str] = "high_entropy"
    gamma: float = 0.8
    strength: float = 0.01

    def __post_init__(self) -> None:
        _within("hamp_training", "a share gamma of the largest entropy", self.gamma, 0, 1)
        if not (math.isfinite(self.strength) and self.strength >= 0):
            raise UsageError(f"hamp_training: expected a strength of at least 0, got {self.strength:g}")

    def signal(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Gradient (a, b, c) in the logits; see `Objective`."""
        logs = logits.log_softmax(-1)
        p = logs.exp()
        wanted = _two_levels(p, batch.y, label_probability(self.gamma, p.shape[-1]))
        entropy = -(p * logs).sum(-1, keepdim=True)
        return (p - wanted + self.strength * p * (logs + entropy)) * batch.weights


@functools.cache
def label_probability(gamma: float, n_classes: int) -> float:
    """The label's probability in a soft label (the rest even) with a share gamma of the uniform one's entropy.

    >>> round(label_probability(1.0, 4), 4), round(label_probability(0.5, 2), 4)
    (0.25, 0.89)
    """
    low, high = 1 / n_classes, 1.0  # the entropy falls from ln c to 0
    for _ in range(60):
        middle = (low + high) / 2
        rest = 1 - middle
        entropy = -middle * math.log(middle) - (rest * math.log(rest / (n_classes - 1)) if rest > 0 else 0.0)
        low, high = (middle, high) if entropy >= gamma * math.log(n_classes) else (low, middle)
    return low


def describe_objective(objective: Any) -> dict[str, Any]:
    """An objective as JSON: its name and its numbers."""
    return {"name": objective.name, **dataclasses.asdict(objective)}


def _two_levels(like: torch.Tensor, y: torch.Tensor, own: float | torch.Tensor) -> torch.Tensor:
    """Labels (a, b, c) with a probability (a number, or (a, b, 1)) for their own class and the rest spread evenly."""
    own = torch.as_tensor(own, dtype=like.dtype, device=like.device).expand(*y.shape, 1)
    return ((1 - own) / (like.shape[-1] - 1)).expand(like.shape).scatter(-1, y.unsqueeze(-1), own)


def _within(name: str, what: str, value: float, low: float, high: float) -> None:
    if not low < value <= high:
        raise UsageError(f"{name}: expected {what} above {low} and at most {high}, got {value:g}")
