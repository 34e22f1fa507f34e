"""What may be observed of a model beside its answers, for attackers who see more than answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.errors import ModelError, UsageError
from gnomon.core.protocols import Model, Trainer
from gnomon.models.sklearn import SklearnModel, SklearnTrainer
from gnomon.models.stages import has_stages, staged_losses
from gnomon.models.torch_inside import INSIDE_VERSION, inside_features
from gnomon.models.torch_model import TorchModel
from gnomon.models.torch_trainer import TorchTrainer
from gnomon.models.torch_watch import Watched

CHECKPOINTS_VERSION = 1  # raise when the same count stands for other numbers


@dataclass(frozen=True)
class Checkpoints:
    """Cross-entropy of each row at k checkpoints of the training, evenly spaced, the finished model last: (n, k).

    Torch networks are asked on the way; boosted ensembles of scikit-learn hold all their stages.

    Attributes:
        count: k.

    >>> import numpy as np
    >>> from sklearn.ensemble import GradientBoostingClassifier
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

    def unfit(self, maker: Trainer | Model) -> str | None:
        """Networks that are trained here, and ensembles with stages, have checkpoints."""
        if isinstance(maker, TorchTrainer) or (isinstance(maker, TorchModel) and maker.course is not None):
            return None
        if isinstance(maker, SklearnModel | SklearnTrainer) and has_stages(maker.estimator):
            return None
        return "nobody can follow the training (only a torch recipe's, or a boosted ensemble's stages)"

    def watching(self, trainer: Trainer, asked: Rows, labels: Ints) -> Trainer:
        """Torch networks must be asked while they are trained."""
        return (
            replace(trainer, watched=Watched(asked, labels, self.count))
            if isinstance(trainer, TorchTrainer)
            else trainer
        )

    def of(self, model: Model, asked: Rows, labels: Ints) -> Floats:
        """Losses (n, k)."""
        if isinstance(model, SklearnModel):
            return staged_losses(model, asked, labels, self.count)
        course = model.course if isinstance(model, TorchModel) else None
        if course is None or course.shape != (len(labels), self.count):
            raise ModelError("checkpoints: the model was not watched while it was trained")
        return np.asarray(course)


@dataclass(frozen=True)
class Inside:
    """What the last layer of a torch network does with each row, in numbers that carry over between networks: (n, 21).

    Which numbers, and why these, stands in `gnomon.models.torch_inside`.
    """

    name: ClassVar[str] = "inside"

    @property
    def key(self) -> str:
        """Version of the columns."""
        return f"inside {INSIDE_VERSION}"

    def unfit(self, maker: Trainer | Model) -> str | None:
        """Torch networks can be looked into."""
        if isinstance(maker, TorchTrainer | TorchModel):
            return None
        return "nobody can look inside (only torch networks)"

    def of(self, model: Model, asked: Rows, labels: Ints) -> Floats:
        """Numbers (n, 21)."""
        if not isinstance(model, TorchModel):
            raise ModelError(f"inside: expected a torch network, got {type(model).__name__}")
        return inside_features(model, asked, labels)
