"""Which shadow is trained on which row.

The target's rows are drawn first and apart (`gnomon.auditing.inputs.roles`); shadows are balanced among themselves
only. Drawing both from one balanced matrix gives the membership away: on pure noise, counting a row's shadow
memberships then scores an AUC of 1.

Shadows come in pairs: the second of a pair prefers the rows that the first was not trained on, and pairs are
independent of each other. So every row is IN and OUT of nearly equally many shadows, even with very few of them, and
when shadow i plays the target in a rehearsal, leaving out its partner too leaves shadows that know nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Bools, Ints
from gnomon.core.errors import UsageError


@dataclass(frozen=True)
class ShadowRows:
    """Positions that each of m shadows is trained on, and as many (where there are enough) held out to test it."""

    train: list[Ints]  # m arrays (k,), sorted
    test: list[Ints]  # m arrays (<= k,), sorted, disjoint from the training rows


def draw_shadows(
    pool: Ints, count: int, size: int, rng: np.random.Generator, groups: NDArray[Any] | None = None
) -> ShadowRows:
    """Training and test rows for shadow models, drawn from the attacker's pool.

    Args:
        pool: (p,) positions that shadows may use.
        count: number of shadows m.
        size: training rows k of each; fewer than p, so that something is left out.
        rng: source of randomness.
        groups: (p,) group ids; a shadow is then trained on whole groups (but for one that the size cuts), as a target
            whose members were drawn by group.

    Raises:
        UsageError: the pool is too small for the size.
    """
    if not 0 < size < len(pool):
        raise UsageError(
            f"shadow models of {size} rows cannot be drawn from a pool of {len(pool)}: some rows must stay out; "
            "ask for smaller shadows ([shadow] size), a smaller target (train_size) or give more rows"
        )
    train: list[Ints] = []
    test: list[Ints] = []
    for i in range(count):
        order = rng.permutation(len(pool))
        if groups is not None:
            _, first, group = np.unique(groups[order], return_index=True, return_inverse=True)
            order = order[np.argsort(first[group], kind="stable")]
        order = pool[order]
        if i % 2 == 1:
            seen = np.isin(order, train[-1])
            order = np.concatenate([order[~seen], order[seen]])
        chosen = order[:size]
        rest = rng.permutation(order[size:])
        train.append(np.sort(chosen))
        test.append(np.sort(rest[:size]))
    return ShadowRows(train, test)


def membership(train: Sequence[Ints], rows: Ints) -> Bools:
    """Which of the m shadows was trained on which of the n rows: (m, n)."""
    return np.stack([np.isin(rows, chosen) for chosen in train]) if train else np.zeros((0, len(rows)), bool)
