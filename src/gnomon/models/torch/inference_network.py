"""The attacker of the min-max game: networks that tell members' answers from others' while a classifier is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gnomon.core.errors import UsageError
from gnomon.core.seeds import Seeds
from gnomon.models.torch.mlp_stack import Batch, Objective, Stack, cross_entropy_signal
from gnomon.models.torch.networks import Scratch, TensorRows, build_seeded
from gnomon.models.torch.stacked_training import Sparring

if TYPE_CHECKING:
    import torch
    from torch import nn

STEPS_AT_ONCE = 16  # of the attacker, for which the classifier answers in one go


@dataclass(frozen=True)
class Game:
    """The rules: how strong the attacker counts, what it is, and who moves when (Nasr, Shokri and Houmansadr, 2018).

    The defaults are scaled to some thousand training rows, where the authors' networks and steps learn the reference
    rows by heart; `PURCHASE` holds the numbers of the authors' code for 19,732 rows. With too large a lambda the
    classifier deceives its own attacker and nobody else, at the cost of its accuracy: sweep it.

    Args:
        strength: lambda, of the attacker's gain in the classifier's loss.
        answer_hidden: ReLU layers that the answer goes through on its own.
        label_hidden: ReLU layers that the label (one-hot) goes through on its own.
        joint_hidden: ReLU layers that both go through together, before one output.
        learning_rate: Adam's, of the attacker.
        batch: members, and as many reference rows, in a step of the attacker.
        steps: of the attacker before each step of the classifier.
        warm_up: epochs that the classifier is trained alone at first.
        head_start: passes over the members that the attacker then makes before the game begins.
        sees: what of the answer the attacker gets: ``probabilities``, as in the paper, or ``logits``, as in the
            authors' code, which leave the classifier more room to deceive it.
        gain: ``squares``, as in the authors' code (the attacker minimises the squared error of h, the classifier
            lambda * mean h), or ``log``, as in the paper (log h and log(1 - h); lambda / 2 * mean log h).
        spread: standard deviation of the attacker's initial weights, biases 0; None leaves torch's own.
    """

    strength: float = 1.5
    answer_hidden: tuple[int, ...] = (64, 32)
    label_hidden: tuple[int, ...] = (32,)
    joint_hidden: tuple[int, ...] = (32,)
    learning_rate: float = 1e-3
    batch: int = 100
    steps: int = 4
    warm_up: int = 8
    head_start: int = 5
    sees: Literal["logits", "probabilities"] = "probabilities"
    gain: Literal["squares", "log"] = "squares"
    spread: float | None = None

    def __post_init__(self) -> None:
        widths = (*self.answer_hidden, *self.label_hidden, *self.joint_hidden)
        rules = {
            "strength": (0 < self.strength < math.inf, "a number above 0"),
            "learning_rate": (0 < self.learning_rate < math.inf, "a number above 0"),
            "batch": (self.batch >= 1, "1 or more"),
            "steps": (self.steps >= 1, "1 or more"),
            "warm_up": (self.warm_up >= 0, "0 or more"),
            "head_start": (self.head_start >= 0, "0 or more"),
            "sees": (self.sees in ("logits", "probabilities"), "logits or probabilities"),
            "gain": (self.gain in ("squares", "log"), "squares or log"),
            "spread": (self.spread is None or 0 < self.spread < math.inf, "a number above 0"),
            "answer_hidden": (bool(self.answer_hidden) and min(widths) >= 1, "one or more widths of at least 1"),
            "label_hidden": (bool(self.label_hidden), "one or more widths of at least 1"),
        }
        for name, (holds, expected) in rules.items():
            if not holds:
                raise UsageError(f"adversarial: expected {name} to be {expected}, got {getattr(self, name)!r}")


PURCHASE = Game(
    strength=3.0, answer_hidden=(1024, 512, 64), label_hidden=(128, 64), joint_hidden=(512, 256, 128, 64),
    learning_rate=1e-4, batch=128, steps=26, warm_up=1, head_start=5, sees="logits", spread=0.01,
)  # fmt: skip
"""As in the authors' code for Purchase-100, whose rounds are 52 steps of the attacker and then 2 of the classifier."""


