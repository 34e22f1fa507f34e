"""How many rows a fitted scikit-learn estimator was trained on, where it keeps a trace of that."""

from __future__ import annotations

from typing import Any

import numpy as np


def training_size(estimator: Any) -> int | None:
    """Rows that an estimator or a pipeline was trained on; None where nothing in it tells.

    Scalers, trees, forests, neighbours, support vectors and networks count their rows. What held rows out for early
    stopping is not asked.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> training_size(DecisionTreeClassifier().fit([[0], [1], [2]], [0, 1, 1]))
    3
    """
    if hasattr(estimator, "steps"):
        found = [training_size(step) for _, step in estimator.steps]
        return next((size for size in found if size is not None), None)
    if getattr(estimator, "early_stopping", getattr(estimator, "n_iter_no_change", None)):
        return None
    traces = (trace(estimator) for trace in (_counted, _rooted, _stepped))
    return next((size for size in traces if size is not None), None)


def _counted(estimator: Any) -> int | None:
    """Numbers of rows that stand in the estimator."""
    for name in ("n_samples_fit_", "_n_samples", "n_samples_seen_"):
        value = getattr(estimator, name, None)
        if value is not None and np.ndim(value) == 0:
            return int(value)
    shape = getattr(estimator, "shape_fit_", None)
    return None if shape is None else int(shape[0])


def _rooted(estimator: Any) -> int | None:
    """Rows at the root of a tree, alone or the first of a boosted ensemble that sees all of them."""
    trees = getattr(estimator, "estimators_", None)
    if isinstance(trees, np.ndarray) and getattr(estimator, "subsample", 1.0) == 1.0:
        estimator = trees.reshape(-1)[0]
    return int(estimator.tree_.n_node_samples[0]) if hasattr(estimator, "tree_") else None


def _stepped(estimator: Any) -> int | None:
    """Rows that a network saw in an epoch."""
    seen, epochs = getattr(estimator, "t_", None), getattr(estimator, "n_iter_", None)
    if seen is None or not epochs or not hasattr(estimator, "coefs_") or seen % epochs:
        return None
    return int(seen // epochs) or None  # 0 where the solver took all rows at once
