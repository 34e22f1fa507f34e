"""CatBoost's own files, which hold trees, the parameters that were given, and which columns hold categories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gnomon.core.arrays import Rows
from gnomon.core.errors import ModelError, import_extra

WORDS = (  # parameters that are words; others may name files, folders or machines
    "loss_function", "nan_mode", "grow_policy", "leaf_estimation_method", "boosting_type", "bootstrap_type",
    "auto_class_weights", "score_function", "counter_calc_method", "feature_border_type", "sampling_frequency",
    "sampling_unit", "model_shrink_mode", "leaf_estimation_backtracking",
)  # fmt: skip
NOT_KEPT = (
    "od_wait", "od_pval", "early_stopping_rounds", "use_best_model", "best_model_min_trees", "thread_count", "verbose",
    "save_snapshot", "snapshot_interval", "metric_period", "ignored_features", "class_names", "num_boost_round",
    "n_estimators", "num_trees", "iterations", "allow_writing_files", "random_state", "random_seed", "classes_count",
)  # fmt: skip


def library() -> Any:
    """The library.

    Raises:
        MissingExtraError: it is not installed.
    """
    return import_extra("catboost", "catboost", "a CatBoost model")


def from_file(place: Path) -> Any:
    """The classifier in a file.

    Raises:
        ModelError: no CatBoost model, or damaged.
        MissingExtraError: CatBoost is not installed.
    """
    catboost = library()
    try:
        return catboost.CatBoostClassifier().load_model(str(place))
    except catboost.CatBoostError as error:
        raise ModelError(f"not a CatBoost classifier, or damaged ({' '.join(str(error).split())[:200]})") from error


def adopt(model: Any, x: Rows = None, rows: int | None = None) -> Any:  # noqa: ARG001 - as the others
    """The classifier with a recipe in ``recipe_estimator``: as many trees as it has, and what its file holds.

    Raises:
        ModelError: it is no classifier of one label a row.
    """
    known = getattr(model, "classes_", None)
    if known is None or len(known) < 2:
        loss = model.get_all_params().get("loss_function", "none")
        raise ModelError(
            f'its loss is "{loss}", and an audit needs one label a row and its probabilities (Logloss, MultiClass); '
            "give the model's answers as files, or a function"
        )
    given, used = model.get_params(), model.get_all_params()
    params = {
        name: value
        for name, value in given.items()
        if name not in NOT_KEPT and (not isinstance(value, str) or name in WORDS)
    }
    params |= {
        "learning_rate": used.get("learning_rate", given.get("learning_rate")),  # else it follows from the rounds
        "iterations": model.tree_count_,
        "random_seed": used.get("random_seed", 0),
        "thread_count": 1,
        "verbose": 0,
        "allow_writing_files": False,
    }
    coded = [int(i) for i in model.get_cat_feature_indices()]
    if coded:
        params["cat_features"] = coded
    model.recipe_estimator = library().CatBoostClassifier(**params)
    model.remarks = (
        f"Its file holds the parameters that were given and {model.tree_count_} trees; shadow models grow as many. "
        "Settings that CatBoost chooses by the rows are chosen anew.",
    )
    return model
