"""What may be observed of a model next to its answers: for attackers who see more, and for mitigations.

Which models and trainers allow it is theirs to say (`gnomon.core.protocols.ModelAbilities.observable`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, fingerprint
from gnomon.core.data.features import FeatureSpace
from gnomon.core.errors import ModelError, UsageError
from gnomon.core.protocols import Model, ModelAbilities, Trainer, TrainerAbilities
from gnomon.models.target import ask

CHECKPOINTS_VERSION = 1  # raise when the same count stands for other numbers
INSIDE_VERSION = 1  # raise when the columns change


@dataclass(frozen=True)
class Checkpoints:
    """Cross-entropy of each row at k checkpoints of the training, evenly spaced, the finished model last: (n, k).

    Torch networks are asked on the way; boosted ensembles of scikit-learn hold all their stages.

    Attributes:
        count: k.

    >>> import numpy as np
    >>> from sklearn.ensemble import GradientBoostingClassifier
    >>> from gnomon.models.sklearn import SklearnTrainer
    >>> x, y = np.arange(8.0)[:, None], np.array([0, 0, 1, 1, 0, 1, 0, 1])
    >>> [model] = SklearnTrainer(GradientBoostingClassifier(n_estimators=20)).train(x, y, 2, [np.arange(8)], [1])
    >>> course = Checkpoints(4).of(model, x, y)
    >>> course.shape, bool((course[:, -1] < course[:, 0]).all())
    ((8, 4), True)
    """

    count: int
    name: ClassVar[str] = "checkpoints"

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(f"checkpoints: expected 1 or more, got {self.count}")

    @property
    def key(self) -> str:
        """Version, and how many checkpoints."""
        return f"checkpoints {CHECKPOINTS_VERSION}: {self.count}"

    def watching(self, trainer: Trainer, asked: Rows, labels: Ints) -> Trainer:
        """Torch networks must be asked while they are trained."""
        watching = TrainerAbilities.of(trainer).watching(asked, labels, self.count)
        return trainer if watching is None else watching

    def of(self, model: Model, asked: Rows, labels: Ints) -> Floats:
        """Losses (n, k)."""
        losses = ModelAbilities.of(model).losses_over_training(asked, labels, self.count)
        if losses is None or losses.shape != (len(labels), self.count):
            raise ModelError("checkpoints: the model was not watched while it was trained")
        return np.asarray(losses)


@dataclass(frozen=True)
class Inside:
    """What the last layer of a torch network does with each row, in numbers that carry over between networks: (n, 21).

    Which numbers, and why these, stands in `gnomon.models.torch.gradients`.
    """

    name: ClassVar[str] = "inside"

    @property
    def key(self) -> str:
        """Version of the columns."""
        return f"inside {INSIDE_VERSION}"

    def of(self, model: Model, asked: Rows, labels: Ints) -> Floats:
        """Numbers (n, 21)."""
        found = ModelAbilities.of(model).last_layer(asked, labels)
        if found is None:
            raise ModelError(f"inside: expected a torch network, got {type(model).__name__}")
        return found


def checkpoints(stages: int, count: int) -> list[int]:
    """Stages 1 .. stages after which a checkpoint is taken: evenly spaced, the last stage among them.

    >>> checkpoints(60, 4), checkpoints(3, 4)
    ([15, 30, 45, 60], [1, 2, 3, 3])
    """
    return [-(-stages * (j + 1) // count) for j in range(count)]


@dataclass(frozen=True, eq=False)
class RandomRecords:
    """An observation of a model: its answers to records that nobody holds.

    Attributes:
        x: q records, in the form of the data set's rows.
    """

    x: Rows

    name: ClassVar[str] = "random records"

    @cached_property
    def key(self) -> str:
        """A digest of the records."""
        return f"random records: {fingerprint(self.x)}"

    def of(self, model: Model, asked: Rows = None, labels: Ints | None = None) -> Floats:  # noqa: ARG002 - the protocol's
        """Natural-log probabilities (q, c)."""
        return ask(model, self.x, classes=model.n_classes, source="answers to random records")


def draw_records(space: FeatureSpace, count: int, rng: np.random.Generator) -> RandomRecords:
    """Records whose features are drawn independently and evenly from their legal values.

    >>> from gnomon.core.data.features import infer_features
    >>> space = infer_features(np.array([[0, 5], [1, 9]]))
    >>> draw_records(space, 3, np.random.default_rng(0)).x.shape
    (3, 2)
    """
    return RandomRecords(space.random(count, rng))