@dataclass
class _Match:
    """One network's attacker, and what has been seen of their game."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    dice: np.random.Generator
    begun: bool = False
    loss: list[list[float]] = field(default_factory=list)  # for each epoch its steps'
    gain: list[list[float]] = field(default_factory=list)
    accuracy: list[list[float]] = field(default_factory=list)

    def note(self, curve: list[list[float]], epoch: int, value: float) -> None:
        curve.extend([] for _ in range(epoch + 1 - len(curve)))
        curve[epoch].append(value)


class InferenceNetworks:
    """The attackers of a stack, one a network: an opponent of `gnomon.models.torch.stacked_training.fit`.

    Each has initial weights and dice of its own from its network's seed. They are small, and a loop over them costs
    little beside their own work.
    """

    def __init__(
        self,
        game: Game,
        members: tuple[TensorRows, torch.Tensor],
        reference: tuple[TensorRows, torch.Tensor],
        n_classes: int,
        seeds: Sequence[int],
        objective: Objective | None,
    ) -> None:
        self._game, self._members, self._reference, self._objective = game, members, reference, objective
        self._matches = [self._begin(n_classes, seed, str(members[1].device)) for seed in seeds]
        self._live: list[_Match] = []

    def _begin(self, n_classes: int, seed: int, device: str) -> _Match:
        import torch

        own = Seeds(seed).child("inference network")
        network = build_seeded(lambda: inference_network(n_classes, self._game), own.integer()).to(device)
        optimizer = torch.optim.Adam(network.parameters(), lr=self._game.learning_rate, fused=True)
        return _Match(network, optimizer, own.child("batches").generator())

    def spar(self, stack: Stack, slots: Sequence[Sparring]) -> None:
        """The attackers' steps before a step of the networks in the first slots."""
        self._live = [self._matches[each.network] for each in slots]
        for slot, (each, match) in enumerate(zip(slots, self._live, strict=True)):
            if each.epoch < self._game.warm_up:
                continue
            steps = self._game.steps
            if not match.begun:
                match.begun = True
                steps += math.ceil(self._game.head_start * len(each.rows) / self._game.batch)
            for start in range(0, steps, STEPS_AT_ONCE):
                self._attack(stack, slot, each, match, min(STEPS_AT_ONCE, steps - start))

    def signal(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Gradient (a, b, c) in the logits of each network's own loss plus its attacker's gain; see `Objective`."""
        import torch

        plain = (self._objective.signal if self._objective else cross_entropy_signal)(logits, batch)
        losses = torch.nn.functional.cross_entropy(logits.movedim(-1, 1), batch.y, reduction="none")
        means = (losses * batch.weights[..., 0]).sum(1).tolist()
        for slot, (match, mean, epoch) in enumerate(zip(self._live, means, batch.epochs, strict=True)):
            match.note(match.loss, epoch, mean)
            if match.begun:
                answers = logits[slot].detach().requires_grad_()
                with torch.enable_grad():
                    odds = match.network(self._seen(answers), batch.y[slot])
                    gain = odds.sigmoid() if self._game.gain == "squares" else _log_sigmoid(odds) / 2
                    [slope] = torch.autograd.grad((gain * batch.weights[slot, :, 0]).sum(), answers)
                plain[slot] += self._game.strength * slope
        return plain

    def facts(self) -> list[dict[str, Any]]:
        """For each network, under ``adversarial``, the game's curves, a number an epoch.

        ``loss`` is the classifier's mean cross-entropy on its batches; ``gain`` the attacker's mean log-likelihood, in
        nats, and ``accuracy`` its share of right guesses, on its own batches. Before the game begins nobody guesses,
        which is worth as much as a guess: minus ln 2, and 1/2.
        """
        before = {"loss": math.nan, "gain": -math.log(2), "accuracy": 0.5}
        return [
            {"adversarial": {name: _means(getattr(match, name), nothing) for name, nothing in before.items()}}
            for match in self._matches
        ]

    def _attack(self, stack: Stack, slot: int, each: Sparring, match: _Match, steps: int) -> None:
        import torch

        b = self._game.batch
        drawn = [each.rows[match.dice.integers(0, len(each.rows), steps * b)]]
        drawn.append(match.dice.integers(0, len(self._reference[1]), steps * b))
        answers, labels = [], []
        for (x, y), positions in zip((self._members, self._reference), drawn, strict=True):
            where = torch.from_numpy(positions).to(y.device)
            answers.append(self._seen(stack.logits(slot, x.take(where, Scratch()))).view(steps, b, -1))
            labels.append(y[where].view(steps, b))
        z, y = torch.cat(answers, 1), torch.cat(labels, 1)
        member = (torch.arange(2 * b, device=y.device) < b).float()
        for i in range(steps):
            with torch.enable_grad():
                odds = match.network(z[i], y[i])
                likelihood = _log_sigmoid(odds * (2 * member - 1)).mean()
                loss = -likelihood if self._game.gain == "log" else ((odds.sigmoid() - member) ** 2).mean()
                match.optimizer.zero_grad()
                loss.backward()
            match.optimizer.step()
            match.note(match.gain, each.epoch, float(likelihood.detach()))
            match.note(match.accuracy, each.epoch, float(((odds.detach() > 0) == (member > 0)).float().mean()))

    def _seen(self, logits: torch.Tensor) -> torch.Tensor:
        return logits if self._game.sees == "logits" else logits.softmax(-1)


def inference_network(n_classes: int, game: Game) -> nn.Module:
    """H before its sigmoid: answers (b, c) and labels (b,) in, log-odds (b,) of membership out."""
    import torch
    from torch import nn

    def branch(width: int, hidden: Sequence[int]) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for units in hidden:
            layers += [nn.Linear(width, units), nn.ReLU()]
            width = units
        return layers

    class Inference(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.answer = nn.Sequential(*branch(n_classes, game.answer_hidden))
            self.label = nn.Sequential(*branch(n_classes, game.label_hidden))
            both = game.answer_hidden[-1] + game.label_hidden[-1]
            last = (both, *game.joint_hidden)[-1]
            self.joint = nn.Sequential(*branch(both, game.joint_hidden), nn.Linear(last, 1))

        def forward(self, answers: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            hot = nn.functional.one_hot(labels, n_classes).to(answers.dtype)
            out: torch.Tensor = self.joint(torch.cat([self.answer(answers), self.label(hot)], 1))[:, 0]
            return out

    network = Inference()
    if game.spread is not None:
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0.0, game.spread)
                nn.init.zeros_(layer.bias)
    return network


def _log_sigmoid(odds: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.nn.functional.logsigmoid(odds)


def _means(curve: list[list[float]], nothing: float) -> list[float]:
    return [round(float(np.mean(values)) if values else nothing, 5) for values in curve]
