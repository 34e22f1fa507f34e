"""The blind baseline: can members be told from non-members without asking any model?

Two tests share the error of 2.5 %. A permutation test of all columns, each read in several ways, finds a shift of
single columns and names them. A classifier on all columns finds what only shows in combinations: it learns from one
half of the rows and is judged on the other, and the other way round. The results of the two halves depend on each
other: on noise their mean varies nearly as much as one of them, and an interval from all rows together called 7 % of
clean splits a shift. So the interval is the mean of the halves' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from gnomon.auditing.checks.columns import Columns, Reading, read_columns
from gnomon.auditing.evidence.assemble import copies_of
from gnomon.core.arrays import Floats, Ints, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Finding
from gnomon.core.seeds import Seeds
from gnomon.stats.clusters import split_groups
from gnomon.stats.intervals import Interval
from gnomon.stats.permutation.shift import ShiftTest, find_units, shift_test
from gnomon.stats.roc import auc

BASELINE_ROWS = 4000  # rows of each side that the blind baseline looks at
BASELINE_MARGIN = 0.55  # an AUC of the blind baseline that is surely above this invalidates the comparison
LEVEL = 0.0125  # of each of the two tests: 2.5 % of clean splits are called a shift
NAMED = 5  # columns that a finding names
SHUFFLED = 60  # columns that are shuffled to see whether the classifier rests on them
MORE = 0.05  # of an AUC that all columns must tell more than the best one, to be spoken of
REPEATED = 0.05  # share of rows that are copies of others, from which on these stay together
FOLDS = 5
FEWEST = 20  # rows of each side


@dataclass(frozen=True)
class _Sides:
    """The rows that are looked at: their readings, sides and groups."""

    columns: Columns
    member: Ints  # (n,) 1 or 0
    groups: NDArray[Any] | None
    copies: Ints | None = None  # (n,) equal for the copies of a row on one side

    def splits(self, folds: int, seed: int) -> Iterator[tuple[Ints, Ints]]:
        """Rows to learn from and rows to judge; groups, and the copies of a row, stay together.

        Rows of one person resemble each other, and a classifier that has seen one of them recognises the others.
        """
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

        kind = StratifiedKFold if self.groups is None else StratifiedGroupKFold
        cut = kind(folds, shuffle=True, random_state=seed)
        yield from cut.split(self.columns.numbers, self.member, self.groups)

    def auc(self, scores: Floats, rows: Ints, confidence: float) -> Interval:
        """AUC of scores (r,) of these rows, counted by group."""
        member = self.member[rows] == 1
        groups = split_groups(None if self.groups is None else self.groups[rows], member)
        return auc(scores[member], scores[~member], confidence=confidence, groups=groups)


def check_blind(data: Dataset, roles: Roles, seeds: Seeds) -> Finding | None:
    """Two tests that see the rows only: what they find is no leak of the model."""
    rng = seeds.child("preflight", "baseline").generator()
    parts = [rng.permutation(part)[:BASELINE_ROWS] for part in (roles.members, roles.nonmembers)]
    if min(len(part) for part in parts) < FEWEST:
        return None
    rows = np.concatenate(parts)
    member = np.repeat([1, 0], [len(part) for part in parts])
    x = take_rows(data.x, rows)
    copies = copies_of(x, member == 1)
    if copies is not None and len(np.unique(copies)) > (1 - REPEATED) * len(rows):
        copies = None  # too few to matter, and folds that keep groups together are slow
    groups = copies if data.groups is None else data.groups[rows]
    sides = _Sides(read_columns(x, data.y[rows], rng), member, groups, copies)
    if groups is not None and len(np.unique(groups)) < 2 * FOLDS:
        return None
    test = _test_columns(sides, rng)
    seed = int(rng.integers(2**31))
    together, models = _classify(sides, seed)
    by_column = test.p_value <= LEVEL
    if not by_column and together.low <= 0.5:
        return None
    named = _named(sides.columns.readings, test) if by_column else []
    alone = None if not named else _from_column(sides, named[0], seed)
    if alone is not None and alone.low >= together.low - MORE:
        return _finding(sides, alone, f"sees {named[0].column}{named[0].way} only", named)
    if not named:
        names = _most_used(sides, models, test, rng)
        return _finding(sides, together, "sees the rows only", [], f" Most of it rests on {names}." if names else "")
    return _finding(sides, together, "sees the rows only", named)


def _test_columns(sides: _Sides, rng: np.random.Generator) -> ShiftTest:
    units = find_units(sides.member == 1, sides.groups)
    return shift_test([r.block for r in sides.columns.readings], units, rng)


def _named(readings: list[Reading], test: ShiftTest) -> list[Reading]:
    """The strongest reading of each column that differs; of the strongest columns at all if only all together do."""
    order = np.argsort(-test.strength, kind="stable")
    limit = LEVEL if (test.p_values <= LEVEL).any() else 1.0
    found: dict[str, Reading] = {}
    for i in order:
        if test.p_values[i] <= limit and readings[i].column not in found:
            found[readings[i].column] = readings[i]
    return list(found.values())[:NAMED]


def _classify(sides: _Sides, seed: int) -> tuple[Interval, list[tuple[Any, Ints]]]:
    """AUC of a classifier on all columns, and the two models with the rows that each was judged on."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns, models, found = sides.columns, [], []
    bins = max(2, *(len(np.unique(column)) for column in columns.numbers.T))  # more than values cost, and do nothing
    for learn, judge in sides.splits(2, seed):
        model = HistGradientBoostingClassifier(
            max_iter=40,
            max_leaf_nodes=15,
            max_bins=min(bins, 255),
            random_state=seed,
            categorical_features=columns.categorical,
        )
        numbers = columns.numbers[learn]
        numbers[:, np.isnan(numbers).all(axis=0)] = 0.0  # scikit-learn's trees stumble over a column without a number
        model.fit(numbers, sides.member[learn])
        models.append((model, judge))
        scores = model.predict_proba(columns.numbers[judge])[:, 1]
        found.append(sides.auc(scores, judge, 1 - 2 * LEVEL))
    value, low, high = (float(np.mean([getattr(f, end) for f in found])) for end in ("value", "low", "high"))
    return Interval(value, low, high), models


