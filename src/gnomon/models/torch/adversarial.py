"""Training against an attacker: adversarial regularisation (Nasr, Shokri and Houmansadr, 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from gnomon.core.arrays import Ints, Rows, check_labels, count_rows, fingerprint
from gnomon.core.errors import UsageError
from gnomon.models.game import Game
from gnomon.models.torch.inference_network import InferenceNetworks
from gnomon.models.torch.model import TorchModel
from gnomon.models.torch.networks import TensorRows, layout_of, resolve_device, tensor_rows
from gnomon.models.torch.trainer import NetworkWrapper

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
