"""Mitigations: one idea a module, each a frozen record of its strength.

A mitigation of the answers has ``fit(known, n_classes, seed)``, which gives a function of answers alone, so that it
works on anybody's model and on stored answers. A mitigation in training has ``apply(trainer, reference)``, which gives
another trainer. Whether one is worth its cost only an audit can tell whose attacker knows it too (`gnomon defend`).
To add one, write a frozen dataclass that inherits from `OfAnswers` or `InTraining` (`gnomon.mitigations.base`) and
name it in `MITIGATIONS` below; the contract suite in `tests/mitigations` picks it up from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gnomon.core.documents.record import PlugInFacts
from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.mitigations import AnswerMitigation, Reference, TrainingMitigation
from gnomon.core.protocols import Trainer, TrainerAbilities
from gnomon.mitigations.answers import HampAnswers, Labels, Noise, Rounding, Temperature, Top
from gnomon.mitigations.base import AroundNetwork, CannotError, InTraining, OfAnswers
from gnomon.mitigations.memguard import MemGuard
from gnomon.mitigations.regularisation import (
    L2,
    Augment,
    Depth,
    Dropout,
    EarlyStopping,
    HampTraining,
    Leaf,
    Relax,
    SmoothLabels,
)
from gnomon.mitigations.trainers import DP, Adversarial, Selena
from gnomon.models.plugins import behind_name, check_name, facts_of, find_plugin

MITIGATIONS: tuple[type[Any], ...] = (
    Top,
    Labels,
    Rounding,
    Temperature,
    Noise,
    MemGuard,
    HampAnswers,
    L2,
    Dropout,
    EarlyStopping,
    SmoothLabels,
    Augment,
    Relax,
    HampTraining,
    Selena,
    Adversarial,
    Depth,
    Leaf,
    DP,
)

__all__ = [
    "MITIGATIONS",
    "able",
    "restraining",
    "apply_in_training",
    "kind_and_strength",
    "make_mitigation",
    *(mitigation.__name__ for mitigation in MITIGATIONS),
]


def make_mitigation(text: str) -> AnswerMitigation | TrainingMitigation:
    """The mitigation that a plan names: a name, and behind it the strength, with a colon or without.

    Raises:
        UsageError: no such mitigation, or a strength that it can't have.

    >>> make_mitigation("top3"), make_mitigation("noise:1e-2"), make_mitigation("labels")
    (Top(k=3, renormalised=False), Noise(deviation=0.01), Labels())
    >>> make_mitigation("temprature5")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: no mitigation is called "temprature" (did you mean "temperature"?)
    """
    kind, strength = kind_and_strength(text)
    made: AnswerMitigation | TrainingMitigation = kind.parse(strength)
    return made


def kind_and_strength(text: str) -> tuple[Any, str]:
    """The class of the mitigation that a plan names, and its strength as text; nothing is made, or imported for it.

    Raises:
        UsageError: no such mitigation.

    >>> kind_and_strength("dp:8")[0].name, kind_and_strength("top3")[1]
    ('dp', '3')
    """
    for kind in sorted(
        MITIGATIONS, key=lambda one: -len(one.name)
    ):  # "l2" ends with a digit: names first, then strengths
        strength = behind_name(text, kind.name)
        if strength is not None:
            return kind, strength
    raise _unknown(text)


def _unknown(text: str) -> UsageError:
    """What to say of a name that no mitigation has, with a hint."""
    known = [mitigation.name for mitigation in MITIGATIONS]
    word = text.partition(":")[0].rstrip("+-.0123456789")
    return UsageError(f'no mitigation is called "{word}"{did_you_mean(word, known)}')


def make_foreign_mitigation(text: str, *, trust: bool) -> tuple[AnswerMitigation | TrainingMitigation, PlugInFacts]:
    """A mitigation of another package, by its entry point or as ``module:Class``, with its strength behind a colon.

    Raises:
        UsageError: no such mitigation, not trusted, no mitigation, or a strength that it can't have.
    """
    found = find_plugin("mitigations", text)
    if found is None:
        raise _unknown(text)
    plugin, strength = found
    kind = plugin.load(trust=trust)
    if not (isinstance(kind, type) and issubclass(kind, OfAnswers | InTraining)):
        raise UsageError(
            f"{plugin.path}: expected a class that inherits from gnomon.mitigations.base.OfAnswers or InTraining, got "
            f"{kind!r}"
        )
    check_name(kind.name, lambda name: any(m.name == name for m in MITIGATIONS), plugin.path, plugin)
    made: Any = kind.parse(strength)
    return made, facts_of("mitigations", made.label, made, plugin)


def is_own(text: str) -> bool:
    """Whether a plan's text names a mitigation of gnomon's, whatever its strength."""
    return any(behind_name(text, mitigation.name) is not None for mitigation in MITIGATIONS)


def able(trainer: Trainer) -> list[str]:
    """Names of the mitigations in training that a trainer can do."""
    kinds = [kind for kind in MITIGATIONS if kind.acts_on == "training"]
    if TrainerAbilities.of(trainer).network is None:  # reading their strengths would import torch for nothing
        kinds = [kind for kind in kinds if not issubclass(kind, AroundNetwork)]
    examples: list[Any] = [make_mitigation(kind.examples[0]) for kind in kinds]
    return [example.name for example in examples if example.suits(trainer)]


def restraining(trainer: Trainer, labels: Iterable[str], rows: int) -> set[str]:
    """Of these mitigations, those in training that a trainer can do and that restrain its models on ``rows`` rows."""
    names = able(trainer)
    made: dict[str, Any] = {
        label: make_mitigation(label) for label in labels if kind_and_strength(label)[0].name in names
    }
    return {label for label, one in made.items() if one.restrains(trainer, rows)}


def apply_in_training(mitigation: TrainingMitigation, trainer: Trainer, reference: Reference | None) -> Trainer:
    """The trainer that does what ``trainer`` does, and this.

    Raises:
        UsageError: this trainer can't; the line says what it can do.
    """
    try:
        return mitigation.apply(trainer, reference)
    except CannotError as error:
        known = able(trainer)
        can = f"in training it can do {', '.join(known)}" if known else "it can do none in training"
        raise UsageError(f"{error}; {can}, and every mitigation of the answers works") from error
