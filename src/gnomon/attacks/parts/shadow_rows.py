"""Shadow models for attacks that are trained on them: their order, and the classes that they know enough of."""

from __future__ import annotations

import numpy as np

from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import fingerprint

SAMPLE = 256  # rows whose answers tell two shadows of one mask apart


def in_own_order(shadows: ShadowAnswers) -> ShadowAnswers:
    """The same shadows, sorted by a digest of their masks and of some answers.

    A learned attack draws rows shadow by shadow; without an order of their own, renumbering the shadows would change
    its scores.
    """
    rows = shadows.rows[:SAMPLE]
    digests = [fingerprint(shadows.member[i], np.asarray(shadows.answers[i])[rows]) for i in range(shadows.n_shadows)]
    return shadows.only(np.argsort(digests, kind="stable"))


def judged_classes(pool: ShadowAnswers, n_classes: int, min_rows: int = 1) -> list[int]:
    """Classes that shadows know enough of: at least so many usable rows in, and as many out, over all shadows."""
    inside = np.bincount(pool.labels, weights=(pool.member & pool.usable).sum(axis=0), minlength=n_classes)
    outside = np.bincount(pool.labels, weights=(~pool.member & pool.usable).sum(axis=0), minlength=n_classes)
    return [int(c) for c in np.flatnonzero(np.minimum(inside, outside) >= min_rows)]
