"""SELENA: what a model says of a row, it has learnt from models that never saw the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.mitigations.base import AroundNetwork, whole
from gnomon.models import torch as networks

if TYPE_CHECKING:
    from gnomon.models.torch import SelenaTrainer


@dataclass(frozen=True)
class Selena(AroundNetwork):
    """Split-AI and self-distillation; see `gnomon.models.torch.selena.SelenaTrainer`.

    Attributes:
        submodels: K; training costs K + 1 times as much.
        held_out: L, of how many of them each row is held out.
    """

    name: ClassVar[str] = "selena"
    title: ClassVar[str] = "SELENA"
    paper: ClassVar[str] = "Tang et al. 2022"
    examples: ClassVar[tuple[str, ...]] = ("selena", "selena:5:2")

    submodels: int = 25
    held_out: int = 10

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From nothing (25 and 10, as in the paper), or "K:L".

        Raises:
            UsageError: no two whole numbers with 1 <= L < K.
        """
        if not strength:
            return cls()
        submodels, _, held_out = strength.partition(":")
        made = cls(
            whole(submodels, cls.name, least=2, what="submodels K"),
            whole(held_out, cls.name, least=1, what="submodels L without a row, as in selena:K:L,"),
        )
        if made.held_out >= made.submodels:
            raise UsageError(
                f'mitigation "selena": L must be less than K, got K = {made.submodels} and L = {made.held_out}'
            )
        return made

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.submodels}:{self.held_out}"

    def apply(self, trainer: Trainer, reference: Reference | None) -> SelenaTrainer:  # noqa: ARG002 - the protocol's
        """Submodels and distilled model by the trainer's recipe.

        Raises:
            UsageError: the trainer cannot learn from soft labels.
        """
        return networks.SelenaTrainer(self.network_of(trainer), self.submodels, self.held_out)
