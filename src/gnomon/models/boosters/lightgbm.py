"""LightGBM's own text files, which hold trees, every parameter and the categories of columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from gnomon.core.arrays import Rows, is_frame
from gnomon.core.errors import ModelError, import_extra
from gnomon.models.boosters.classifier import BoosterClassifier
from gnomon.models.boosters.columns import KnownColumns

OBJECTIVES = ("binary", "multiclass")
WORDS = ("boosting", "objective", "data_sample_strategy", "monotone_constraints_method")  # others may name files
SEEDS = (
    "seed", "bagging_seed", "feature_fraction_seed", "extra_seed", "drop_seed", "data_random_seed", "objective_seed",
)  # fmt: skip
NOT_KEPT = (
    "num_iterations", "early_stopping_round", "first_metric_only", "num_class", "num_threads", "verbosity",
    "categorical_feature", "num_machines", "local_listen_port", "time_out", "pre_partition", "two_round", "header",
)  # fmt: skip


def library() -> Any:
    """The library.

    Raises:
        MissingExtraError: it is not installed.
    """
    return import_extra("lightgbm", "boosting", "a LightGBM model")


class LightGBMClassifier(BoosterClassifier):
    """A booster of LightGBM."""

    def train(self, x: Rows, codes: NDArray[np.int64], n_classes: int) -> Any:
        """As ``lightgbm.train``, on one thread; the seeds of its file, or others that follow from ``random_state``."""
        params = {**(self.params or {}), "num_threads": 1, "verbosity": -1}
        if self.random_state is not None and self.random_state != params.get("seed"):
            params = {name: value for name, value in params.items() if name not in SEEDS}
            params["seed"] = self.random_state
        if params["objective"] == "multiclass":
            params["num_class"] = n_classes
        kinds = () if self.columns is None else self.columns.kinds
        coded: Any = [i for i, kind in enumerate(kinds) if kind == "category"]
        if is_frame(x):
            coded = [str(x.columns[i]) for i in coded]
        given = library().Dataset(x, codes, categorical_feature=coded or "auto", free_raw_data=False)
        return library().train(params, given, self.rounds)

    def known_params(self) -> Collection[str]:
        """Those of its file; without any, those that LightGBM's wrapper names."""
        return self.params if self.params and len(self.params) > 1 else library().LGBMClassifier().get_params()

    def write(self, stem: Path) -> Path:
        """As LightGBM's text."""
        place = stem.with_suffix(".txt")
        place.write_text(self.booster_.model_to_string(), encoding="utf-8")  # a full disk is an OSError then
        return place

    def margins(self, x: Rows) -> NDArray[np.float64]:
        """Sums over the trees."""
        params = self.params or {}
        if params.get("boosting") == "rf":  # a forest's mean is one of probabilities
            shares = np.asarray(self.booster_.predict(x, num_threads=1), dtype=np.float64)
            with np.errstate(divide="ignore"):
                return np.asarray(logit(shares)) if shares.ndim == 1 else np.log(shares)
        raw = np.asarray(self.booster_.predict(x, raw_score=True, num_threads=1), dtype=np.float64)
        return raw * float(params.get("sigmoid", 1.0)) if raw.ndim == 1 else raw


def from_file(place: Path) -> Any:
    """The booster in a file.

    Raises:
        ModelError: no LightGBM model, or damaged.
        MissingExtraError: LightGBM is not installed.
    """
    lightgbm = library()
    with place.open("rb") as file:
        if file.read(4) != b"tree":
            raise ModelError('not a LightGBM model: its first line is not "tree"')
    one_thread = {"num_threads": 1, "verbosity": -1}  # it would read on those of the last training: a copy has none
    try:
        lightgbm.Dataset(np.zeros((1, 1)), params=one_thread).construct()
        return lightgbm.Booster(model_file=str(place))
    except (lightgbm.basic.LightGBMError, ValueError, KeyError) as error:
        raise ModelError(f"not a LightGBM model, or damaged ({' '.join(str(error).split())[:200]})") from error


def adopt(booster: Any, x: Rows = None, rows: int | None = None) -> LightGBMClassifier:  # noqa: ARG001 - as the others
    """A booster as a fitted classifier that holds its recipe; it needs neither rows nor their number for that.

    Raises:
        ModelError: it is no classifier.
    """
    head = _head(booster)
    objective = head.get("objective", "none").split()[0]
    if objective not in OBJECTIVES:
        raise ModelError(
            f'its objective is "{objective}", and an audit needs one label a row and probabilities that sum to 1 '
            f"(objectives {', '.join(OBJECTIVES)}); give the model's answers as files, or a function"
        )
    n_classes = 2 if objective == "binary" else int(head["num_class"])
    held = dict(booster.params)
    coded = held.get("categorical_feature") or []
    coded = [int(i) for i in str(coded).strip("[]").split(",")] if coded and coded != "auto" else []
    names = tuple(booster.feature_name())
    kinds = tuple("category" if i in coded else "number" for i in range(len(names)))
    of_frame = booster.pandas_categorical or []
    named = [names[i] for i in coded][: len(of_frame)] if len(of_frame) == len(coded) else []
    columns = KnownColumns(len(names), names, dict(zip(named, of_frame, strict=False)), kinds)
    # the best iteration is the one that it answers with
    best = booster.best_iteration
    rounds = best if best and best > 0 else int(booster.current_iteration())
    params = _kept(held)
    params["objective"] = objective
    fitted = LightGBMClassifier(params, rounds if held else None, columns, params.get("seed"))
    return fitted.adopt(booster, n_classes, (_said(held, rounds),))


def _said(held: Mapping[str, Any], rounds: int) -> str:
    if not held:
        return 'Its file does not hold the parameters; give them and "rounds" in [trainer] params, or a recipe.'
    asked = held.get("num_iterations", rounds)
    fewer = f", where {asked} were asked for," if asked != rounds else ""
    return f"Its file holds every parameter and {rounds} rounds{fewer} by which shadow models are trained."


def _kept(held: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that decide the model, without any that names a file or a machine."""
    return {
        name: value
        for name, value in held.items()
        if name not in NOT_KEPT
        and not name.startswith("gpu_")
        and (not isinstance(value, (str, list)) or name in WORDS or _is_numbers(value))
    }


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, (int, float)) for v in value)


def _head(booster: Any) -> dict[str, str]:
    text: str = booster.model_to_string(num_iteration=1).split("\n\n", 1)[0]
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
