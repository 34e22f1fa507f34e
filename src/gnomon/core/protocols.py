"""The narrow waists: a Model answers, a Trainer makes models.

Anything with these methods can be audited; nothing needs to inherit from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from gnomon.core.arrays import Floats, Ints, Rows


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

        The model of one (rows, seed) pair is the same whatever else is trained beside it (to 1e-4 in log-probability
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
    """Something that is kept of each trained model beside its answers; pickled to the worker that trains it."""

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
