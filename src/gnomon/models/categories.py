"""Columns of text as the categories that a classifier was trained on: pandas' own types do not survive a csv file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gnomon.core.arrays import Rows, is_frame
from gnomon.models.boosters.columns import coded, found_categories


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
