"""What stands in the model itself as it stood in the training rows: whole rows, and words and categories that are rare.

Rows are kept by neighbours, support vectors, kernels, Gaussian processes and networks; a rare word may be a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gnomon.auditing.structure.parts import FittedPart
from gnomon.core.arrays import Rows, count_rows, is_frame, is_sparse, row_digests

KEPT = ("_fit_X", "support_vectors_", "X_train_", "X_fit_", "X_", "exemplars_", "cluster_centers_", "components_")
SHARE = 0.9  # of an array's rows that are training rows: then the array is one of training rows
FEWEST = 3
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
    first = _matrix(_flat(_cut(part.rows, 0, 1)))
    if first is None:
        known = [count_rows(array) for name, array in arrays if name in KEPT[:5]]
        return max(known, default=None) if known else None
    fitting = [a for _, a in arrays if a.shape[1] == first.shape[1] and is_sparse(a) == is_sparse(first)]
    own = [set(row_digests(array)) for array in fitting]
    there = _known(frozenset().union(*own), part.rows) if own else set()
    found = 0
    for array, digests in zip(fitting, own, strict=True):
        same = len(digests & there)
        if same >= FEWEST and same >= SHARE * len(digests):
            found = max(found, count_rows(array))
    return found


def _known(wanted: frozenset[bytes], rows: Any) -> set[bytes]:
    """Those of the wanted digests that are of training rows, as these are or as a network takes them."""
    found: set[bytes] = set()
    for start in range(0, count_rows(rows), BLOCK):
        block = _matrix(_flat(_cut(rows, start, start + BLOCK)))
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


def _flat(rows: Any) -> Any:
    """Rows of more dimensions, such as images, as (n, d)."""
    return np.asarray(rows).reshape(len(rows), -1) if len(getattr(rows, "shape", ())) > 2 else rows


def _tensors(thing: Any) -> Iterator[tuple[str, Rows]]:
    """Weights and buffers of a network by name; those of a container are those of its parts, too."""
    if not (callable(getattr(thing, "state_dict", None)) and callable(getattr(thing, "parameters", None))):
        return
    for name, tensor in thing.state_dict().items():
        found = _matrix(_flat(tensor.detach().cpu().numpy())) if hasattr(tensor, "detach") else None
        if found is not None and count_rows(found) >= FEWEST:
            yield name, found


def _arrays(thing: Any) -> Iterator[tuple[str, Rows]]:
    yield from _tensors(thing)
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
