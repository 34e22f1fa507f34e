"""XGBoost's own files (JSON and UBJSON), whose recipe is read from their trees.

Such a file holds trees, the objective and the number of rounds, and no other parameter of the training. But trees tell
more: each split keeps the sums of its rows' second derivatives and its own unscaled weight, from which the L2 penalty
and the learning rate follow exactly; the deepest tree shows the depth, and the first tree how many rows it was given.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Rows, is_frame
from gnomon.core.errors import ModelError, import_extra
from gnomon.models.boosters.classifier import BoosterClassifier
from gnomon.models.boosters.columns import KnownColumns, found_categories
from gnomon.models.boosters.xgboost_trees import read_back

BINARY = ("binary:logistic", "binary:logitraw")
PARAMS = (
    "objective", "learning_rate", "eta", "max_depth", "max_leaves", "grow_policy", "min_child_weight", "gamma",
    "min_split_loss", "reg_lambda", "lambda", "reg_alpha", "alpha", "subsample", "sampling_method", "colsample_bytree",
    "colsample_bylevel", "colsample_bynode", "max_delta_step", "scale_pos_weight", "num_parallel_tree", "max_bin",
    "tree_method", "booster", "rate_drop", "skip_drop", "one_drop", "normalize_type", "sample_type", "base_score",
    "max_cat_to_onehot", "max_cat_threshold", "interaction_constraints", "monotone_constraints", "feature_selector",
    "updater", "top_k",
)  # fmt: skip
DEFAULT_SEED = 0  # XGBoost's; a file does not hold another one
MULTI = ("multi:softprob", "multi:softmax")


def library() -> Any:
    """The library.

    Raises:
        MissingExtraError: it is not installed.
    """
    return import_extra("xgboost", "boosting", "an XGBoost model")


class XGBoostClassifier(BoosterClassifier):
    """A booster of XGBoost."""

    def train(self, x: Rows, codes: NDArray[np.int64], n_classes: int) -> Any:
        """As ``xgboost.train``, on one thread."""
        params = {**(self.params or {}), "nthread": 1, "verbosity": 0}
        if self.random_state is not None:
            params["seed"] = self.random_state
        if params["objective"] in MULTI:
            params["num_class"] = n_classes
        return library().train(params, self._matrix(x, codes), self.rounds)

    def margins(self, x: Rows) -> NDArray[np.float64]:
        """Sums over the trees up to the best round."""
        last = _rounds(self.booster_)
        given = self.booster_.predict(self._matrix(x), output_margin=True, iteration_range=(0, last))
        return np.asarray(given, dtype=np.float64)

    def apply(self, x: Rows) -> NDArray[np.int64]:
        """The leaf of each tree that a row reaches, (n, trees)."""
        return np.asarray(self.booster_.predict(self._matrix(x), pred_leaf=True)).astype(np.int64)

    def known_params(self) -> Collection[str]:
        """Parameters of trees and of sampling."""
        return PARAMS

    def write(self, stem: Path) -> Path:
        """As UBJSON."""
        place = stem.with_suffix(".ubj")
        place.write_bytes(self.booster_.save_raw("ubj"))  # a full disk is an OSError then
        return place

    def _matrix(self, x: Rows, codes: NDArray[np.int64] | None = None) -> Any:
        kinds = () if self.columns is None else self.columns.kinds
        further = {} if is_frame(x) or not kinds else {"feature_types": list(kinds)}
        return library().DMatrix(x, codes, enable_categorical=True, nthread=1, **further)


def from_file(place: Path) -> Any:
    """The booster in a file.

    Raises:
        ModelError: no XGBoost model, or damaged.
        MissingExtraError: XGBoost is not installed.
    """
    xgboost = library()
    try:
        return xgboost.Booster(model_file=str(place))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise ModelError(f"not an XGBoost model, or damaged ({_reason(error)})") from error


def adopt(booster: Any, x: Rows = None, rows: int | None = None) -> XGBoostClassifier:
    """A booster as a fitted classifier that holds its recipe.

    Args:
        booster: of a classification.
        x: all rows of the audit: categories of columns of text are theirs.
        rows: how many rows it was trained on, as far as these are known.

    Raises:
        ModelError: it is no classifier.
    """
    held = json.loads(bytes(booster.save_raw("json")))["learner"]
    objective, shape = str(held["objective"]["name"]), held["learner_model_param"]
    questions = int(shape.get("num_target", 1))
    if questions > 1:
        raise ModelError(
            f"it answers {questions} questions at once, and an audit needs one label a row; give the "
            "probabilities of one of them as a function or as files of answers"
        )
    if objective not in (*BINARY, *MULTI):
        raise ModelError(
            f'its objective is "{objective}", and an audit needs one label a row and its probabilities (objectives '
            f"{', '.join((*BINARY, *MULTI))}); give the model's answers as files, or a function"
        )
    n_classes = 2 if objective in BINARY else int(shape["num_class"])
    kinds = tuple(held.get("feature_types") or ())
    names = tuple(held.get("feature_names") or ())
    coded = [name for name, kind in zip(names, kinds, strict=False) if kind == "c"]
    columns = KnownColumns(int(shape["num_feature"]), names, found_categories(x, coded), kinds)
    found = read_back(held, n_classes, _rounds(booster), rows)
    fitted = XGBoostClassifier(found.params, found.rounds, columns, DEFAULT_SEED)
    return fitted.adopt(booster, n_classes, (*found.remarks, *_said(columns, x, booster)))


def _said(columns: KnownColumns, x: Rows, booster: Any) -> tuple[str, ...]:
    said = []
    best = booster.attr("best_iteration")
    if best is not None and int(best) + 1 < booster.num_boosted_rounds():
        said.append(
            f"It answers with its best {int(best) + 1} of {booster.num_boosted_rounds()} rounds, as scikit-learn's "
            "wrapper does."
        )
    if columns.categories and is_frame(x):
        listed = ", ".join(columns.categories)
        said.append(
            f"XGBoost keeps codes of categories, not their names: values of {listed} are coded in sorted order, as "
            "pandas does. A parquet file keeps other codes."
        )
    return tuple(said)


def _rounds(booster: Any) -> int:
    best = booster.attr("best_iteration")
    return int(booster.num_boosted_rounds()) if best is None else int(best) + 1


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Stack trace")]
    return (lines[0] if lines else type(error).__name__)[:200]
