"""Which shadow is trained on which row, and what becomes of one that can't be trained or can't answer.

The target's rows are drawn first and apart (`gnomon.auditing.inputs.roles`); shadows are balanced among themselves
only. Drawing both from one balanced matrix gives the membership away: on pure noise, counting a row's shadow
memberships then scores an AUC of 1.

Shadows come in pairs: the second of a pair prefers the rows that the first was not trained on, and pairs are
independent of each other. So every row is IN and OUT of nearly equally many shadows, even with very few of them, and
when shadow i plays the target in a rehearsal, leaving out its partner too leaves shadows that know nothing of it.

A shadow model is trained on other rows than the target, so it may fail where the target did not: a class with too few
rows for the folds inside, a category that only the target saw. It is drawn again with rare classes and categories kept,
first with their share of the rows, then with all of theirs; what still fails is left out, with its partner, as pairs
must stay whole. A few models that are missing change little, many would hide what is wrong with the recipe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Bools, Ints, Rows, is_frame
from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import ModelError, UsageError
from gnomon.core.seeds import Seeds
from gnomon.core.system import too_large
from gnomon.shadow.pool import PoolAnswers


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
        UsageError: the pool is too small for the size, or so many shadow models don't fit in memory.
    """
    if not 0 < size < len(pool):
        raise UsageError(
            f"shadow models of {size} rows cannot be drawn from a pool of {len(pool)}: some rows must stay out; "
            "lower shadow.size, or give more rows"
        )
    most = too_large(2.0 * count * size * np.dtype(np.int64).itemsize)
    if most is not None:
        raise UsageError(f"shadow.count: {count} shadow models of {size} rows: their list alone {most}; ask for fewer")
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


RARE = 20  # rows of a class or category up to which all of them are kept, where a part of them was not enough


def redraw(
    train: Ints, pool: Ints, kept: Sequence[Ints], rng: np.random.Generator, *, whole: bool = False
) -> tuple[Ints, Ints]:
    """Other rows for a shadow that could not be trained or could not answer: rare classes and categories are kept.

    Args:
        train: (k,) positions that it was trained on; as many of them stay as can.
        pool: (p,) positions that shadows may use.
        kept: positions of each class and category; each gets at least its share of the training rows, rounded up.
        rng: source of randomness.
        whole: keep all rows of what has no more than `RARE`.

    Returns:
        Training rows (k,) and test rows (<= k,), both sorted and disjoint.

    >>> rare = np.array([0, 1])
    >>> redraw(np.array([2, 3, 4]), np.arange(6), [rare], np.random.default_rng(0))[0].size
    3
    """
    size, share = len(train), len(train) / len(pool)
    forced = np.empty(0, np.int64)
    for rows in sorted(kept, key=len):
        need = len(rows) if whole and len(rows) <= RARE else min(len(rows), math.ceil(share * len(rows)))
        order = rng.permutation(rows)
        order = order[np.argsort(~np.isin(order, train), kind="stable")]  # its own rows first
        have = int(np.isin(rows, forced).sum())
        further = order[~np.isin(order, forced)][: max(0, need - have)]
        forced = np.concatenate([forced, further])[:size]
    own = rng.permutation(train[~np.isin(train, forced)])
    chosen = np.concatenate([forced, own])[:size]
    rest = rng.permutation(pool[~np.isin(pool, chosen)])
    return np.sort(chosen), np.sort(rest[:size])


MOST_LEFT_OUT = 0.1  # of the shadow models
ATTEMPTS = 2  # with the share of each class and category, then with all rows of what is rare
MOST_CATEGORIES = 200  # different whole numbers in a column that passes for one of categories
REMEDY = (
    'give more rows of rare classes, a recipe that takes categories it never saw (OneHotEncoder(handle_unknown="ignore"'
    ")), fewer folds inside, or larger shadow models ([shadow] size)"
)

Train: TypeAlias = "Callable[[Sequence[Ints], Sequence[int], Sequence[bool]], PoolAnswers]"  # rows, seeds, may fail


@dataclass(frozen=True)
class TrainedShadows:
    """The shadow models that can be used.

    Attributes:
        drawn: rows that each was trained and tested on.
        seeds: of each.
        found: their answers.
        redrawn: for each that was drawn again why, by its number.
        left_out: for each that could not be used why, by its number; their partners are left out too.
    """

    drawn: ShadowRows
    seeds: list[int]
    found: PoolAnswers
    redrawn: dict[int, str] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)


