"""What all mitigations share: a strength, read from the text behind the name, and trainers that can do it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer, TrainerAbilities

if TYPE_CHECKING:
    from gnomon.models.sklearn import SklearnTrainer
    from gnomon.models.torch import TorchTrainer


class CannotError(UsageError):
    """A mitigation that a trainer can't do."""

    def __init__(self, name: str, trainer: Trainer) -> None:
        own = TrainerAbilities.of(trainer).of_what  # an estimator's truth may be its length, which it may not know yet
        kind = type(trainer if own is None else own).__name__
        super().__init__(f'mitigation "{name}": {kind} cannot do that')


@dataclass(frozen=True)
class Range:
    """Which strengths a mitigation can have.

    Attributes:
        what: the strength is.
        whole: whether it is a whole number.
        above: a number that it must pass.
        least: the smallest.
        most: the largest.
    """

    what: str
    whole: bool = False
    above: float | None = None
    least: float | None = None
    most: float = math.inf

    def read(self, strength: str, name: str) -> Any:
        """The number in the text behind the name.

        Raises:
            UsageError: it is missing, no number, or out of range.

        >>> Range("lambda", least=0).read("1e-3", "l2")
        0.001
        >>> Range("entries to keep", whole=True, least=1).read("0", "top")
        Traceback (most recent call last):
        gnomon.core.errors.UsageError: mitigation "top": entries to keep must be a whole number >= 1, got "0"
        """
        try:
            value = int(strength) if self.whole else float(strength)
        except ValueError:
            value = math.nan
        low = (self.above is None or value > self.above) and (self.least is None or value >= self.least)
        if math.isfinite(value) and low and value <= self.most:
            return value
        bounds = [] if self.above is None else [f"> {self.above:g}"]
        bounds += [] if self.least is None else [f">= {self.least:g}"]
        bounds += [f"<= {self.most:g}"] if math.isfinite(self.most) else []
        expected = f"a {'whole ' if self.whole else ''}number {' and '.join(bounds)}".strip()
        got = f'got "{strength}"' if strength else f'got none: write it behind the name, as in "{name}:NUMBER"'
        raise UsageError(f'mitigation "{name}": {self.what} must be {expected}, {got}')


@dataclass(frozen=True)
class Base:
    """A mitigation of at most one number: how a plan writes it, what it needs, what it promises.

    Class attributes: those of `gnomon.core.mitigations.Mitigation`; ``range`` of the number (None: there is none) and
    what ``joins`` name and number in the label.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str] = "a baseline"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset()
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]]
    range: ClassVar[Range | None] = None
    joins: ClassVar[str] = ":"

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From the text behind the name, which may be empty where there is no number or a default.

        Raises:
            UsageError: a strength that it can't have.
        """
        if cls.range is None:
            if strength:
                raise UsageError(f'mitigation "{cls.name}" has no strength, got "{strength}": write "{cls.name}"')
            return cls()
        has_default = dataclasses.fields(cls)[0].default is not dataclasses.MISSING
        make: Callable[..., Self] = cls  # with the number that the subclass holds
        return make() if has_default and not strength else make(cls.range.read(strength, cls.name))

    @property
    def label(self) -> str:
        """As the plan has it."""
        values = [getattr(self, field.name) for field in dataclasses.fields(self)]
        return f"{self.name}{self.joins}{values[0]:g}" if values else self.name


@dataclass(frozen=True)
class OfAnswers(Base):
    """A mitigation of the answers: it has a method ``fit``, as in `gnomon.core.mitigations.AnswerMitigation`."""

    acts_on: ClassVar[Literal["answers"]] = "answers"


@dataclass(frozen=True)
class InTraining(Base):
    """A mitigation in training: what it makes of a network's recipe, of an estimator's, or of neither."""

    acts_on: ClassVar[Literal["training"]] = "training"

    def on_network(self, network: TorchTrainer) -> TorchTrainer | None:  # noqa: ARG002 - for those that can
        """The network trained another way; None if it can't be."""
        return None

    def on_estimator(self, trainer: SklearnTrainer) -> SklearnTrainer | None:  # noqa: ARG002 - for those that can
        """scikit-learn's estimator trained another way; None if it can't be."""
        return None

    def suits(self, trainer: Trainer) -> bool:
        """Whether the trainer can do it."""
        try:
            return TrainerAbilities.of(trainer).changed(self) is not None
        except UsageError:
            return False

    def restrains(self, trainer: Trainer, rows: int) -> bool:  # noqa: ARG002 - for those that depend on it
        """Whether models of ``rows`` rows become others: a tree of 5 levels is no other with a bound of 8."""
        return self.apply(trainer, None).recipe() != trainer.recipe()

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:  # noqa: ARG002 - for those that need it
        """The trainer that does what ``trainer`` does, and this; one that wraps another is changed inside.

        Raises:
            UsageError: this trainer can't.
        """
        changed = TrainerAbilities.of(trainer).changed(self)
        if changed is None:
            raise CannotError(self.name, trainer)
        return changed


@dataclass(frozen=True)
class AroundNetwork(InTraining):
    """A mitigation that is a trainer of its own, round the recipe of a network."""

    def suits(self, trainer: Trainer) -> bool:
        """Whether the trainer trains a network, and nothing is round it yet."""
        return TrainerAbilities.of(trainer).network is trainer

    def restrains(self, trainer: Trainer, rows: int) -> bool:  # noqa: ARG002 - whatever they are
        """It always does."""
        return self.suits(trainer)

    def network_of(self, trainer: Trainer) -> TorchTrainer:
        """The network's recipe.

        Raises:
            UsageError: a trainer of another kind.
        """
        network: TorchTrainer | None = TrainerAbilities.of(trainer).network
        if network is None or network is not trainer:
            raise CannotError(self.name, trainer)
        return network


def bounded(trainer: SklearnTrainer, parameter: str, bound: Callable[[Any], Any]) -> SklearnTrainer | None:
    """The trainer with a parameter bounded wherever its estimator has it; None if it has it nowhere."""
    fresh = trainer.fresh()
    own = fresh.get_params(deep=True)
    found = {name: bound(value) for name, value in own.items() if name.rpartition("__")[2] == parameter}
    return dataclasses.replace(trainer, estimator=fresh.set_params(**found), settings=None) if found else None
