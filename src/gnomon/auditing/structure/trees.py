"""Trees: how few training rows a leaf stands for, and whether it discloses their class.

scikit-learn's trees, forests and boosting count the rows of their leaves themselves, and so does LightGBM; XGBoost does
not, and CatBoost not for several classes, so the training rows are sent through their trees.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.structure.parts import FittedPart


@dataclass(frozen=True)
class Trees:
    """All trees of a model together.

    Attributes:
        leaf_rows: training rows of each leaf (of a bootstrap sample: distinct ones).
        pure: leaves that stand for rows of one class only; None where leaves hold no classes (boosting).
        parameters: fitted numbers: two of each inner node, and of each leaf c - 1 (boosting: 1; CatBoost: c for more
            than two classes, and two for each level of a symmetric tree, whose nodes share a cut).
    """

    leaf_rows: NDArray[np.int64]
    pure: int | None
    parameters: int


def read_trees(part: FittedPart) -> Trees | None:
    """The trees that a part holds itself (an ensemble's members are parts of their own); None where it has none."""
    thing = part.thing
    if hasattr(thing, "tree_"):
        return _sklearn(thing)
    if hasattr(thing, "_predictors"):
        return _histogram(thing)
    booster: Any = thing.get_booster() if hasattr(thing, "get_booster") else getattr(thing, "booster_", None)
    if hasattr(booster, "get_dump") and hasattr(thing, "apply"):
        return _xgboost(thing, booster, part.rows)
    if hasattr(thing, "calc_leaf_indexes"):
        return _catboost(thing, part.rows)
    return _lightgbm(booster.dump_model()) if hasattr(booster, "dump_model") else None


def together(trees: list[Trees]) -> Trees | None:
    """Several trees as one."""
    if not trees:
        return None
    pure = [one.pure for one in trees if one.pure is not None]
    return Trees(
        np.concatenate([one.leaf_rows for one in trees]),
        sum(pure) if len(pure) == len(trees) else None,
        sum(one.parameters for one in trees),
    )


def _sklearn(thing: Any) -> Trees:
    tree = thing.tree_
    leaf = tree.children_left == -1
    rows = tree.n_node_samples[leaf].astype(np.int64)
    classes = int(tree.n_classes[0]) if hasattr(thing, "classes_") else 1
    pure = int((np.count_nonzero(tree.value[leaf, 0, :], axis=1) == 1).sum()) if classes > 1 else None
    inner = int((~leaf).sum())
    return Trees(rows, pure, 2 * inner + len(rows) * max(1, classes - 1))


def _histogram(thing: Any) -> Trees:
    nodes = np.concatenate([one.nodes for stage in thing._predictors for one in stage])
    leaf = nodes["is_leaf"].astype(bool)
    rows = nodes["count"][leaf].astype(np.int64)
    return Trees(rows, None, 2 * int((~leaf).sum()) + len(rows))


def _lightgbm(dump: dict[str, Any]) -> Trees:
    leaves: list[int] = []

    def walk(node: dict[str, Any]) -> None:
        if "split_feature" not in node:
            leaves.append(int(node.get("leaf_count", dump.get("num_data", 0))))
            return
        walk(node["left_child"])
        walk(node["right_child"])

    for tree in dump["tree_info"]:
        walk(tree["tree_structure"])
    inner = len(leaves) - len(dump["tree_info"])
    return Trees(np.array(leaves, dtype=np.int64), None, 2 * inner + len(leaves))


def _xgboost(thing: Any, booster: Any, rows: Any) -> Trees | None:
    if rows is None:
        return None
    reached = np.asarray(thing.apply(rows)).reshape(len(rows), -1)
    counts = [np.unique(reached[:, i], return_counts=True)[1] for i in range(reached.shape[1])]
    found = [json.loads(text) for text in booster.get_dump(dump_format="json")]
    leaves = sum(_count_leaves(tree) for tree in found)
    return Trees(np.concatenate(counts).astype(np.int64), None, 2 * (leaves - len(found)) + leaves)


def _catboost(thing: Any, rows: Any) -> Trees | None:
    if rows is None:
        return None
    reached = np.asarray(thing.calc_leaf_indexes(rows)).reshape(-1, thing.tree_count_)
    counts = [np.unique(reached[:, i], return_counts=True)[1] for i in range(reached.shape[1])]
    leaves = [int(count) for count in thing.get_tree_leaf_counts()]  # a symmetric tree has empty ones, too
    cuts = sum(count.bit_length() - 1 if thing._object._is_oblivious() else count - 1 for count in leaves)
    values = sum(map(len, counts)) * (1 if len(thing.classes_) == 2 else len(thing.classes_))
    return Trees(np.concatenate(counts).astype(np.int64), None, 2 * cuts + values)


def _count_leaves(node: dict[str, Any]) -> int:
    children = node.get("children")
    return 1 if not children else sum(_count_leaves(child) for child in children)
