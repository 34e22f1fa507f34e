"""The distance to the decision boundary, from labels alone: HopSkipJump for all audited rows at once.

A member lies farther from where its label ends than a non-member does (Choquette-Choo et al. 2021). The distance is
found as Chen, Jordan and Wainwright 2020 do: from a point on the boundary, ask in random directions on which side the
label changes, step that way, and search back along the line to the record. What is found is an upper bound that each
query makes tighter, so the search may end anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.queries import check_counts, mostly_discrete, nearest_otherwise, note_queries, unfit_rows
from gnomon.core.arrays import Bools, Float64s, Floats, Ints
from gnomon.core.data.features import FeatureSpace
from gnomon.core.errors import BudgetError, UsageError
from gnomon.core.evidence import Evidence, Need, QueryHandle
from gnomon.core.protocols import Attack
from gnomon.stats.signals import correct

STEPS = 3  # tries of a step, each half as long as the one before


@dataclass(frozen=True)
class Boundary(Attack):
    """Distance from a record to the nearest point found that the target labels otherwise.

    Score: 0 where the record itself is labelled wrongly, else the L2 distance in units of the columns' spread. Without
    a query it is the distance to the nearest audited row that the target labels otherwise. For rows of numbers (images,
    measurements); bits and categories have nothing in between, there `boundary_bits` searches. Whole numbers are
    asked rounded, so their distances are exact to half a unit a column.

    Attributes:
        rounds: steps along the boundary.
        directions: queries a record for the direction of a step.
        halvings: queries a record for each search along the line to the record.

    >>> Boundary(rounds=2, directions=10, halvings=5).wanted
    43
    """

    name: ClassVar[str] = "boundary"
    title: ClassVar[str] = "Label only: distance to the decision boundary"
    paper: ClassVar[str] = "Choquette-Choo, Tramer, Carlini, Papernot 2021"
    needs: ClassVar[frozenset[Need]] = frozenset({"labels", "query", "x"})

    rounds: int = 4
    directions: int = 20
    halvings: int = 7

    def __post_init__(self) -> None:
        check_counts(self, "rounds", "directions", "halvings")

    @property
    def wanted(self) -> int:
        """Most queries for a record."""
        return self.halvings + self.rounds * (self.directions + STEPS + 1 + self.halvings)

    def unfit(self, evidence: Evidence) -> str | None:
        """Whether the rows are no numbers with something in between, or some of these are missing."""
        if evidence.require("features").has_missing:
            return "needs rows without missing numbers: there is no way in between from a number to none"
        if mostly_discrete(evidence):
            return "needs an array of numbers most of which are no bits and no categories"
        return unfit_rows(evidence)

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,) of at least 0: distance to another label, 0 where the record's own label is wrong."""
        answers = evidence.require("answers")
        query = evidence.require("query")
        x, space = evidence.require("x"), evidence.require("features")
        problem = self.unfit(evidence)
        if problem is not None:
            raise UsageError(f"boundary: {problem}")
        scale = _Scale.of(space, np.asarray(x))
        rows, labelled = scale.shrink(np.asarray(x)), answers.argmax(axis=1)
        right = np.flatnonzero(correct(answers, evidence.labels) == 1.0)
        starts = nearest_otherwise(rows, labelled, evidence.labels, right, rng)
        scores = np.zeros(len(rows))
        reached = starts >= 0
        scores[right[~reached]] = np.inf  # nothing is labelled otherwise: no boundary was ever seen
        right, starts = right[reached], starts[reached]
        if len(right):
            search = _Search(query, scale, rows[right], evidence.labels[right], rows[starts])
            search.run(self, rng)
            scores[right] = search.distance()
        return scores

    def notes(self, evidence: Evidence) -> list[str]:
        """How many queries were asked about each record that is labelled rightly (the others cost none)."""
        right = int(correct(evidence.require("answers"), evidence.labels).sum())
        return note_queries(evidence, self.wanted, right, "the distance to the nearest row of another label")


