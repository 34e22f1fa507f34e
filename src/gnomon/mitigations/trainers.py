"""Networks trained another way than by their recipe: against an attacker, with privacy by noise, by distillation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.mitigations.base import AroundNetwork, Range
from gnomon.models import torch as networks
from gnomon.models.game import Game

if TYPE_CHECKING:
    from gnomon.models.torch import AdversarialTrainer, DPTrainer, SelenaTrainer


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
        rules: dict[str, Any] = {"strength": Range("lambda", above=0).read(first, cls.name)}
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
        return tuple(Range("width", whole=True, least=1).read(width, name) for width in value.split("-") if width)
    if isinstance(default, str):
        return value
    if isinstance(default, int):
        return Range(key, whole=True, least=0).read(value, name)
    return Range(key, above=0).read(value, name)


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(str(width) for width in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


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
            given[key] = Range(key, least=0).read(value, f"dp:{key}=")
        epsilon = Range("epsilon", above=0).read(first, cls.name) if "=" not in first else None
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
            Range("submodels K", whole=True, least=2).read(submodels, cls.name),
            Range("submodels L without a row, as in selena:K:L,", whole=True, least=1).read(held_out, cls.name),
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
