"""Labels for records that have none: the target's own answers (Shokri et al. 2017, section V-C)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.core.answers import Reveal
from gnomon.core.arrays import Ints, Rows, count_rows, take_rows
from gnomon.core.errors import UsageError
from gnomon.synthesis.asking import Ask, Asker

BATCH = 4096


@dataclass(frozen=True)
class Labelled:
    """Records with the labels that the target gave them.

    Attributes:
        x: n rows.
        y: (n,) class ids.
        queries: what the labels cost.
        unseen: names of the classes that the target gave to no record.
    """

    x: Rows
    y: Ints
    queries: int
    unseen: tuple[str, ...]


def label_by_target(
    x: Rows, ask: Ask, classes: tuple[str, ...], *, reveal: Reveal | None = None, budget: int | None = None
) -> Labelled:
    """Asks the target for the class of each record, in batches; a target that reveals labels only will do.

    Args:
        x: (n, ...) rows.
        ask: rows -> natural-log probabilities (n, c), or a query handle.
        classes: the c class names, in the order of their ids.
        reveal: what the target reveals of its answers.
        budget: most queries; one a record.

    Raises:
        UsageError: the budget does not allow one query a record; then nothing is asked.
        ModelError: answers of another shape, NaN, or no log-probabilities.

    >>> def ask(x):
    ...     return np.log(np.where(x > 0.5, [[0.1, 0.9]], [[0.8, 0.2]]))
    >>> label_by_target(np.array([[0.2], [0.7]]), ask, ("no", "yes")).y.tolist()
    [0, 1]
    """
    n = count_rows(x)
    asker = Asker(ask, len(classes), reveal or Reveal(), budget, labels_will_do=True)
    left = asker.left()
    if left is not None and left < n:
        raise UsageError(f"labelling {n} records takes {n} queries, but {left} are left; ask for fewer records")
    labels = [np.zeros(0, dtype=np.int64)]
    for start in range(0, n, BATCH):
        rows = np.arange(start, min(start + BATCH, n))
        labels.append(asker(take_rows(x, rows), len(rows)).argmax(axis=1).astype(np.int64))
    y = np.concatenate(labels)
    seen = np.bincount(y, minlength=len(classes)) > 0
    return Labelled(x, y, asker.asked, tuple(name for name, there in zip(classes, seen, strict=True) if not there))
