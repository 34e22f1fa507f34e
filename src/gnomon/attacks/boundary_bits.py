"""The distance to the decision boundary of bits and categories, from labels alone: the fewest changes to another label.

A member lies farther from where its label ends than a non-member does (Choquette-Choo et al. 2021); between bits there
is nothing to search along as HopSkipJump does. So the search starts at another row, which the target is known to label
otherwise, and takes the differences back, many at once as long as that works and then one by one, while the label stays
another. What is left cannot be taken back, one at a time: an upper bound of the distance that each query makes tighter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.queries import check_counts, mostly_discrete, nearest_otherwise, unfit_rows
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.data.feature_space import Codes, FeatureSpace
from gnomon.core.errors import BudgetError
from gnomon.core.evidence import Evidence, Need, QueryHandle
from gnomon.core.protocols import Attack
from gnomon.stats.signals import correct


@dataclass(frozen=True)
class BoundaryBits(Attack):
    """Fewest features found that must change before the target labels a record otherwise.

    Score: 0 where the record itself is labelled wrongly, else the number of changed features (a one-hot group is one),
    the mean over ``searches`` in other orders, which also parts records of the same distance. Without a query it is the
    distance to the nearest audited row that the target labels otherwise.

    It takes few queries: on shopping baskets (600 bits, overfitted network) a search ends after some 16 a record, and
    more searches add little. For the same queries `noise_robustness` finds more there.

    Attributes:
        queries: most queries a record and search; a record whose search has ended is not asked any more.
        searches: searches for each record, each from the same start.

    >>> BoundaryBits(queries=40, searches=2).wanted
    80
    """

    name: ClassVar[str] = "boundary_bits"
    title: ClassVar[str] = "Label only: fewest changes to another label"
    paper: ClassVar[str] = "Choquette-Choo, Tramer, Carlini, Papernot 2021"
    needs: ClassVar[frozenset[Need]] = frozenset({"labels", "query", "x"})

    queries: int = 60
    searches: int = 1

    def __post_init__(self) -> None:
        check_counts(self, "queries", "searches")

    @property
    def wanted(self) -> int:
        """Most queries for a record."""
        return self.queries * self.searches

    def unfit(self, evidence: Evidence) -> str | None:
        """Whether the rows are numbers, for which `boundary` searches better, sparse, or some numbers are missing."""
        if evidence.require("features").has_missing:
            return "needs rows without missing numbers: a missing one equals no other"
        if mostly_discrete(evidence):
            return unfit_rows(evidence)
        return "needs rows most of whose features are bits or categories; for numbers there is boundary"

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,) of at least 0: changes to another label, 0 where the record's own label is wrong."""
        answers = evidence.require("answers")
        query = evidence.require("query")
        space = evidence.require("features")
        codes = space.encode(evidence.require("x"))
        right = np.flatnonzero(correct(answers, evidence.labels) == 1.0)
        starts = _starts(codes, space, answers.argmax(axis=1), evidence.labels, right, rng)
        scores = np.zeros(len(codes))
        scores[right[starts < 0]] = np.inf  # nothing is labelled otherwise: no boundary was ever seen
        right, starts = right[starts >= 0], starts[starts >= 0]
        found = []
        for _ in range(self.searches if len(right) else 0):
            search = _BitSearch(query, space, codes[right], evidence.labels[right], codes[starts])
            ended = search.run(self.queries, rng)
            found.append(search.distance())
            if not ended:
                break
        scores[right] = np.mean(found, axis=0) if found else 0.0
        return scores

    def notes(self, evidence: Evidence) -> list[str]:
        """How many queries were asked about each record that is labelled rightly (the others cost none)."""
        query = evidence.require("query")
        right = max(1, int(correct(evidence.require("answers"), evidence.labels).sum()))
        cut = "; the budget ended the search" if query.remaining is not None and query.remaining < right else ""
        return [f"{query.asked / right:.1f} queries a record that is labelled rightly ({query.asked:,} in all){cut}"]


@dataclass
class _BitSearch:
    """Rows that the target labels otherwise, drawn ever nearer to their records."""

    query: QueryHandle
    space: FeatureSpace
    codes: Codes  # (n, d) the records
    labels: Ints
    outside: Codes  # (n, d) the nearest row that is known to be labelled otherwise
    needed: Bools = field(init=False)  # (n, d) taking this feature back alone gave the label back
    many: Ints = field(init=False)  # (n,) how many features the next query takes back

    def __post_init__(self) -> None:
        self.outside = self.outside.copy()
        self.needed = np.zeros(self.codes.shape, dtype=np.bool_)
        self.many = np.maximum(1, (self.outside != self.codes).sum(axis=1) // 2)

    def run(self, queries: int, rng: np.random.Generator) -> bool:
        """Asks about all records until nothing is left to try; False if the budget ended before."""
        for _ in range(queries):
            free = (self.outside != self.codes) & ~self.needed
            rows = np.flatnonzero(free.any(axis=1))
            if len(rows) == 0:
                break
            back = self._choose(free[rows], self.many[rows], rng)
            trial = np.where(back, self.codes[rows], self.outside[rows])
            try:
                answers = self.query.ask(self.space.decode(trial))
            except BudgetError:
                return False
            self._learn(rows, back, trial, answers.argmax(axis=1) != self.labels[rows])
        return True

    def distance(self) -> Floats:
        """Features (n,) in which the nearest row that is labelled otherwise differs."""
        return np.asarray((self.outside != self.codes).sum(axis=1), dtype=np.float64)

    @staticmethod
    def _choose(free: Bools, many: Ints, rng: np.random.Generator) -> Bools:
        """So many of the free features of each row, in an order of features that is the same for all rows."""
        order = rng.permutation(free.shape[1])
        back = np.empty_like(free)
        back[:, order] = free[:, order] & (np.cumsum(free[:, order], axis=1, dtype=np.int32) <= many[:, None])
        return back

    def _learn(self, rows: Ints, back: Bools, trial: Codes, otherwise: Bools) -> None:
        """Keeps what is still labelled otherwise; elsewhere fewer features are taken back the next time."""
        self.outside[rows[otherwise]] = trial[otherwise]
        single = back.sum(axis=1) == 1
        self.needed[rows[~otherwise & single]] |= back[~otherwise & single]
        self.many[rows[~otherwise]] = np.maximum(1, self.many[rows[~otherwise]] // 2)


def _starts(
    codes: Codes, space: FeatureSpace, labelled: Ints, labels: Ints, wanted: Ints, rng: np.random.Generator
) -> Ints:
    """For each wanted row the nearest of some rows that are labelled otherwise than it should be; -1 where none is."""
    scale = np.maximum(space.highs - space.lows, 1.0)
    return nearest_otherwise(codes / scale, labelled, labels, wanted, rng)
