"""Training against an attacker: adversarial regularisation (Nasr, Shokri and Houmansadr, 2018).

The attacker's networks tell members' answers from others' while the classifier is trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from gnomon.core.arrays import Ints, Rows, check_labels, count_rows, fingerprint
from gnomon.core.errors import UsageError
from gnomon.core.seeds import Seeds
from gnomon.models.game import Game
from gnomon.models.torch.model import TorchModel
from gnomon.models.torch.networks import Scratch, TensorRows, build_seeded, layout_of, resolve_device, tensor_rows
from gnomon.models.torch.stacks.mlp_stack import Batch, Objective, Stack, cross_entropy_signal
from gnomon.models.torch.stacks.stacked_training import Sparring
from gnomon.models.torch.trainer import NetworkWrapper

STEPS_AT_ONCE = 16  # of the attacker, for which the classifier answers in one go


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
    """The attackers of a stack, one a network: an opponent of `gnomon.models.torch.stacks.stacked_training.fit`.

    Each has initial weights and dice of its own from its network's seed. They are small, and a loop over them costs
    little beside their own work.
    """

    name: ClassVar[str] = "adversarial"

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
        plain = (self._objective.signal if self._objective else cross_entropy_signal)(logits, batch)
        losses = torch.nn.functional.cross_entropy(logits.movedim(-1, 1), batch.y, reduction="none")
        means = (losses * batch.weights[..., 0]).sum(1).tolist()
        for slot, (match, mean, epoch) in enumerate(zip(self._live, means, batch.epochs, strict=True)):
            match.note(match.loss, epoch, mean)
            if match.begun:
                answers = logits[slot].detach().requires_grad_()
                with torch.enable_grad():
                    odds = match.network(self._seen(answers), batch.y[slot])
                    gain = odds.sigmoid() if self._game.gain == "squares" else nn.functional.logsigmoid(odds) / 2
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
                likelihood = nn.functional.logsigmoid(odds * (2 * member - 1)).mean()
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


def _means(curve: list[list[float]], nothing: float) -> list[float]:
    return [round(float(np.mean(values)) if values else nothing, 5) for values in curve]


ADVERSARIAL_VERSION = 1  # raise when the same fields train another model


@dataclass(frozen=True, eq=False)
class AdversarialTrainer(NetworkWrapper):
    """A min-max game between the network and an inference network that is trained beside it.

    The network f minimises its own loss plus lambda times the largest gain of an attacker h, that tells answers for
    members from answers for reference rows: min_f (L(f) + lambda max_h G(f, h)). In turns, h takes some steps of ascent
    on its gain and f one step of descent on the sum, through h's gradient in f's answers.

    Readers of Shokri et al. (2017) have put the same idea as an actor and a critic: the classifier acts, by answering,
    and the inference network criticises each answer. It is no actor-critic method of reinforcement learning, since
    there are no rewards to estimate: the critic can be differentiated, as the discriminator of a generative adversarial
    network can.

    The game is only as good as the attacker that plays it: ask other attacks too what has become of the leak.

    Args:
        trainer: recipe of the network; an objective of its own stays L.
        x: reference rows (r, ...), of the kind that members are of: nobody's training rows, and never audited.
        y: their class ids (r,).
        game: lambda, the attacker, the schedule.

    >>> from gnomon.models import TorchTrainer
    >>> import numpy as np
    >>> x, y = np.eye(8, dtype=np.float32), np.arange(8) % 2
    >>> trainer = AdversarialTrainer(TorchTrainer(hidden=(8,), epochs=3), x[4:], y[4:], Game(warm_up=1))
    >>> [model] = trainer.train(x, y, 2, [np.arange(4)], [0])
    >>> len(model.facts["adversarial"]["loss"]), model.facts["adversarial"]["gain"][0]  # minus ln 2: not begun yet
    (3, -0.69315)
    """

    x: Rows
    y: Ints
    game: Game = field(default_factory=Game)

    def __post_init__(self) -> None:
        self._check_network("training against an attacker needs a network's gradients")
        if not len(self.y):
            raise UsageError("training against an attacker needs reference rows (data.reference_size), got none")
        if self.game.warm_up >= self.trainer.epochs:
            raise UsageError(
                f"adversarial: the game would never begin: warm_up is {self.game.warm_up}, the training has "
                f"{self.trainer.epochs} epochs"
            )

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[TorchModel]:
        """Trains one network per entry of ``rows``, each with its own seed and its own attacker.

        Each model carries the game's curves in ``facts["adversarial"]``; see `InferenceNetworks.facts`.

        Raises:
            DataError: rows, labels or positions that can't be trained on.
            ModelError: the network does not fit the rows, or its training diverged.
        """
        labels = check_labels(self.y, rows=count_rows(self.x), classes=n_classes, source="reference rows")
        device = resolve_device(self.trainer.device)
        reference = tensor_rows(self.x, layout_of(self.trainer.module), device), torch.tensor(labels, device=device)

        def meet(data: TensorRows, targets: torch.Tensor, own: Sequence[int]) -> InferenceNetworks:
            return InferenceNetworks(self.game, (data, targets), reference, n_classes, own, self.trainer.objective)

        return self.trainer.train_against(x, y, n_classes, rows, seeds, meet)

    def recipe(self) -> dict[str, Any]:
        """Everything that decides what comes out, as JSON; of the reference rows a fingerprint."""
        return {
            "kind": "adversarial",
            "version": ADVERSARIAL_VERSION,
            "trainer": self.trainer.recipe(),
            "game": {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self.game).items()},
            "reference": fingerprint(self.x, self.y),
        }

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:
        """As the network's recipe."""
        return self.trainer.batch_size(x, n_classes, size)