@dataclass(frozen=True)
class _Scale:
    """Rows as vectors in units of the columns' spread, and back into their legal ranges."""

    spread: Float64s  # (d,)
    low: Float64s
    high: Float64s
    whole: Bools  # (d,) whole numbers only
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @staticmethod
    def of(space: FeatureSpace, x: Floats) -> _Scale:
        flat = x.reshape(len(x), -1).astype(np.float64)
        whole = np.full(flat.shape[1], x.dtype.kind in "biu")
        spread = flat.std(axis=0)
        low, high = flat.min(axis=0), flat.max(axis=0)
        for f in space.features:
            if f.kind in ("integer", "real"):
                low[f.columns[0]], high[f.columns[0]] = f.low, f.high
        return _Scale(np.where(spread > 0, spread, 1.0), low, high, whole, x.shape[1:], x.dtype)

    def shrink(self, x: Floats) -> Float64s:
        return np.asarray(x.reshape(len(x), -1) / self.spread, dtype=np.float64)

    def grow(self, points: Float64s) -> Floats:
        values = np.clip(points * self.spread, self.low, self.high)
        values = np.where(self.whole, np.round(values), values)
        return values.reshape(len(points), *self.shape).astype(self.dtype)


@dataclass
class _Search:
    """Points that the target labels otherwise, drawn ever nearer to their records."""

    query: QueryHandle
    scale: _Scale
    rows: Float64s  # (n, d) the records
    labels: Ints
    outside: Float64s  # (n, d) the nearest point that is known to be labelled otherwise
    inside: Float64s = field(init=False)  # (n, d) the last point on the line to it that kept the label

    def __post_init__(self) -> None:
        self.inside = self.rows.copy()

    def run(self, attack: Boundary, rng: np.random.Generator) -> None:
        """Asks until the rounds are over or the budget is; either way all rows got as many queries."""
        try:
            self._halve(attack.halvings)
            for i in range(attack.rounds):
                self._jump(self._direction(attack.directions, rng), i)
                self._halve(attack.halvings)
        except BudgetError:
            return

    def distance(self) -> Float64s:
        """Distance (n,) to the nearest point that is labelled otherwise."""
        return np.asarray(np.linalg.norm(self.outside - self.rows, axis=1), dtype=np.float64)

    def _otherwise(self, points: Float64s) -> Bools:
        """Whether points (n, d) are labelled otherwise than their records."""
        answers = self.query.ask(self.scale.grow(points))
        return np.asarray(answers.argmax(axis=1) != self.labels)

    def _halve(self, times: int) -> None:
        for _ in range(times):
            middle = (self.inside + self.outside) / 2
            beyond = self._otherwise(middle)[:, None]
            self.outside = np.where(beyond, middle, self.outside)
            self.inside = np.where(beyond, self.inside, middle)

    def _direction(self, count: int, rng: np.random.Generator) -> Float64s:
        """Unit vectors (n, d) towards the other label, estimated at the boundary; the same directions for all rows."""
        d = self.rows.shape[1]
        ways = rng.normal(size=(count, d))
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        reach = self.distance()[:, None] / np.sqrt(d)
        side = np.stack([np.where(self._otherwise(self.outside + reach * way), 1.0, -1.0) for way in ways], axis=1)
        found = (side - side.mean(axis=1, keepdims=True)) @ ways
        flat = (side == side[:, :1]).all(axis=1)  # all on one side: their mean is the best guess
        found[flat] = side[flat] @ ways
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(length > 0, length, 1.0), dtype=np.float64)

    def _jump(self, direction: Float64s, i: int) -> None:
        """A step away from the boundary into the other label, halved until it lands there; then back to the record."""
        step = self.distance()[:, None] / np.sqrt(i + 1.0)
        landed = np.zeros((len(self.rows), 1), dtype=np.bool_)
        target = self.outside.copy()
        for _ in range(STEPS):
            there = ~landed & self._otherwise(self.outside + step * direction)[:, None]
            target = np.where(there, self.outside + step * direction, target)
            landed |= there
            step = np.where(landed, step, step / 2)
        self._nearer(target)

    def _nearer(self, target: Float64s) -> None:
        """Searches the line from the record to a farther point that is labelled otherwise, up to the known distance."""
        away = target - self.rows
        length = np.linalg.norm(away, axis=1, keepdims=True)
        limit = np.minimum(1.0, self.distance()[:, None] / np.where(length > 0, length, 1.0))
        trial = self.rows + limit * away
        better = self._otherwise(trial)[:, None]
        self.outside = np.where(better, trial, self.outside)
        self.inside = np.where(better, self.rows, self.inside)
