"""The narrow waists: a Model answers, a Trainer makes models, an Observation is kept of a model beside its answers.

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


@runtime_checkable
class Observation(Protocol):
    """Numbers that are kept of a model beside its answers, where it is trained: a frozen record that can be pickled.

    What is observed must not change the model: its answers, and their key in the store, stay what they are.
    """

    @property
    def name(self) -> str:
        """What evidence calls it; the need of the attacks that read it."""
        ...

    def describe(self) -> dict[str, Any]:
        """Everything that decides what is observed of a given model, as JSON: part of its key in the store."""
        ...

    def unfit(self, maker: Trainer | Model) -> str | None:
        """Why the models of this recipe, or this model, can't be observed; None if they can."""
        ...

    def watching(self, trainer: Trainer, x: Rows, y: Ints) -> Trainer:
        """A trainer of the same models that also keeps what `of` needs of the asked rows; often the same trainer."""
        ...

    def of(self, model: Model, x: Rows, y: Ints) -> Floats:
        """The observation (n, k), float32, of the n asked rows and their class ids."""
        ...
