"""The narrow waists: a Model answers, a Trainer makes models, an Attack scores what it was shown.

Anything with a model's or a trainer's methods can be audited; it need not inherit from them. An attack inherits from
`Attack`, which says what it can do where the attack itself does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, fields, is_dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.evidence import Evidence, Need

Value = TypeVar("Value")


@runtime_checkable
class Model(Protocol):
    """Something that answers: rows in, natural-log probabilities out, and nothing more."""

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        ...

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c), of n rows; minus infinity for a probability of 0."""
        ...


@runtime_checkable
class Trainer(Protocol):
    """A recipe that makes models from rows and seeds; a frozen record that can be pickled to a worker."""

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> Sequence[Model]:
        """Trains one model per entry of ``rows`` (positions in ``x``), each with its own seed.

        The model of one (rows, seed) pair is the same whatever else is trained next to it (to 1e-4 in log-probability
        where a stack of networks is trained at once).
        """
        ...

    def recipe(self) -> dict[str, Any]:
        """Everything that decides what comes out, as JSON: the store's key and the Record hold it."""
        ...

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:
        """How many models of ``size`` rows one call of `train` should get (1 = one at a time)."""
        ...


class Observation(Protocol):
    """Something that is kept of each trained model next to its answers; pickled to the worker that trains it."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def key(self) -> str:
        """Everything that decides what is observed of a given model that is asked given rows; the store's key."""
        ...

    def of(self, model: Model, asked: Rows, labels: Ints) -> Floats:
        """The array to keep of one model.

        Args:
            model: a model that was just trained.
            asked: (n, ...) the rows that all models are asked.
            labels: (n,) their class ids.
        """
        ...


@runtime_checkable
class Watching(Protocol):
    """An observation that must be there while a model is trained."""

    def watching(self, trainer: Trainer, asked: Rows, labels: Ints) -> Trainer:
        """A trainer of the very same models that also keeps what the observation needs of the asked rows."""
        ...


class Attack(Protocol):
    """A frozen record of hyper-parameters that turns evidence into scores: a class inherits from this one."""

    @property
    def name(self) -> str:
        """Registry key, lower case."""
        ...

    @property
    def title(self) -> str:
        """What a report calls it."""
        ...

    @property
    def paper(self) -> str:
        """Authors and year."""
        ...

    @property
    def needs(self) -> frozenset[Need]:
        """What evidence it reads; everything else is removed before it is called."""
        ...

    @property
    def threshold(self) -> float | None:
        """The score from which the attack itself says "member"; None: calibrate on shadow models."""
        return None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,) of the audited rows: higher = more likely a member."""
        ...

    def unfit(self, evidence: Evidence) -> str | None:  # noqa: ARG002 - for those that ask
        """Why complete evidence does not suit it (rows that are no images, say), and it is skipped; None if it does."""
        return None

    def notes(self, evidence: Evidence) -> list[str]:  # noqa: ARG002 - for those that ask
        """What the reader of its result must know (classes that were too small, a fall-back), for the Record."""
        return []


def variant(default: Value) -> Value:
    """A field of an attack whose values have names of their own in the registry, so that no plan sets it."""
    return field(default=default, metadata={"variant": True})


def options_of(attack: Attack) -> dict[str, Any]:
    """The options of an attack that a plan may set, and their values."""
    own: Any = attack
    known = [f for f in fields(own) if f.init and not f.metadata.get("variant")] if is_dataclass(own) else []
    return {f.name: getattr(attack, f.name) for f in known}


def why_not(attack: Attack, evidence: Evidence) -> str | None:
    """Why an attack can't run on this evidence, in words; None if it can."""
    return evidence.missing(attack.needs) or attack.unfit(evidence.view(attack.needs))
