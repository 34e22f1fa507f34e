"""The training parameters of an XGBoost model, from what its trees keep.

With G and H the sums of first and second derivatives of the rows in a node, XGBoost (Chen and Guestrin, 2016, equation
5) weighs a node by w = -G / (H + lambda), and a leaf answers with eta * w. Every split keeps H and its w, a leaf keeps
H and its answer, and G of a node is the sum of its children's. So lambda follows from splits between splits,

    w_p H_p - w_l H_l - w_r H_r = lambda (w_l + w_r - w_p),

and eta from splits between leaves. That holds without an L1 penalty or a bound on weights; whether it holds shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

EXACT = 1e-3  # relative misfit; files hold float32
LEAST = 1e-4  # what is smaller is 0
LEAST_WEIGHT = 1.0  # XGBoost's default of min_child_weight


@dataclass(frozen=True)
class Readback:
    """What was read of a recipe.

    Attributes:
        params: for ``xgboost.train``.
        rounds: of boosting; None where the recipe can't be read.
        remarks: what was read and what was not, in sentences.
    """

    params: dict[str, Any]
    rounds: int | None
    remarks: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Tree:
    """A tree: for each node its children (-1 for a leaf), weight, answer and sum of second derivatives."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    weight: NDArray[np.float64]
    answer: NDArray[np.float64]
    hessian: NDArray[np.float64]

    @property
    def depth(self) -> int:
        """Number of splits on the longest way down."""
        level = np.zeros(len(self.left), dtype=np.int64)
        for node in np.flatnonzero(self.left >= 0):  # children come after their parents
            level[[self.left[node], self.right[node]]] = level[node] + 1
        return int(level.max(initial=0))


def read_back(held: Mapping[str, Any], n_classes: int, rounds: int, rows: int | None) -> Readback:
    """The recipe of a model.

    Args:
        held: the "learner" of the model's JSON.
        n_classes: number of classes c.
        rounds: of boosting that it answers with.
        rows: how many rows it was trained on, as far as these are known.
    """
    kind = str(held["gradient_booster"]["name"])
    objective = held["objective"]
    params: dict[str, Any] = {"objective": str(objective["name"])}
    if kind != "gbtree":
        return Readback(params, None, (f"Its file does not hold the parameters of {kind}; {MORE}",))
    model = held["gradient_booster"]["model"]
    if any("sum_hessian" not in tree for tree in model["trees"]):
        return Readback(params, None, (f"Its trees answer for all classes at once and keep no trace of it; {MORE}",))
    trees = [_tree(t) for t in model["trees"]]
    penalty = _penalty(trees)
    rate = _rate(trees, 1.0 if penalty is None else penalty)
    if rate is None or (penalty is None and _has_inner(trees)):
        return Readback(params, None, (f"Its learning rate can't be read from its trees; {MORE}",))
    copies = int(model["gbtree_model_param"].get("num_parallel_tree", 1))
    params |= {
        "learning_rate": _short(rate * copies),  # which share it
        "reg_lambda": 1.0 if penalty is None else _short(penalty),
        "max_depth": max((t.depth for t in trees if t.depth), default=6),
        "num_parallel_tree": copies,
        "scale_pos_weight": float(objective.get("reg_loss_param", {}).get("scale_pos_weight", 1)),
    }
    least = min((float(t.hessian[t.left < 0].min()) for t in trees), default=LEAST_WEIGHT)
    if least < LEAST_WEIGHT:
        params["min_child_weight"] = 0.0
    sampled = None if params["scale_pos_weight"] != 1 else _sampled(held, trees, n_classes)
    if rows and sampled is not None and sampled < rows:
        params["subsample"] = min(1.0, round(sampled / rows, 2))
    listed = ", ".join(f"{name} {value:g}" for name, value in params.items() if isinstance(value, (int, float)))
    said = f"Its file holds {rounds} rounds, objective and trees; from these follow {listed}. {MORE_READ}"
    return Readback(params, rounds, (said,))


MORE = 'give them and "rounds" in [trainer] params, or a recipe.'
MORE_READ = (
    "Column sampling, gamma and larger values of min_child_weight leave no trace: where they were set, give them in "
    "[trainer] params. Nor does it hold which number stood for a missing value (missing): leave such fields empty."
)


def _tree(held: Mapping[str, Any]) -> Tree:
    return Tree(
        np.asarray(held["left_children"], dtype=np.int64),
        np.asarray(held["right_children"], dtype=np.int64),
        np.asarray(held["base_weights"], dtype=np.float64),
        np.asarray(held["split_conditions"], dtype=np.float64),
        np.asarray(held["sum_hessian"], dtype=np.float64),
    )


def _splits(trees: list[Tree], *, of_leaves: bool) -> Iterator[tuple[Tree, NDArray[np.int64]]]:
    """Of each tree the splits (k,) whose two children are leaves, or whose children are no leaves."""
    for tree in trees:
        nodes = np.flatnonzero(tree.left >= 0)
        leaves = np.stack([tree.left[tree.left[nodes]] < 0, tree.left[tree.right[nodes]] < 0])
        yield tree, nodes[leaves.all(axis=0) if of_leaves else ~leaves.any(axis=0)]


def _has_inner(trees: list[Tree]) -> bool:
    return any(len(nodes) for _, nodes in _splits(trees, of_leaves=False))


def _penalty(trees: list[Tree]) -> float | None:
    """lambda; None where no split stands between splits, or they do not agree."""
    found = [
        (
            t.weight[t.left[p]] + t.weight[t.right[p]] - t.weight[p],
            t.weight[p] * t.hessian[p]
            - t.weight[t.left[p]] * t.hessian[t.left[p]]
            - t.weight[t.right[p]] * t.hessian[t.right[p]],
        )
        for t, p in _splits(trees, of_leaves=False)
    ]
    return _ratio(found)


def _rate(trees: list[Tree], penalty: float) -> float | None:
    """eta; None where splits do not agree."""
    found = [
        (
            t.weight[p] * (t.hessian[p] + penalty),
            t.answer[t.left[p]] * (t.hessian[t.left[p]] + penalty)
            + t.answer[t.right[p]] * (t.hessian[t.right[p]] + penalty),
        )
        for t, p in _splits(trees, of_leaves=True)
    ]
    return _ratio(found)


def _ratio(pairs: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> float | None:
    """The one number by which all of the first must be multiplied to give the second."""
    first, second = (np.concatenate([pair[i] for pair in pairs] or [np.empty(0)]) for i in (0, 1))
    if not len(first) or not first.any():
        return None
    ratio = float(first @ second / (first @ first))
    misfit = np.abs(second - ratio * first).max() / max(np.abs(second).max(), np.abs(first).max())
    return ratio if misfit < EXACT else None


def _sampled(held: Mapping[str, Any], trees: list[Tree], n_classes: int) -> int | None:
    """How many rows the first tree was given, from the sum of their second derivatives at the common start."""
    text = str(held["learner_model_param"]["base_score"]).strip("[]")
    scores = np.array([float(score) for score in text.split(",")])
    name = str(held["objective"]["name"])
    if name == "binary:logistic":
        share, weight = float(scores[0]), 1.0
    elif name.startswith("multi:"):
        share, weight = float(softmax(np.broadcast_to(scores, n_classes))[0]), 2.0
    else:
        return None
    each = weight * share * (1 - share)
    return round(float(trees[0].hessian[0]) / each) if trees and each > 0 else None


def _short(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) > LEAST else 0.0
