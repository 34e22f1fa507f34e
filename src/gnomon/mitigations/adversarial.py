"""Training against an attacker: the model's loss counts what an inference network can tell of its members."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.mitigations.base import AroundNetwork, number, whole
from gnomon.models import torch as networks
from gnomon.models.game import Game

if TYPE_CHECKING:
    from gnomon.models.torch import AdversarialTrainer

DEFAULT = Game()


@dataclass(frozen=True)
class Adversarial(AroundNetwork):
    """The min-max game of Nasr et al.; see `gnomon.models.torch.adversarial.AdversarialTrainer`.

    Attributes:
        game: lambda and all other rules; a plan says "adversarial:3", or "adversarial:3:steps=10:answer_hidden=256-64".
    """

    name: ClassVar[str] = "adversarial"
    title: ClassVar[str] = "Training against an attacker"
    paper: ClassVar[str] = "Nasr et al. 2018"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset({"reference"})
    examples: ClassVar[tuple[str, ...]] = ("adversarial:3", "adversarial:1.5:warm_up=2:joint_hidden=16-8:gain=log")

    game: Game = field(default_factory=Game)

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "3" (lambda), with ":KEY=VALUE" behind it for any other rule of `Game`.

        Raises:
            UsageError: no such rule, or a value that it can't have.
        """
        first, *words = strength.split(":")
        rules: dict[str, Any] = {"strength": number(first, cls.name, what="lambda", above=0)}
        known = [name for name in DEFAULT.__dict__ if name != "strength"]
        for word in words:
            key, equals, value = word.partition("=")
            if key not in known or not equals:
                raise UsageError(
                    f'mitigation "adversarial": expected adversarial:LAMBDA, then :KEY=VALUE, got "{word}"'
                    f"{did_you_mean(key, known)}"
                )
            rules[key] = _read(key, value)
        return cls(replace(DEFAULT, **rules))

    @property
    def label(self) -> str:
        """As the plan has it."""
        own = {name: value for name, value in self.game.__dict__.items() if value != getattr(DEFAULT, name)}
        own.pop("strength", None)
        return ":".join([f"{self.name}:{self.game.strength:g}", *(f"{k}={_write(v)}" for k, v in own.items())])

    def apply(self, trainer: Trainer, reference: Reference | None) -> AdversarialTrainer:
        """The network's recipe, in turns with an attacker that tells its answers from those on the reference rows.

        Raises:
            UsageError: the trainer trains no network, or there are no reference rows.
        """
        network = self.network_of(trainer)
        if reference is None:
            raise UsageError(
                'mitigation "adversarial": expected rows held out for its attacker, got none: set data.reference_size'
            )
        return networks.AdversarialTrainer(network, reference.x, reference.y, self.game)


def _read(key: str, value: str) -> Any:
    default, name = getattr(DEFAULT, key), f"adversarial:{key}="
    if isinstance(default, tuple):
        return tuple(whole(width, name, least=1, what="width") for width in value.split("-") if width)
    if isinstance(default, str):
        return value
    if isinstance(default, int):
        return whole(value, name, least=0, what=key)
    return number(value, name, what=key, above=0)


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(str(width) for width in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
