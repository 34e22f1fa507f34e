"""Differentially private training as a mitigation: the one that comes with a proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.mitigations.base import AroundNetwork, number
from gnomon.models import torch as networks

if TYPE_CHECKING:
    from gnomon.models.torch import DPTrainer

KEYS = ("noise", "clip", "delta")


@dataclass(frozen=True)
class DP(AroundNetwork):
    """DP-SGD: clipped gradients and noise, so that no row can move the model by much (`gnomon.models.DPTrainer`).

    Attributes:
        epsilon: the privacy wanted, or None where the noise is given.
        noise: the noise multiplier, or None where epsilon is given; little noise promises nothing that matters, and
            may protect against known attacks all the same.
        clip: norm that each row's gradient is clipped to.
        delta: default the largest power of ten below one over the number of training rows.
    """

    name: ClassVar[str] = "dp"
    title: ClassVar[str] = "DP-SGD"
    paper: ClassVar[str] = "Abadi et al. 2016"
    examples: ClassVar[tuple[str, ...]] = ("dp:8", "dp:noise=0.2", "dp:1:clip=0.5:delta=1e-05")

    epsilon: float | None = None
    noise: float | None = None
    clip: float = 1.0
    delta: float | None = None

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "8" (epsilon) or "noise=0.2", with ":clip=0.5" and ":delta=1e-5" behind it where wanted.

        Raises:
            UsageError: anything else.
        """
        first, *rest = strength.split(":")
        words = rest if "=" not in first else [first, *rest]
        given = {}
        for word in words:
            key, _, value = word.partition("=")
            if key not in KEYS or key in given:
                raise UsageError(f'mitigation "dp": expected dp:EPSILON or dp:noise=SIGMA, then :clip=C, :delta=D, '
                                 f'got "dp:{strength}"')  # fmt: skip
            given[key] = number(value, f"dp:{key}=", what=key, least=0)
        epsilon = number(first, cls.name, what="epsilon", above=0) if "=" not in first else None
        made = cls(epsilon=epsilon, **given)
        made.apply(networks.TorchTrainer(), None)  # a strength that cannot be is refused when it is read
        return made

    @property
    def label(self) -> str:
        """As the plan has it."""
        text = f"{self.name}:{self.epsilon:g}" if self.noise is None else f"{self.name}:noise={self.noise:g}"
        text += "" if self.clip == 1 else f":clip={self.clip:g}"
        return text if self.delta is None else f"{text}:delta={self.delta:g}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> DPTrainer:  # noqa: ARG002 - the protocol's
        """The torch trainer's network and regime, trained by DP-SGD.

        Raises:
            UsageError: a trainer of another kind, or one that stops early.
        """
        return networks.DPTrainer(
            self.network_of(trainer), epsilon=self.epsilon, noise=self.noise, delta=self.delta, clip=self.clip
        )
