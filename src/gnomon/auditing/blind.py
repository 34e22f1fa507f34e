"""The blind baseline: can members be told from non-members without asking any model?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Ints, Rows, is_frame, take_rows
from gnomon.core.data import Dataset, Roles
from gnomon.core.record import Finding
from gnomon.core.seeds import Seeds
from gnomon.stats.roc import auc

BASELINE_ROWS = 4000  # rows of each side that the blind baseline looks at
BASELINE_COLUMNS = 800
BASELINE_MARGIN = 0.55  # an AUC of the blind baseline that is surely above this invalidates the comparison
MOST_VALUES = 100  # of a column of text; beyond, its values stand as codes


def check_blind(data: Dataset, roles: Roles, seeds: Seeds) -> Finding | None:
    """A classifier that sees the rows only, cross-fitted: what it finds is no leak of the model."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    rng = seeds.child("preflight", "baseline").generator()
    sides = [rng.permutation(part)[:BASELINE_ROWS] for part in (roles.members, roles.nonmembers)]
    if min(len(side) for side in sides) < 20:
        return None
    rows = np.concatenate(sides)
    member = np.repeat([1, 0], [len(side) for side in sides])
    features = np.column_stack([as_numbers(take_rows(data.x, rows), rng), data.y[rows]])
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=seeds.integer() % 2**32)
    groups = None if data.groups is None else data.groups[rows]
    folds = 2 if groups is None else StratifiedGroupKFold(2)
    scores = cross_val_predict(model, features, member, groups=groups, cv=folds, method="predict_proba")[:, 1]
    estimate = auc(*sides_by_group(scores, member, groups))
    if estimate.low <= 0.5:
        return None
    invalid = estimate.low > BASELINE_MARGIN
    return Finding(
        code="distribution-shift",
        title=f"members differ from non-members without any model: AUC {estimate.value:.3f} "
        f"({estimate.low:.3f} to {estimate.high:.3f}) for a classifier that sees the rows only",
        severity="error" if invalid else "warning",
        explanation="Members and non-members do not come from one source, so an attack may find members by their "
        "looks. What it finds then says nothing about the model.",
        remedy="Split one source at random into members and non-members before training.",
    )


def sides_by_group(scores: Floats, member: Ints, groups: NDArray[Any] | None) -> tuple[Floats, Floats]:
    """Scores of members and of non-members; whole groups where a group's rows stand on one side.

    Rows of one person resemble each other. A classifier that has seen one of them recognises the others, so folds keep
    groups together, and an interval that took them for independent rows would be too sure.
    """
    if groups is not None:
        _, index = np.unique(groups, return_inverse=True)
        share = np.bincount(index, member) / np.bincount(index)
        if ((share == 0) | (share == 1)).all() and 1 < int(share.sum()) < len(share) - 1:
            mean = np.bincount(index, scores) / np.bincount(index)
            return mean[share == 1], mean[share == 0]
    return scores[member == 1], scores[member == 0]


def as_numbers(x: Rows, rng: np.random.Generator, *, one_hot: bool = False) -> NDArray[np.float64]:
    """Rows as numbers (n, columns): text as codes, or as one bit a value where distances are meant.

    Arrays of more than 800 columns are thinned to so many, drawn at random.
    """
    if is_frame(x):
        return np.column_stack([_number_column(np.asarray(x[name]), one_hot=one_hot) for name in x.columns])
    flat = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    if flat.shape[1] > BASELINE_COLUMNS:
        flat = flat[:, np.sort(rng.permutation(flat.shape[1])[:BASELINE_COLUMNS])]
    return flat


def _number_column(column: NDArray[np.generic], *, one_hot: bool) -> NDArray[np.float64]:
    if column.dtype.kind in "biuf":
        return column.astype(np.float64).reshape(-1, 1)
    names, codes = np.unique(column.astype(str), return_inverse=True)
    if not one_hot or len(names) > MOST_VALUES:
        return codes.astype(np.float64).reshape(-1, 1)
    return np.eye(len(names))[codes]
