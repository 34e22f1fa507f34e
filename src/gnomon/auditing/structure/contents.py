"""What a fitted model holds: its parts with the rows that reach each, its trees, and what it keeps of its rows.

scikit-learn's trees, forests and boosting count the rows of their leaves themselves, and so does LightGBM; XGBoost does
not, and CatBoost not for several classes, so the training rows are sent through their trees. Rows are kept by
neighbours, support vectors, kernels, Gaussian processes and networks; a rare word or category may be a name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Rows, count_rows, is_frame, is_sparse, row_digests

MOST_DEEP = 12  # estimators in estimators; a model that holds itself ends here
TEMPLATES = ("base_estimator_", "estimator_")  # of an ensemble: what its members were cloned from, never fitted itself
INNER = (*TEMPLATES, "final_estimator_")


@dataclass(frozen=True)
class FittedPart:
    """One fitted part.

    Attributes:
        thing: an estimator, a transformer, a network.
        rows: the training rows as they reach it; None where that is not known.
    """

    thing: Any
    rows: Any

    @property
    def name(self) -> str:
        """Its class."""
        return type(self.thing).__name__


def fitted_parts(model: Any, rows: Any) -> list[FittedPart]:
    """A model and all fitted parts within it, outermost first.

    Args:
        model: fitted: an estimator, pipeline, search, ensemble, or anything else.
        rows: the rows that it was trained on, as it takes them.

    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> model = make_pipeline(StandardScaler(), DecisionTreeClassifier()).fit([[0], [2]], [0, 1])
    >>> [(part.name, part.rows.ravel().tolist()) for part in fitted_parts(model, np.array([[0], [2]]))][1:]
    [('StandardScaler', [0, 2]), ('DecisionTreeClassifier', [-1.0, 1.0])]
    """
    return list(_walk(model, rows, 0))


def _walk(thing: Any, rows: Any, depth: int) -> Iterator[FittedPart]:
    thing = _thawed(thing)
    yield FittedPart(thing, rows)
    if depth >= MOST_DEEP:
        return
    for inner, reach in inner_parts(thing, rows):
        yield from _walk(inner, reach, depth + 1)


def _thawed(thing: Any) -> Any:
    """What scikit-learn's FrozenEstimator keeps from being fitted again; anything else as it is."""
    for _ in range(MOST_DEEP):
        if type(thing).__name__ != "FrozenEstimator":
            break
        thing = thing.estimator
    return thing


def inner_parts(thing: Any, rows: Any) -> Iterator[tuple[Any, Any]]:
    """What a part is made of, each with the rows that reach it."""
    if hasattr(thing, "best_estimator_"):
        yield thing.best_estimator_, rows
    elif hasattr(thing, "steps"):
        for _, step in thing.steps:
            if step is None or isinstance(step, str):
                continue
            yield step, rows
            rows = _transformed(step, rows)
    elif hasattr(thing, "transformers_"):
        for _, step, columns in thing.transformers_:
            if not isinstance(step, str):
                yield step, _columns(rows, columns)
    elif hasattr(thing, "calibrated_classifiers_"):
        for one in thing.calibrated_classifiers_:
            yield one.estimator, rows
    elif hasattr(thing, "estimators_"):
        features = getattr(thing, "estimators_features_", None)
        for i, one in enumerate(_flat(thing.estimators_)):
            yield one, rows if features is None or rows is None else _columns(rows, features[i])
    for name in INNER:
        if name in TEMPLATES and hasattr(thing, "estimators_"):
            continue
        inner = vars(thing).get(name) if hasattr(thing, "__dict__") else None
        if inner is not None and not isinstance(inner, (str, type)) and vars(inner):
            yield inner, rows


def _flat(found: Any) -> list[Any]:
    items = np.ravel(np.asarray(found, dtype=object)).tolist() if isinstance(found, np.ndarray) else list(found)
    return [one for item in items for one in (item if isinstance(item, list) else [item]) if not isinstance(one, str)]


def _transformed(step: Any, rows: Any) -> Any:
    try:
        return None if rows is None else step.transform(rows)
    except Exception:  # a step that can't transform these rows: nothing is known of what reaches the next one
        return None


def _columns(rows: Any, columns: Any) -> Any:
    try:
        return None if rows is None else rows.loc[:, columns] if hasattr(rows, "loc") else np.asarray(rows)[:, columns]
    except Exception:  # columns by name of rows without names, or the other way round
        return None


ARRAYS = (
    ("coefs_", "intercepts_"),  # networks
    ("dual_coef_", "intercept_"),  # support vectors
    ("coef_", "intercept_"),  # linear models
    ("theta_", "var_", "class_prior_"),  # Gaussian naive Bayes
    ("feature_log_prob_", "class_log_prior_"),  # other naive Bayes
)


def fitted_numbers(part: FittedPart) -> int | None:
    """Fitted numbers of a part that answers by itself; None where it has none that are known.

    >>> from sklearn.linear_model import LogisticRegression
    >>> fitted_numbers(FittedPart(LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]), None))
    3
    """
    thing = part.thing
    if callable(getattr(thing, "parameters", None)) and callable(getattr(thing, "state_dict", None)):
        return sum(int(np.prod(tuple(p.shape))) for p in thing.parameters())
    for names in ARRAYS:
        values = [getattr(thing, name, None) for name in names]
        if values[0] is not None:
            return sum(_size(value) for value in values if value is not None)
    return None


def _size(value: Any) -> int:
    if isinstance(value, list):
        return sum(_size(one) for one in value)
    return int(np.prod(value.shape)) if hasattr(value, "shape") else 1


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