def _from_column(sides: _Sides, reading: Reading, seed: int) -> Interval:
    """Cross-fitted AUC of one reading; the interval allows for its having been picked among all columns."""
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    block: Any = reading.block if issparse(reading.block) else np.asarray(reading.block)
    scores = np.zeros(len(sides.member))
    for learn, judge in sides.splits(FOLDS, seed):
        model = make_pipeline(StandardScaler(with_mean=False), RidgeClassifierCV(alphas=(1.0, 100.0, 10000.0)))
        scores[judge] = model.fit(block[learn], sides.member[learn]).decision_function(block[judge])
    picked = len(set(sides.columns.names))
    return sides.auc(scores, np.arange(len(scores)), 1 - 0.05 / picked)


def _most_used(
    sides: _Sides,
    models: list[tuple[Any, Ints]],
    test: ShiftTest,
    rng: np.random.Generator,
) -> str:
    """The columns whose shuffling costs the classifier most, in words (permutation importance; Breiman, 2001)."""
    strongest: dict[str, float] = {}
    for reading, strength in zip(sides.columns.readings, test.strength, strict=True):
        strongest[reading.column] = max(strength, strongest.get(reading.column, 0.0))
    names = sides.columns.names
    tried = sorted(range(len(names)), key=lambda j: -strongest.get(names[j], 0.0))[:SHUFFLED]
    cost = np.zeros(len(names))
    for model, judge in models:
        x = sides.columns.numbers[judge]
        for j in tried:
            changed = x.copy()
            changed[:, j] = rng.permutation(changed[:, j])
            cost[j] -= sides.auc(model.predict_proba(changed)[:, 1], judge, 0.95).value
        cost[tried] += sides.auc(model.predict_proba(x)[:, 1], judge, 0.95).value
    best = [j for j in np.argsort(-cost, kind="stable")[:2] if cost[j] > 0]
    return " and ".join(names[j] for j in best)


def _repeated(sides: _Sides) -> str:
    """What to do about copies of rows that one side has and the other has not."""
    if sides.copies is None:
        return ""
    parts = [sides.copies[sides.member == side] for side in (0, 1)]
    shares = [1 - len(np.unique(part)) / len(part) for part in parts]
    if abs(shares[1] - shares[0]) < REPEATED:
        return ""
    side = "members" if shares[1] > shares[0] else "non-members"
    return (
        f" {max(shares):.0%} of the {side} are copies of others among them, and {min(shares):.0%} of the other side: "
        "where rows were drawn again, to balance classes say, give each row once."
    )


def _finding(sides: _Sides, estimate: Interval, seen: str, named: list[Reading], more: str = "") -> Finding:
    which, repeated = "", _repeated(sides)
    told = f"AUC {estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}) for a classifier that {seen}"
    if named:
        columns = "; ".join(reading.column + reading.way for reading in named)
        which = f" What differs: {columns}."
        told = told if estimate.low > 0.5 else f"a permutation test finds it in {columns}"
    return Finding(
        code="distribution-shift",
        title=f"members differ from non-members without any model: {told}",
        severity="error" if estimate.low > BASELINE_MARGIN else "warning",
        explanation="Members and non-members do not come from one source, so an attack may find members by their "
        f"looks. What it finds then says nothing about the model.{which}{more}",
        remedy="Split one source at random into members and non-members before training." + repeated,
    )
