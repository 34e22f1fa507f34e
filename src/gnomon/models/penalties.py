"""The L2 penalty of scikit-learn's estimators, each in its own parameter, as one number a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

AUTO_BATCH = 200  # MLPClassifier's batch_size="auto" is this or the number of rows

Penalty = Callable[[Any, float, int], dict[str, float]]


def _inverse(estimator: Any, l2: float, rows: int) -> dict[str, float]:  # noqa: ARG001 - one signature for all
    return {"C": 1 / (l2 * rows)}


def _per_batch(estimator: Any, l2: float, rows: int) -> dict[str, float]:
    batch = min(AUTO_BATCH, rows) if estimator.batch_size == "auto" else min(estimator.batch_size, rows)
    return {"alpha": l2 * (rows if estimator.solver == "lbfgs" else batch)}


def _by_kind() -> dict[type, Penalty]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC, LinearSVC

    return {
        LogisticRegression: _inverse,
        SVC: _inverse,
        LinearSVC: _inverse,
        SGDClassifier: lambda _estimator, l2, _rows: {"alpha": l2},
        MLPClassifier: _per_batch,
        HistGradientBoostingClassifier: lambda _estimator, l2, rows: {"l2_regularization": l2 * rows},
    }


def penalties(estimator: Any, l2: float, rows: int) -> dict[str, float]:
    """Deep parameters that give an estimator an L2 penalty; empty if nothing in it has one.

    Args:
        estimator: scikit-learn's, on its own or in a pipeline, a search, a vote.
        l2: lambda of "mean loss + lambda / 2 * sum of squared weights", so that it means the same for any number of
            rows and for every estimator (boosting: of leaf values).
        rows: number of rows that it will be fitted to.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> penalties(make_pipeline(LogisticRegression()), 1e-3, 500)
    {'logisticregression__C': 2.0}
    """
    parts = {"": estimator, **{f"{name}__": part for name, part in estimator.get_params(deep=True).items()}}
    known = _by_kind()
    found: dict[str, float] = {}
    for prefix, part in parts.items():
        penalty = next((p for kind, p in known.items() if isinstance(part, kind)), None)
        if penalty is not None and _is_l2(part):
            found |= {prefix + name: value for name, value in penalty(part, l2, rows).items()}
    return found


def _is_l2(part: Any) -> bool:
    """Whether the penalty that the estimator takes is on squares at all."""
    return getattr(part, "penalty", "l2") not in (None, "l1") and getattr(part, "l1_ratio", 0) != 1
