"""Scores of records in households, with the truth of the population that they come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

Sizes = int | str


@dataclass(frozen=True)
class Drawn:
    """One sample: scores (n,), the truth (n,) and the household of each record (n,)."""

    scores: np.ndarray
    member: np.ndarray
    groups: np.ndarray

    @property
    def sides(self) -> tuple[np.ndarray, np.ndarray]:
        return self.scores[self.member], self.scores[~self.member]


@dataclass(frozen=True)
class Households:
    """Scores N(0, 1), of which a share ``alike`` is the household's; a share of households is remembered.

    Records of a remembered household that were trained on score ``lift`` higher. Households are members as a whole, or
    their records one by one (``mixed``).
    """

    name: str
    alike: float
    remembered: float = 0.0
    lift: float = 0.0
    mixed: bool = False

    @property
    def auc(self) -> float:
        return float(0.5 * (1 - self.remembered) + self.remembered * norm.cdf(self.lift / np.sqrt(2)))

    def above(self, threshold: float) -> float:
        """Share of members at or above a threshold."""
        return float((1 - self.remembered) * norm.sf(threshold) + self.remembered * norm.sf(threshold - self.lift))

    def tpr(self, fpr: float) -> float:
        return self.above(float(norm.isf(fpr)))

    def draw(self, rng: np.random.Generator, n: int, size: Sizes) -> Drawn:
        """About n members and n non-members in households of one size, or of unequal ones."""
        sizes = household_sizes(rng, 2 * n, size)
        groups = np.repeat(np.arange(len(sizes)), sizes)
        inside = rng.permutation(np.arange(len(sizes)) % 2 == 0)
        member = rng.random(len(groups)) < 0.5 if self.mixed else inside[groups]
        known = (rng.random(len(sizes)) < self.remembered)[groups]
        trait = rng.normal(size=len(sizes))[groups]
        own = rng.normal(size=len(groups))
        scores = np.sqrt(self.alike) * trait + np.sqrt(1 - self.alike) * own + self.lift * (known & member)
        return Drawn(scores, member, groups)


def household_sizes(rng: np.random.Generator, rows: int, size: Sizes) -> np.ndarray:
    """Sizes (k,) of households that hold about so many rows: all alike, or "unequal": from 1 to 40, most of them small.

    >>> household_sizes(np.random.default_rng(0), 100, 20)
    array([20, 20, 20, 20, 20])
    """
    if not isinstance(size, str):
        return np.full(rows // size, size)
    drawn = np.minimum(rng.pareto(1.3, rows) + 1, 40).astype(int)
    return drawn[: int(np.searchsorted(np.cumsum(drawn), rows)) + 1]
