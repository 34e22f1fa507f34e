"""Words and categories that a model keeps as they stood in the training rows: a rare one may be a name."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnomon.auditing.structure.parts import FittedPart


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
