"""A booster of another library, in memory, as an estimator."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gnomon.core.arrays import Rows

LIBRARIES = ("xgboost", "lightgbm")


def from_native(thing: Any, x: Rows = None, rows: int | None = None) -> Any:
    """A booster that XGBoost or LightGBM trained by its own function as an estimator; anything else as it is.

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
    if type(thing).__name__ != "Booster" or home not in LIBRARIES:
        return thing
    return import_module(f"gnomon.models.boosters.{home}").adopt(thing, x, rows)
