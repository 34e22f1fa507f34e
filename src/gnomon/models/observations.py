"""Boosted ensembles answer as they would have after each of their stages: their training can be followed afterwards.

What may be observed of a model beside its answers, for attackers who see more than answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.errors import ModelError, UsageError
from gnomon.core.protocols import Model, Trainer
from gnomon.models.sklearn import SklearnModel, SklearnTrainer
from gnomon.models.torch.checkpoints import Watched, checkpoints
from gnomon.models.torch.gradients import INSIDE_VERSION, inside_features
from gnomon.models.torch.model import TorchModel
from gnomon.models.torch.trainer import TorchTrainer
from gnomon.stats.signals import LOG_TINY, loss


def has_stages(estimator: Any) -> bool:
    """Whether an estimator, or the last step of a pipeline, has answers by stage.

    >>> from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
    >>> has_stages(AdaBoostClassifier()), has_stages(RandomForestClassifier())
    (True, False)
    """
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return hasattr(estimator, "staged_predict_proba")


def staged_losses(model: SklearnModel, x: Rows, y: Ints, count: int) -> Floats:
    """Cross-entropy (n, count), float32, after evenly spaced stages of a boosted ensemble, the whole ensemble last.

    Raises:
        ModelError: the ensemble fails to answer.
    """
    column = np.full(model.n_classes, -1)
    column[model.columns] = np.arange(len(model.columns))
    own, known = column[y], column[y] >= 0
    logs = np.full((len(y), count), LOG_TINY)
    try:
        estimator, rows = _last_step(model.estimator, x)
        due = checkpoints(sum(1 for _ in estimator.staged_predict_proba(rows[:1])), count)
        for stage, answers in enumerate(estimator.staged_predict_proba(rows), start=1):
            with np.errstate(divide="ignore"):
                logs[np.ix_(known, np.equal(due, stage))] = np.log(answers[known, own[known]])[:, None]
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise ModelError(f"{type(model.estimator).__name__} fails to answer stage by stage: {error}") from error
    logs[:, -1] = -loss(model.log_probs(x), y)
    losses: Floats = -np.maximum(logs, LOG_TINY).astype(np.float32)
    return losses


def _last_step(estimator: Any, x: Rows) -> tuple[Any, Any]:
    """The ensemble at the end of a pipeline, and the rows as they reach it."""
    while hasattr(estimator, "steps"):
        if len(estimator.steps) > 1:
            x = estimator[:-1].transform(x)
        estimator = estimator.steps[-1][1]
    return estimator, x


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

    Which numbers, and why these, stands in `gnomon.models.torch.gradients`.
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