def repair(
    found: PoolAnswers,
    drawn: ShadowRows,
    seeds: Sequence[int],
    train: Train,
    data: Dataset,
    pool: Ints,
    root: Seeds,
    *,
    redrawable: bool = True,
) -> TrainedShadows:
    """The shadow models after those that failed were drawn again or left out.

    Args:
        found: answers of those that did not fail, and why the others did.
        drawn: rows of all of them.
        seeds: of all of them.
        train: trains further ones.
        data: the rows.
        pool: (p,) positions that shadows may use.
        root: the audit's seeds.
        redrawable: whether single rows may be exchanged; not where whole groups are drawn.

    Raises:
        ModelError: more than a tenth of them can't be used.
    """
    count = len(drawn.train)
    rows, tests, failed = list(drawn.train), list(drawn.test), dict(found.failed)
    first, parts = dict(failed), [found]
    places = {i: (0, k) for k, i in enumerate(i for i in range(count) if i not in failed)}
    kept = classes_and_categories(data, pool) if failed and redrawable else []

    def again(numbers: Sequence[int], attempt: int) -> None:
        for i in numbers:
            rng = root.child("shadow", "again", i, attempt).generator()
            rows[i], tests[i] = redraw(drawn.train[i], pool, kept, rng, whole=attempt > 0)
        more = train([rows[i] for i in numbers], [seeds[i] for i in numbers], [True] * len(numbers))
        well = [i for k, i in enumerate(numbers) if k not in more.failed]
        places.update({i: (len(parts), k) for k, i in enumerate(well)})
        failed.update({numbers[k]: reason for k, reason in more.failed.items()})
        for i in well:
            del failed[i]
        parts.append(more)

    for attempt in range(ATTEMPTS if kept else 0):
        if len(failed) == count:  # one of them shows whether other rows help
            again([0], attempt)
        if failed and len(failed) < count:
            again(sorted(failed), attempt)
    if len(failed) > MOST_LEFT_OUT * count:
        i = min(failed)
        again_words = ", though drawn again with rare classes and categories kept" if kept else ""
        raise ModelError(
            f"{len(failed)} of {count} shadow models can't be trained or can't answer{again_words}; the first, a "
            f"shadow model trained on {len(rows[i])} other rows than the target: {failed[i]}; {REMEDY}"
        )
    whole = [i for i in range(count) if i not in failed and (i ^ 1) not in failed]
    return TrainedShadows(
        ShadowRows([rows[i] for i in whole], [tests[i] for i in whole]),
        [seeds[i] for i in whole],
        gather(parts, [places[i] for i in whole]),
        {i: reason for i, reason in first.items() if i in whole},
        failed,
    )


def gather(parts: Sequence[PoolAnswers], places: Sequence[tuple[int, int]]) -> PoolAnswers:
    """Models of several calls as of one: (call, position) for each."""
    if len(parts) == 1 and [k for _, k in places] == list(range(len(parts[0].answers))):
        return parts[0]
    names = parts[0].observed
    return replace(
        parts[0],
        answers=[parts[a].answers[k] for a, k in places],
        keys=[parts[a].keys[k] for a, k in places],
        fresh=[parts[a].fresh[k] for a, k in places],
        seconds=sum(part.seconds for part in parts),
        remade=[file for part in parts for file in part.remade],
        trained_in=[parts[a].trained_in[k] for a, k in places],
        facts=[parts[a].facts[k] for a, k in places],
        observed={name: [parts[a].observed[name][k] for a, k in places] for name in names},
        failed={},
    )


def classes_and_categories(data: Dataset, pool: Ints) -> list[Ints]:
    """Positions of the pool's rows of each class, and of each value of a column that may hold categories."""
    found = _by_value(data.y, pool)
    for column in _columns(data.x):
        found += _by_value(column, pool)
    return found


def _by_value(values: Ints, pool: Ints) -> list[Ints]:
    order = np.argsort(values[pool], kind="stable")
    _, starts = np.unique(values[pool][order], return_index=True)
    return [pool[part] for part in np.split(order, starts[1:])]


def _columns(x: Rows) -> list[Ints]:
    """Columns of text, and of few whole numbers, as codes (n,)."""
    given = [np.asarray(x[name]) for name in x.columns] if is_frame(x) else list(np.asarray(x).T) if x.ndim == 2 else []
    coded = []
    for values in given:
        text = values.dtype.kind not in "biuf"
        if not text and not (np.isfinite(values) & (values == np.round(values))).all():
            continue
        distinct, codes = np.unique(values.astype(str) if text else values, return_inverse=True)
        if text or len(distinct) <= MOST_CATEGORIES:
            coded.append(codes.astype(np.int64))
    return coded
