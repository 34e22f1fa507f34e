"""What scikit-learn's own estimators offer against overfitting: depth, leaf size, early stopping, penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gnomon.models.penalties import penalties
from gnomon.models.sklearn import SklearnTrainer


def limit(trainer: SklearnTrainer, parameter: str, bound: Callable[[Any], Any]) -> SklearnTrainer | None:
    """The trainer with a parameter bounded wherever its estimator has it; None if it has it nowhere."""
    from sklearn.base import clone

    own = trainer.estimator.get_params(deep=True)
    found = {name: bound(value) for name, value in own.items() if name.rpartition("__")[2] == parameter}
    return replace(trainer, estimator=clone(trainer.estimator).set_params(**found)) if found else None


def stop_early(trainer: SklearnTrainer, patience: int) -> SklearnTrainer | None:
    """The trainer with the estimator's own early stopping; None if it has none."""
    stopped = limit(trainer, "n_iter_no_change", lambda _: patience)
    return stopped and (limit(stopped, "early_stopping", lambda _: True) or stopped)


def possible_for(estimator: Any) -> tuple[str, ...]:
    """Names of the mitigations in training that an estimator can do."""
    own = {name.rpartition("__")[2] for name in estimator.get_params(deep=True)}
    able = {
        "l2": bool(penalties(estimator, 1.0, 1)),
        "depth": "max_depth" in own,
        "leaf": "min_samples_leaf" in own,
        "early_stopping": "n_iter_no_change" in own,
    }
    return tuple(name for name, can in able.items() if can)
