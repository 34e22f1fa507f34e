"""A booster of another library, in memory, as an estimator."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gnomon.core.arrays import Rows

KINDS = {"xgboost": "Booster", "lightgbm": "Booster", "catboost": "CatBoostClassifier"}


def from_native(thing: Any, x: Rows = None, rows: int | None = None) -> Any:
    """A booster that XGBoost or LightGBM trained by its own function as an estimator; anything else as it is.

    A fitted classifier of CatBoost's comes with its recipe, as from its file.

    Args:
        thing: anything that can answer.
        x: all rows of the audit.
        rows: how many rows it was trained on, as far as these are known.

    Raises:
        ModelError: a booster that is no classifier.

    >>> from_native(3)
    3
    """
    home = type(thing).__module__.split(".")[0]
    if type(thing).__name__ != KINDS.get(home) or (home == "catboost" and not thing.is_fitted()):
        return thing
    if home == "catboost":
        thing = thing.copy()  # the user's own stays as it is
    return import_module(f"gnomon.models.boosters.{home}").adopt(thing, x, rows)
