"""A booster of another library, in memory, as an estimator, and what a plain clone of one would lose.

Where early stopping on rows of its own decided the rounds, a clone has no such rows: it is trained for as many rounds
as its model answers with.
"""

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


def settled_params(estimator: Any) -> dict[str, Any]:
    """Deep parameters that make clones train as the fitted estimator did; empty where a plain clone does.

    They are the rounds that it uses, where early stopping decided them, and what a fit has set in the parameters.

    Args:
        estimator: with ``get_params``; boosted classifiers of XGBoost, LightGBM and CatBoost are found within it too.
    """
    parts = {"": estimator, **{f"{name}__": part for name, part in estimator.get_params(deep=True).items()}}
    found: dict[str, Any] = {}
    for prefix, part in parts.items():
        reader = _READERS.get(type(part).__module__.split(".")[0])
        if reader is not None and hasattr(part, "fit") and hasattr(part, "get_params"):
            found |= {prefix + name: value for name, value in reader(part).items()}
    return found


def _of_xgboost(part: Any) -> dict[str, Any]:
    given = part.get_params()
    # a fit on more than two classes sets this one, and another fit on two of them fails by it
    found: dict[str, Any] = {"objective": "binary:logistic"} if given.get("objective") == "multi:softprob" else {}
    best = getattr(part, "best_iteration", None)  # raises AttributeError where nothing stopped it
    if best is None:
        return found
    found |= {"n_estimators": int(best) + 1, "early_stopping_rounds": None}
    kept = [c for c in given["callbacks"] or () if type(c).__name__ != "EarlyStopping"]
    return found if given["callbacks"] is None else {**found, "callbacks": kept or None}


def _of_lightgbm(part: Any) -> dict[str, Any]:
    if not getattr(part, "fitted_", False):
        return {}
    used = int(part.best_iteration_ or part.n_estimators_)
    given = part.get_params()
    stopping = [name for name in given if name.startswith("early_stopping_round") or name == "n_iter_no_change"]
    if used == given["n_estimators"] and not stopping:
        return {}
    return {"n_estimators": used, **dict.fromkeys(stopping, 0)}


def _of_catboost(part: Any) -> dict[str, Any]:
    trees = getattr(part, "tree_count_", None)
    given = part.get_params()
    names = [name for name in ("iterations", "n_estimators", "num_boost_round", "num_trees") if name in given]
    stopping = [n for n in ("early_stopping_rounds", "od_wait", "od_type", "od_pval", "use_best_model") if n in given]
    if not trees or (trees == given.get(names[0] if names else "iterations", 1000) and not stopping):
        return {}
    rate = part.get_all_params().get("learning_rate")  # else it follows from the rounds
    return {names[0] if names else "iterations": int(trees), "learning_rate": rate, **dict.fromkeys(stopping)}


_READERS = {"xgboost": _of_xgboost, "lightgbm": _of_lightgbm, "catboost": _of_catboost}
