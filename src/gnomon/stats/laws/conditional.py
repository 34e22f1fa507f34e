"""A law of one quantity given others: Student's t whose location and log variance are linear in given columns.

Both are fitted by weighted least squares, in closed form, so that tens of thousands of rows take milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats
from gnomon.stats.laws.student import MOST_FREEDOM, Predicted

RIDGE = 1e-3  # on standardised columns: enough to solve with columns that are copies of each other
MOST_LOG_VARIANCE = 230.0  # either way: where columns lie far from those of the fit, the variance stays a number
SMALLEST_SQUARE = 1e-3  # of the mean squared residual, before the logarithm

_Float64s: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class ConditionalLaw:
    """A fitted law; f columns and an intercept.

    Attributes:
        centre: (f,) subtracted from the columns.
        scale: (f,) by which they are divided.
        location: (f + 1,) coefficients of the location, the intercept first.
        log_variance: (f + 1,) coefficients of the log variance.
        freedom: degrees of freedom of Student's t.
    """

    centre: _Float64s
    scale: _Float64s
    location: _Float64s
    log_variance: _Float64s
    freedom: float

    def log_density(self, columns: Floats, values: Floats) -> _Float64s:
        """Log density (n,) of the values (n,), given the columns (n, f)."""
        design = _with_intercept((np.asarray(columns, dtype=np.float64) - self.centre) / self.scale)
        # Student's t with this squared scale has the variance that was fitted.
        log_variance = np.clip(design @ self.log_variance, -MOST_LOG_VARIANCE, MOST_LOG_VARIANCE)
        squared_scale = np.exp(log_variance) * (self.freedom - 2.0) / self.freedom
        law = Predicted(design @ self.location, squared_scale, np.full(len(design), self.freedom))
        return law.log_density(values, "t")


def fit_conditional_law(columns: Floats, values: Floats, weights: Floats) -> ConditionalLaw:
    """Fits location, log variance and degrees of freedom (from the fourth moment) of values given columns.

    Args:
        columns: (n, f) finite numbers.
        values: (n,) what the law is of.
        weights: (n,) above 0.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(5000, 1))
    >>> law = fit_conditional_law(x, 2.0 * x[:, 0] + np.exp(0.5 * x[:, 0]) * rng.normal(size=5000), np.ones(5000))
    >>> law.location.round(1) + 0.0, law.log_variance[1:].round(1)
    (array([0., 2.]), array([0.9]))
    """
    columns = np.asarray(columns, dtype=np.float64)
    weight: _Float64s = np.asarray(weights, dtype=np.float64) / float(np.mean(weights))
    centre = np.asarray(np.average(columns, axis=0, weights=weight), dtype=np.float64)
    scale = np.sqrt(np.average((columns - centre) ** 2, axis=0, weights=weight))
    scale = np.asarray(np.where(scale > 0, scale, 1.0), dtype=np.float64)
    design = _with_intercept((columns - centre) / scale)
    location = _least_squares(design, values, weight)
    squares = (values - design @ location) ** 2
    typical = float(np.average(squares, weights=weight))
    if typical <= 0.0:
        flat = np.zeros_like(location)
        flat[0] = np.log(np.finfo(float).eps)
        return ConditionalLaw(centre, scale, location, flat, MOST_FREEDOM)
    log_variance = _least_squares(design, np.log(squares + SMALLEST_SQUARE * typical), weight)
    excess = np.average(squares / np.exp(design @ log_variance), weights=weight)
    log_variance[0] += np.log(excess)  # the mean of a logarithm is below the logarithm of the mean
    relative = squares / np.exp(design @ log_variance)
    kurtosis = float(np.average(relative**2, weights=weight))
    freedom = 4.0 + 6.0 / max(kurtosis - 3.0, 6.0 / MOST_FREEDOM)
    return ConditionalLaw(centre, scale, location, log_variance, freedom)


def _with_intercept(columns: _Float64s) -> _Float64s:
    return np.column_stack([np.ones(len(columns)), columns])


def _least_squares(design: _Float64s, values: Floats, weights: _Float64s) -> _Float64s:
    penalty = RIDGE * len(design) * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    weighted = design * weights[:, None]
    return np.asarray(np.linalg.solve(weighted.T @ design + penalty, weighted.T @ np.asarray(values, dtype=np.float64)))
