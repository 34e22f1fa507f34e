"""Do stated probabilities of membership come true, beyond what chance and other trainings explain?

Rows are sorted by stated probability into fifths. In each, the share of members (both sides in equal weight) less the
mean of what was stated is the deviation; their covariance is that of sums over independent rows, or over whole groups.
Targets of one recipe differ by more than their rows, and probabilities learned on a few models are themselves
uncertain: both are seen when each of these models is judged by what the others state. The mean of their statistics is
the dispersion that the target's own is divided by (a quasi-likelihood F test; McCullagh & Nelder, 1989, section 4.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc

from gnomon.core.arrays import Bools, Floats
from gnomon.stats.intervals import Interval, check_confidence
from gnomon.stats.risk import stated_by
from gnomon.stats.samples import Doubles, check_scores, split_scores

BANDS = 5
DRAWS = 2000  # of the interval of the error
UNKNOWN_DISPERSION = 4.0  # where one model played the target, so that nothing shows how models differ
UNKNOWN_FREEDOM = 2.0
LEVEL = 0.05  # of the test
TOLERATED = 0.05  # an error that is above this beyond chance is contradicted whatever other trainings would show


@dataclass(frozen=True)
class Deviations:
    """Share of members less stated probability, band by band; sums to the error if signs are left out."""

    values: Doubles  # (k,) weighted by how many rows a band holds
    covariance: Doubles  # (k, k)

    @property
    def error(self) -> float:
        """Expected calibration error: how far stated probabilities lie from shares that come true, on average."""
        return float(np.abs(self.values).sum())

    @property
    def statistic(self) -> float:
        """Squared deviations in units of their variance, per band; near 1 where the statement is true."""
        return float(self.values @ np.linalg.pinv(self.covariance, hermitian=True) @ self.values) / len(self.values)

    def interval(self, confidence: float, rng: np.random.Generator) -> Interval:
        """Interval of the error by the basic parametric bootstrap (Davison & Hinkley, 1997, section 5.2).

        Absolute values never cancel, so noise alone makes an error; where a chi-squared test finds none, the lower end
        is 0.
        """
        alpha = check_confidence(confidence)
        drawn = rng.multivariate_normal(self.values, self.covariance, size=DRAWS, method="eigh")
        low, high = np.quantile(np.abs(drawn).sum(axis=1), [alpha / 2, 1 - alpha / 2])
        value = self.error
        some = float(chdtrc(len(self.values), self.statistic * len(self.values))) <= alpha / 2
        lower = float(np.clip(2 * value - high, 0, value)) if some else 0.0
        return Interval(value, lower, float(np.clip(2 * value - low, value, 1)))


def deviations(probability: ArrayLike, member: ArrayLike, groups: NDArray[np.generic] | None = None) -> Deviations:
    """How far stated probabilities lie from what came true, in fifths of the rows.

    Args:
        probability: stated ``(n,)`` for a prior of one half.
        member: the truth ``(n,)``.
        groups: (n,) the person or household of each row, or None.

    Raises:
        DataError: an empty side, or NaN.

    >>> rng = np.random.default_rng(0)
    >>> stated, truth = np.full(1000, 0.9), np.arange(1000) < 500
    >>> round(deviations(stated, truth).error, 3)  # one half came true
    0.4
    """
    stated, truth = check_scores(probability, source="probability"), np.asarray(member, dtype=bool)
    members, others = split_scores(stated, truth)
    edges = np.unique(np.quantile(stated, np.arange(1, BANDS) / BANDS))
    band = np.searchsorted(edges, stated, side="right")
    inside = band[:, None] == np.unique(band)
    rows = np.where(truth, 0.5 / members.size, 0.5 / others.size)[:, None] * inside * (truth - stated)[:, None]
    centred = rows.copy()
    for side in (truth, ~truth):
        centred[side] -= rows[side].mean(axis=0)
    if groups is not None:
        _, group = np.unique(groups, return_inverse=True)
        centred = np.stack([np.bincount(group, column) for column in centred.T], axis=1)
    units = len(centred)
    least = 0.25 * (0.25 / members.size**2 + 0.25 / others.size**2)  # one row a side that came out the other way
    covariance = centred.T @ centred * units / max(units - 1, 1) + least * np.eye(inside.shape[1])
    return Deviations(rows.sum(axis=0), covariance)


def contradicted(error: Interval, p_value: float) -> bool:
    """Whether what was stated must not be passed on.

    It then differs from what came true by more than a new training would explain, or by more than is of use to anybody.

    Args:
        error: of what was stated, with its interval over the audited rows.
        p_value: of `contradiction`.
    """
    return p_value <= LEVEL or error.low > TOLERATED


def contradiction(found: Deviations, rehearsals: Sequence[tuple[Floats, Bools]]) -> float:
    """P-value of "the audited rows agree with what shadow models stated".

    Args:
        found: of the audited rows.
        rehearsals: scores and truth of each model that played the target, which the statement was learned from.
    """
    bands = len(found.values)
    if len(rehearsals) < 2:
        return float(fdtrc(bands, UNKNOWN_FREEDOM, found.statistic / UNKNOWN_DISPERSION))
    statistics = []
    for i, (scores, member) in enumerate(rehearsals):
        others = [r for j, r in enumerate(rehearsals) if j != i]
        statistics.append(deviations(stated_by(others, scores), member).statistic)
    dispersion = max(1.0, float(np.mean(statistics)))
    return float(fdtrc(bands, len(rehearsals), found.statistic / dispersion))
