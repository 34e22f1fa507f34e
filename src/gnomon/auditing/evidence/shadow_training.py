"""Shadow models, and what becomes of one that can't be trained or can't answer.

A shadow model is trained on other rows than the target, so it may fail where the target did not: a class with too few
rows for the folds inside, a category that only the target saw. It is drawn again with rare classes and categories kept,
first with their share of the rows, then with all of theirs; what still fails is left out, with its partner, as pairs
must stay whole. A few models that are missing change little, many would hide what is wrong with the recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from gnomon.core.arrays import Ints, Rows, is_frame
from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import ModelError
from gnomon.core.seeds import Seeds
from gnomon.shadow.masks import ShadowRows, redraw
from gnomon.shadow.pool import PoolAnswers

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
