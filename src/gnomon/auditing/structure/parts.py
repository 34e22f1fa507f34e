"""The fitted parts of a model, each with the training rows as they reach it, and the numbers fitted to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_DEEP = 12  # estimators in estimators; a model that holds itself ends here
TEMPLATES = ("base_estimator_", "estimator_")  # of an ensemble: what its members were cloned from, never fitted itself
INNER = (*TEMPLATES, "final_estimator_")


@dataclass(frozen=True)
class FittedPart:
    """One fitted part.

    Attributes:
        thing: an estimator, a transformer, a network.
        rows: the training rows as they reach it; None where that is not known.
    """

    thing: Any
    rows: Any

    @property
    def name(self) -> str:
        """Its class."""
        return type(self.thing).__name__


def fitted_parts(model: Any, rows: Any) -> list[FittedPart]:
    """A model and all fitted parts within it, outermost first.

    Args:
        model: fitted: an estimator, pipeline, search, ensemble, or anything else.
        rows: the rows that it was trained on, as it takes them.

    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> model = make_pipeline(StandardScaler(), DecisionTreeClassifier()).fit([[0], [2]], [0, 1])
    >>> [(part.name, part.rows.ravel().tolist()) for part in fitted_parts(model, np.array([[0], [2]]))][1:]
    [('StandardScaler', [0, 2]), ('DecisionTreeClassifier', [-1.0, 1.0])]
    """
    return list(_walk(model, rows, 0))


def _walk(thing: Any, rows: Any, depth: int) -> Iterator[FittedPart]:
    thing = _thawed(thing)
    yield FittedPart(thing, rows)
    if depth >= MOST_DEEP:
        return
    for inner, reach in inner_parts(thing, rows):
        yield from _walk(inner, reach, depth + 1)


def _thawed(thing: Any) -> Any:
    """What scikit-learn's FrozenEstimator keeps from being fitted again; anything else as it is."""
    for _ in range(MOST_DEEP):
        if type(thing).__name__ != "FrozenEstimator":
            break
        thing = thing.estimator
    return thing


def inner_parts(thing: Any, rows: Any) -> Iterator[tuple[Any, Any]]:
    """What a part is made of, each with the rows that reach it."""
    if hasattr(thing, "best_estimator_"):
        yield thing.best_estimator_, rows
    elif hasattr(thing, "steps"):
        for _, step in thing.steps:
            if step is None or isinstance(step, str):
                continue
            yield step, rows
            rows = _transformed(step, rows)
    elif hasattr(thing, "transformers_"):
        for _, step, columns in thing.transformers_:
            if not isinstance(step, str):
                yield step, _columns(rows, columns)
    elif hasattr(thing, "calibrated_classifiers_"):
        for one in thing.calibrated_classifiers_:
            yield one.estimator, rows
    elif hasattr(thing, "estimators_"):
        features = getattr(thing, "estimators_features_", None)
        for i, one in enumerate(_flat(thing.estimators_)):
            yield one, rows if features is None or rows is None else _columns(rows, features[i])
    for name in INNER:
        if name in TEMPLATES and hasattr(thing, "estimators_"):
            continue
        inner = vars(thing).get(name) if hasattr(thing, "__dict__") else None
        if inner is not None and not isinstance(inner, (str, type)) and vars(inner):
            yield inner, rows


def _flat(found: Any) -> list[Any]:
    items = np.ravel(np.asarray(found, dtype=object)).tolist() if isinstance(found, np.ndarray) else list(found)
    return [one for item in items for one in (item if isinstance(item, list) else [item]) if not isinstance(one, str)]


def _transformed(step: Any, rows: Any) -> Any:
    try:
        return None if rows is None else step.transform(rows)
    except Exception:  # a step that can't transform these rows: nothing is known of what reaches the next one
        return None


def _columns(rows: Any, columns: Any) -> Any:
    try:
        return None if rows is None else rows.loc[:, columns] if hasattr(rows, "loc") else np.asarray(rows)[:, columns]
    except Exception:  # columns by name of rows without names, or the other way round
        return None


ARRAYS = (
    ("coefs_", "intercepts_"),  # networks
    ("dual_coef_", "intercept_"),  # support vectors
    ("coef_", "intercept_"),  # linear models
    ("theta_", "var_", "class_prior_"),  # Gaussian naive Bayes
    ("feature_log_prob_", "class_log_prior_"),  # other naive Bayes
)


def fitted_numbers(part: FittedPart) -> int | None:
    """Fitted numbers of a part that answers by itself; None where it has none that are known.

    >>> from sklearn.linear_model import LogisticRegression
    >>> fitted_numbers(FittedPart(LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]), None))
    3
    """
    thing = part.thing
    if callable(getattr(thing, "parameters", None)) and callable(getattr(thing, "state_dict", None)):
        return sum(int(np.prod(tuple(p.shape))) for p in thing.parameters())
    for names in ARRAYS:
        values = [getattr(thing, name, None) for name in names]
        if values[0] is not None:
            return sum(_size(value) for value in values if value is not None)
    return None


def _size(value: Any) -> int:
    if isinstance(value, list):
        return sum(_size(one) for one in value)
    return int(np.prod(value.shape)) if hasattr(value, "shape") else 1