KEPT = ("_fit_X", "support_vectors_", "X_train_", "X_fit_", "X_", "exemplars_", "cluster_centers_", "components_")
TRAINING_SHARE = 0.9  # of an array's rows that are training rows: then the array is one of training rows
FEWEST_ROWS = 3
BLOCK = 1024  # rows that are compared at once: images of bytes take many times their size meanwhile


def stored_rows(part: FittedPart) -> int | None:
    """Training rows that an array in a part holds exactly; None where the rows that reach the part are unknown.

    An array counts if it has the width of the rows and nearly all of its rows are training rows; weights that happen
    to equal a row do not.

    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> rows = np.arange(12.0).reshape(6, 2)
    >>> stored_rows(FittedPart(KNeighborsClassifier().fit(rows, [0, 1, 0, 1, 0, 1]), rows))
    6
    """
    arrays = list(_arrays(part.thing))
    if not arrays:
        return 0
    first = _matrix(_flat_rows(_cut(part.rows, 0, 1)))
    if first is None:
        known = [count_rows(array) for name, array in arrays if name in KEPT[:5]]
        return max(known, default=None) if known else None
    fitting = [a for _, a in arrays if a.shape[1] == first.shape[1] and is_sparse(a) == is_sparse(first)]
    own = [set(row_digests(array)) for array in fitting]
    there = _known(frozenset().union(*own), part.rows) if own else set()
    found = 0
    for array, digests in zip(fitting, own, strict=True):
        same = len(digests & there)
        if same >= FEWEST_ROWS and same >= TRAINING_SHARE * len(digests):
            found = max(found, count_rows(array))
    return found


def _known(wanted: frozenset[bytes], rows: Any) -> set[bytes]:
    """Those of the wanted digests that are of training rows, as these are or as a network takes them."""
    found: set[bytes] = set()
    for start in range(0, count_rows(rows), BLOCK):
        block = _matrix(_flat_rows(_cut(rows, start, start + BLOCK)))
        assert block is not None
        found |= wanted & set(row_digests(block))
        if not is_sparse(block):  # a network holds float32, and images of bytes as shares of 255
            found |= wanted & set(row_digests(_narrowed(block)))
            if getattr(rows, "dtype", None) == np.uint8:
                found |= wanted & set(row_digests(_narrowed(block / 255)))
    return found


def _cut(rows: Any, start: int, stop: int) -> Any:
    """Some rows of a table, an array, a list; None where there are none."""
    if rows is None:
        return None
    return rows.iloc[start:stop] if is_frame(rows) else rows[start:stop]


def _narrowed(rows: Rows) -> Rows:
    return np.asarray(rows, dtype=np.float32).astype(np.float64)


def _flat_rows(rows: Any) -> Any:
    """Rows of more dimensions, such as images, as (n, d)."""
    return np.asarray(rows).reshape(len(rows), -1) if len(getattr(rows, "shape", ())) > 2 else rows


def _tensors(thing: Any) -> Iterator[tuple[str, Rows]]:
    """Weights and buffers of a network by name; those of a container are those of its parts, too."""
    if not (callable(getattr(thing, "state_dict", None)) and callable(getattr(thing, "parameters", None))):
        return
    for name, tensor in thing.state_dict().items():
        found = _matrix(_flat_rows(tensor.detach().cpu().numpy())) if hasattr(tensor, "detach") else None
        if found is not None and count_rows(found) >= FEWEST_ROWS:
            yield name, found


def _arrays(thing: Any) -> Iterator[tuple[str, Rows]]:
    yield from _tensors(thing)
    for name, value in (vars(thing) if hasattr(thing, "__dict__") else {}).items():
        if name in KEPT or name.endswith("_"):
            found = _matrix(value)
            if found is not None and count_rows(found) >= FEWEST_ROWS:
                yield name, found


def _matrix(value: Any) -> Rows | None:
    """Numbers (n, d) as float64 with one zero, sparse ones as they are; None for anything else."""
    if is_sparse(value):
        return value.tocsr().astype(np.float64)
    if not hasattr(value, "shape") or len(value.shape) != 2 or 0 in value.shape:
        return None
    try:
        return np.ascontiguousarray(np.asarray(value, dtype=np.float64) + 0.0)
    except (TypeError, ValueError):
        return None


def rare_words(part: FittedPart, fewest: int) -> int | None:
    """Kept words that occur in fewer training rows than ``fewest``; None where no vocabulary or no rows are known.

    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> texts = ["flu", "flu", "flu Ahab"]
    >>> rare_words(FittedPart(CountVectorizer().fit(texts), texts), 2)
    1
    """
    if not hasattr(part.thing, "vocabulary_") or part.rows is None or not hasattr(part.thing, "transform"):
        return None
    try:
        counts = part.thing.transform(part.rows)
    except Exception:  # rows of another kind
        return None
    occur = np.asarray((counts != 0).sum(axis=0)).ravel()
    return int((occur < fewest).sum())


def rare_categories(part: FittedPart, fewest: int) -> int | None:
    """Kept categories that are text and occur in fewer training rows than ``fewest``."""
    categories = getattr(part.thing, "categories_", None)
    if categories is None or part.rows is None:
        return None
    rows = part.rows
    try:
        columns = [rows.iloc[:, i] if hasattr(rows, "iloc") else np.asarray(rows)[:, i] for i in range(len(categories))]
    except Exception:  # fewer columns than kept categories
        return None
    return sum(
        _rare(kept, np.asarray(column, dtype=object), fewest) for kept, column in zip(categories, columns, strict=True)
    )


def _rare(kept: Any, column: Any, fewest: int) -> int:
    there: dict[Any, int] = {}
    for value in column.tolist():
        there[value] = there.get(value, 0) + 1
    return sum(isinstance(one, str) and there.get(one, 0) < fewest for one in kept)
