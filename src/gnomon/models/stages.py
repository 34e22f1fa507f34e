"""Boosted ensembles answer as they would have after each of their stages: their training can be followed afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.errors import ModelError
from gnomon.models.sklearn import SklearnModel
from gnomon.models.torch_watch import checkpoints
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
