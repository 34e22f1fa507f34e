"""Mitigations: what an owner can do to a model's training or to its answers, and what that promises.

A mitigation in training maps a Trainer to a Trainer. A mitigation of the answers is fitted to one model, with what that
model's owner has at hand, and is from then on a function of an answer alone: the same answer always comes out the same,
so that asking again averages nothing away, and stored answers can be mitigated without training anything again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.protocols import Trainer
from gnomon.core.seeds import Seeds


@dataclass(frozen=True)
class Known:
    """What the owner of a model has at hand to fit a mitigation of its answers.

    Attributes:
        members: (k, c) the model's natural-log probabilities on rows that it was trained on.
        member_labels: (k,) their class ids.
        reference: (r, c) the same on rows held out: nobody's training rows, and never audited.
        reference_labels: (r,) their class ids.
        random: (q, c) the same on records drawn at random from the feature space.
    """

    members: Floats
    member_labels: Ints
    reference: Floats
    reference_labels: Ints
    random: Floats

    def through(self, mapped: AnswerMap) -> Known:
        """The same once all answers have gone through a mitigation."""
        return replace(self, members=mapped(self.members), reference=mapped(self.reference), random=mapped(self.random))


@dataclass(frozen=True)
class Reference:
    """Rows held out for a mitigation in training: nobody's training rows, and never audited."""

    x: Rows
    y: Ints


@runtime_checkable
class AnswerMap(Protocol):
    """A fitted mitigation: answers in, answers out."""

    def __call__(self, answers: Floats, /) -> Floats:
        """Natural-log probabilities (n, c) in, the same shape out; each row depends on that row alone.

        What comes out need not sum to 1: an answer may keep three entries as they are and show nothing of the others.
        """
        ...


class Mitigation(Protocol):
    """What all mitigations say of themselves."""

    name: ClassVar[str]  # as in a plan, without the strength: "top"
    title: ClassVar[str]  # "Top k"
    paper: ClassVar[str]  # "Shokri et al. 2017"
    acts_on: ClassVar[Literal["answers", "training"]]
    needs: ClassVar[frozenset[Literal["reference", "random"]]]  # which rows held out it cannot do without
    keeps_label: ClassVar[bool]  # promises that the most probable class stays the most probable

    examples: ClassVar[tuple[str, ...]]  # strengths to try, as a plan has them: ("top3",); the contract suite does

    @property
    def label(self) -> str:
        """As the plan has it, with its strength: "top3", "l2:0.001"."""
        ...


class AnswerMitigation(Mitigation, Protocol):
    """A mitigation of the answers."""

    def fit(self, known: Known, n_classes: int, seed: int) -> AnswerMap:
        """The mitigation of one model's answers.

        Raises:
            UsageError: a strength that this number of classes can't have.
        """
        ...


class TrainingMitigation(Mitigation, Protocol):
    """A mitigation in training."""

    def suits(self, trainer: Trainer) -> bool:
        """Whether the trainer can do it."""
        ...

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:
        """The trainer that does what ``trainer`` does, and this.

        Raises:
            UsageError: this trainer can't.
        """
        ...


@dataclass(frozen=True)
class InOrder:
    """Fitted mitigations of the answers, one after the other; none at all leaves answers as they are."""

    maps: tuple[AnswerMap, ...]

    def __call__(self, answers: Floats, /) -> Floats:
        """Natural-log probabilities (n, c) in, the same shape out."""
        for one in self.maps:
            answers = one(answers)
        return answers


def fit_in_order(mitigations: Sequence[AnswerMitigation], known: Known, n_classes: int, seed: int) -> InOrder:
    """Fits mitigations of one model's answers, each to what comes out of those before it.

    Args:
        mitigations: in their order.
        known: what the model's owner has at hand, as the model itself answers.
        n_classes: c.
        seed: of this model's mitigations.
    """
    maps: list[AnswerMap] = []
    for i, mitigation in enumerate(mitigations):
        maps.append(mitigation.fit(known, n_classes, Seeds(seed, ("mitigation", i, mitigation.label)).integer()))
        if i + 1 < len(mitigations):
            known = known.through(maps[-1])
    return InOrder(tuple(maps))


Facts = dict[str, Any]  # of a trained model, for the Record: the accountant's epsilon, the game's curves
