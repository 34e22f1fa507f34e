"""A normal-inverse-gamma prior for many small samples at once, and what it predicts of the next value.

Each row has a few values of its own, and there are many rows. The rows' means and variances are taken to be drawn from
a prior that all rows share and that is estimated from them (empirical Bayes); integrating them out gives a Student-t
law of one more value, wide where little is known. A row without values keeps the prior.

The variance's prior follows from the moments of the log sample variances (Smyth 2004, who has the same model in
genetics), the mean's from the spread of the rows' means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, log_ndtr, polygamma, stdtr

from gnomon.core.arrays import Floats
from gnomon.stats.laws.moments import GroupMoments, Moments

GUESSED_SHARE = 2.0 / 3.0  # of the variance that lies between rows, where not even two kinds of value tell
GUESSED_FREEDOM = 6.0  # of the variance's prior where no row has two values
MOST_FREEDOM = 1e6  # of the variance's prior: from here on, all rows have one variance
LOG_FLOOR = 1e-8  # of the pooled variance; two values that agree to the last digit have no logarithm of a variance
LEAST_VARIANCE = 1e-100  # smaller ones are none: squared signals divided by them would overflow

Predictive: TypeAlias = Literal["t", "normal"]
_Float64s: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """Normal-inverse-gamma: variance ~ scale * freedom / chi2(freedom), mean | variance ~ N(mean, variance / weight).

    Attributes:
        mean: of the records' means.
        weight: how many models the prior mean is worth.
        scale: the typical variance of a record.
        freedom: how many degrees of freedom the typical variance is worth.
    """

    mean: float
    weight: float
    scale: float
    freedom: float


@dataclass(frozen=True)
class Predicted:
    """Student-t laws of a new model's signal, one a row: location, squared scale, degrees of freedom, (n,) each."""

    location: _Float64s
    variance: _Float64s
    freedom: _Float64s

    def log_density(self, observed: Floats, predictive: Predictive) -> _Float64s:
        """Log density (n,) at the observed signals."""
        squared = (observed - self.location) ** 2 / self.variance
        if predictive == "normal":
            return np.asarray(-0.5 * (squared + np.log(2 * np.pi * self.variance)))
        half = self.freedom / 2.0
        constant = gammaln(half + 0.5) - gammaln(half) - 0.5 * np.log(np.pi * self.freedom * self.variance)
        return np.asarray(constant - (half + 0.5) * np.log1p(squared / self.freedom))

    def log_survival(self, observed: Floats, predictive: Predictive) -> _Float64s:
        """Log probability (n,) of a higher signal than observed."""
        z = (observed - self.location) / np.sqrt(self.variance)
        if predictive == "normal":
            return np.asarray(log_ndtr(-z))
        # Student's tail can underflow only where the freedom is huge, and there it is the normal's.
        tail = stdtr(self.freedom, -z)
        return np.where(tail > 1e-290, np.log(np.maximum(tail, 1e-290)), np.minimum(log_ndtr(-z), np.log(1e-290)))


def predict(moments: Moments, prior: Prior) -> Predicted:
    """The posterior predictive law of one more model's signal, for each row (conjugate update)."""
    count = moments.count
    mean = np.where(count > 0, moments.mean, prior.mean)
    squares = count * np.where(count > 0, moments.variance, 0.0)
    weight = prior.weight + count
    freedom = prior.freedom + count
    location = (prior.weight * prior.mean + count * mean) / weight
    drift = prior.weight * count / weight * (mean - prior.mean) ** 2
    scale = (prior.freedom * prior.scale + squares + drift) / freedom
    return Predicted(location, np.asarray(scale * (1.0 + 1.0 / weight)), np.asarray(freedom))


def estimate_prior(group: Moments, both: GroupMoments) -> Prior:
    """The prior of one group's means and variances, from all rows (empirical Bayes).

    Where no row has two models of the group, the spread within a row is what the other group says, or, with one model
    of each, what the two groups do not share over the rows.
    """
    total, mean = group.overall_variance, group.overall_mean
    if not np.isfinite(total):  # nobody is in this group: take the other's law, which decides nothing
        other = both.outside if group is both.inside else both.inside
        total, mean = other.overall_variance, other.overall_mean
    total = total if np.isfinite(total) and total > LEAST_VARIANCE else 1.0
    scale, freedom = _variance_prior(group)
    if not np.isfinite(scale):
        scale, freedom = total * (1.0 - _shared(both)) * (GUESSED_FREEDOM - 2.0) / GUESSED_FREEDOM, GUESSED_FREEDOM
    return Prior(
        mean=mean if np.isfinite(mean) else 0.0,
        weight=_weight(group, total, scale, freedom),
        scale=scale,
        freedom=freedom,
    )


def _weight(group: Moments, total: float, scale: float, freedom: float) -> float:
    """Variance within rows over variance between them; the mean variance of a row exceeds its typical one."""
    within = group.pooled_variance
    if not np.isfinite(within):
        within = scale * freedom / (freedom - 2.0) if freedom > 2.0 else scale
    return float(np.clip(within / max(total - within, 1e-6 * total), 1e-3, 1e6))


def _variance_prior(group: Moments) -> tuple[float, float]:
    """Typical variance and its degrees of freedom, from the moments of log sample variances; NaN if there are none."""
    several = group.count > 1
    if not several.any():
        return float("nan"), float("nan")
    freedom = group.count[several] - 1.0
    sample = group.variance[several] * group.count[several] / freedom
    logs = np.log(np.maximum(sample, LOG_FLOOR * group.pooled_variance + LEAST_VARIANCE))
    centred = logs - digamma(freedom / 2.0) + np.log(freedom / 2.0)
    excess = float(centred.var() - polygamma(1, freedom / 2.0).mean())
    prior_freedom = MOST_FREEDOM if excess <= 0 else min(MOST_FREEDOM, 2.0 * _inverse_trigamma(excess))
    half = prior_freedom / 2.0
    return float(np.exp(centred.mean() + digamma(half) - np.log(half))), prior_freedom


def _inverse_trigamma(value: float) -> float:
    """The x > 0 whose trigamma is the value, by Newton's method on 1 / trigamma, which is nearly linear."""
    x = 0.5 + 1.0 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1.0 - trigamma / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-10 * x:
            break
    return x


def _shared(both: GroupMoments) -> float:
    """Share of a group's variance that lies between rows, guessed from one value of each group a row; in [0.5, 0.97].

    What two values of one group share is at least what values of the two groups share; the guess is the middle
    between that and everything; two thirds where there are no such rows.
    """
    seen = (both.inside.count > 0) & (both.outside.count > 0)
    if seen.sum() < 3 or both.inside is both.outside:
        return GUESSED_SHARE
    covariance = np.cov(both.inside.mean[seen], both.outside.mean[seen])
    scale = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
    correlation = float(covariance[0, 1]) / scale if scale > 0 else 0.0
    return float(np.clip((1.0 + correlation) / 2.0, 0.5, 0.97))
