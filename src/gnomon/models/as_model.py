"""Anything that can answer, as a Model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from gnomon.core.errors import ModelError
from gnomon.core.outputs import Outputs
from gnomon.core.protocols import Model
from gnomon.models.boosters.native import from_native
from gnomon.models.callable import CallableModel
from gnomon.models.sklearn import SklearnModel


def known_classes(thing: Any) -> tuple[Any, ...] | None:
    """The labels that a fitted classifier knows, in the order of its answers; None where it does not name them."""
    known = getattr(thing, "classes_", None)
    if known is None or isinstance(known, list) or np.ndim(known) != 1:
        return None
    return tuple(np.asarray(known).tolist())


def _is_estimator(thing: Any) -> bool:
    """Whether it is one of scikit-learn's kind, which would name its classes once it is fitted."""
    return hasattr(thing, "fit") and hasattr(thing, "get_params")


def known_columns(thing: Any) -> tuple[str, ...] | None:
    """The names of the columns that an estimator was trained on, in its order; None where it does not name them."""
    try:
        names = getattr(thing, "feature_names_in_", None)
    except Exception:  # a property that fails in ways of its own where the estimator is not fitted
        return None
    return None if names is None or np.ndim(names) != 1 else tuple(str(name) for name in names)


def as_model(
    thing: Any,
    classes: Sequence[str],
    outputs: Outputs = "probabilities",
    labels: tuple[Any, ...] | None = None,
) -> Model:
    """Anything that can answer, as a `Model`: a Model, a fitted scikit-learn classifier, or a function of rows.

    Args:
        thing: what shall answer.
        classes: the data set's c class names, in the order of their ids.
        outputs: what a function answers.
        labels: the c labels that a classifier was trained on, in the order of their ids; None: the class names, or
            class ids.

    Raises:
        ModelError: it can't answer, or for another number of classes.

    >>> as_model(lambda x: x, ("no", "yes")).n_classes
    2
    """
    thing = from_native(thing)
    if isinstance(thing, type):
        raise ModelError(f"expected a model, got the class {thing.__name__}; make and fit one first")
    if isinstance(thing, Model):
        if thing.n_classes != len(classes):
            raise ModelError(f"expected a model of {len(classes)} classes, got one of {thing.n_classes}")
        return thing
    if hasattr(thing, "predict_proba") and not hasattr(thing, "classes_") and not _is_estimator(thing):
        return CallableModel(thing.predict_proba, "probabilities", len(classes))  # in the order of the classes
    if hasattr(thing, "predict_proba") or (hasattr(thing, "fit") and hasattr(thing, "predict")):
        return SklearnModel(thing, tuple(classes), labels)
    if hasattr(thing, "state_dict") and hasattr(thing, "parameters"):
        raise ModelError(f"{type(thing).__name__} is a torch module: wrap it in gnomon.models.TorchModel")
    if callable(thing):
        return CallableModel(thing, outputs, len(classes))
    if hasattr(thing, "predict") and not hasattr(thing, "fit") and not hasattr(thing, "get_params"):
        return CallableModel(thing.predict, outputs, len(classes))  # of labels, or what else it predicts
    if getattr(thing, "refit", True) is False:
        raise ModelError(f"{type(thing).__name__} with refit=False holds no fitted model: audit the one that you fit")
    if isinstance(thing, (str, os.PathLike)):
        raise ModelError(f'expected a model, got "{thing}"; gnomon.models.load_model(path, classes) reads a file')
    raise ModelError(
        f"expected a model, a fitted classifier or a function x -> (n, c), got {type(thing).__module__}."
        f"{type(thing).__qualname__}"
    )
