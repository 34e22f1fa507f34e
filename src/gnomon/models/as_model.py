"""Anything that can answer, as a Model, and rows as it was trained on them.

Columns of text are the categories of its training: pandas' own types do not survive a csv file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gnomon.core.arrays import Rows, is_frame
from gnomon.core.errors import ModelError
from gnomon.core.outputs import Outputs
from gnomon.core.protocols import Model
from gnomon.models.boosters.columns import coded, found_categories
from gnomon.models.boosters.native import from_native
from gnomon.models.callable import CallableModel
from gnomon.models.sklearn import SklearnModel


def known_classes(thing: Any) -> tuple[Any, ...] | None:
    """The labels that a fitted classifier knows, in the order of its answers; None where it does not name them."""
    known = getattr(thing, "classes_", None)
    if known is None or isinstance(known, list) or np.ndim(known) != 1:
        return None
    return tuple(np.asarray(known).tolist())


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
    estimator = hasattr(thing, "fit") and hasattr(thing, "get_params")  # names its classes once it is fitted
    if hasattr(thing, "predict_proba") and not hasattr(thing, "classes_") and not estimator:
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


def as_trained(thing: Any, x: Rows) -> Rows:
    """Rows whose columns of text are categories, with the codes that a classifier knows; other rows as they are.

    LightGBM's and XGBoost's classifiers and scikit-learn's histogram boosting are trained on columns of pandas'
    category type, and refuse the same values as text.

    Args:
        thing: anything that can answer.
        x: all rows of the audit.

    >>> as_trained(None, np.zeros((1, 2))).shape
    (1, 2)
    """
    if not is_frame(x) or all(_is_known(x[name]) for name in x.columns):
        return x
    found = _categories(getattr(thing, "best_estimator_", thing), x)
    places = [name for name in x.columns if str(name) in found and not _is_known(x[name])]
    return x.assign(**{name: coded(x[name], found[str(name)]) for name in places}) if places else x


def _is_known(column: Any) -> bool:
    """Whether a column is none of text."""
    return column.dtype.kind in "biufmM" or hasattr(column.dtype, "categories")


def _categories(thing: Any, x: Rows) -> Mapping[str, Sequence[Any]]:
    """For each column that was one of categories these in the order of their codes."""
    home = type(thing).__module__.split(".")[0]
    if home == "lightgbm" and hasattr(thing, "booster_"):  # one list for each column that was one of categories
        known = thing.booster_.pandas_categorical or []
        text = [str(name) for name in x.columns if x[name].dtype.kind not in "biufmM"]
        return dict(zip(text, known, strict=True)) if len(text) == len(known) else {}
    if home == "xgboost" and hasattr(thing, "get_booster"):
        kinds = dict(zip(x.columns, thing.get_booster().feature_types or (), strict=False))
        return found_categories(x, [str(name) for name, kind in kinds.items() if kind == "c"])
    encoder = getattr(getattr(thing, "_preprocessor", None), "named_transformers_", {}).get("encoder")
    if encoder is None or not hasattr(thing, "feature_names_in_"):
        return {}
    names = np.asarray(thing.feature_names_in_)[np.asarray(thing.is_categorical_)]
    return {str(name): known.tolist() for name, known in zip(names, encoder.categories_, strict=True)}
