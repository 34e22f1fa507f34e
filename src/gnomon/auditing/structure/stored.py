"""Training rows that stand in the model itself: neighbours, support vectors, kernel and Gaussian-process models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gnomon.auditing.structure.parts import FittedPart
from gnomon.core.arrays import Rows, count_rows, is_sparse, row_digests

KEPT = ("_fit_X", "support_vectors_", "X_train_", "X_fit_", "X_", "exemplars_", "cluster_centers_", "components_")
SHARE = 0.9  # of an array's rows that are training rows: then the array is one of training rows
FEWEST = 3


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
    rows = _matrix(part.rows)
    if rows is None:
        known = [count_rows(array) for name, array in arrays if name in KEPT[:5]]
        return max(known, default=None) if known else None
    there = set(row_digests(rows))
    found = 0
    for _, array in arrays:
        if array.shape[1] != rows.shape[1]:
            continue
        own = set(row_digests(array)) if is_sparse(array) == is_sparse(rows) else set()
        same = len(own & there)
        if same >= FEWEST and same >= SHARE * len(own):
            found = max(found, count_rows(array))
    return found


def _arrays(thing: Any) -> Iterator[tuple[str, Rows]]:
    for name, value in (vars(thing) if hasattr(thing, "__dict__") else {}).items():
        if name in KEPT or name.endswith("_"):
            found = _matrix(value)
            if found is not None and count_rows(found) >= FEWEST:
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
