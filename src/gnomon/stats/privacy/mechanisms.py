"""What differential privacy promises about any attack, for Gaussian noise: from error rates to mu, and on to epsilon.

A mechanism is (epsilon, delta)-private if for every attack ``TPR <= e^epsilon * FPR + delta`` and
``TNR <= e^epsilon * FNR + delta``. Every function takes and gives natural epsilons.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_ndtr, ndtri

from gnomon.core.errors import UsageError

LARGEST_EPSILON = 700.0  # e^epsilon still fits a float64


def check_privacy(*, epsilon: float = 0.0, delta: float = 0.0) -> None:
    """Checks a pair of privacy parameters.

    Raises:
        UsageError: epsilon negative or not finite, or delta outside [0, 1).
    """
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise UsageError(f"expected epsilon of 0 or more, got epsilon={epsilon}")
    if not 0.0 <= delta < 1.0:
        raise UsageError(f"expected delta in [0, 1) (such as 1e-5), got delta={delta}")


def gaussian_mu(fpr: float, fnr: float) -> float:
    """The mu of Gaussian differential privacy (Dong, Roth & Su, 2022) on whose trade-off curve these error rates lie.

    Args:
        fpr: false-positive rate in [0, 1].
        fnr: false-negative rate in [0, 1].

    Returns:
        ``Phi^-1(1 - fpr) - Phi^-1(fnr)``, 0 if the attack is no better than chance.

    Raises:
        UsageError: a rate outside [0, 1].

    >>> round(gaussian_mu(0.1, 0.1), 6)
    2.563103
    """
    if not (0.0 <= fpr <= 1.0 and 0.0 <= fnr <= 1.0):
        raise UsageError(f"expected rates in [0, 1], got fpr={fpr}, fnr={fnr}")
    if fpr + fnr >= 1.0:
        return 0.0
    return float(-ndtri(fpr) - ndtri(fnr))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The epsilon that a mu-Gaussian-private mechanism has at this delta.

    ``delta = Phi(-epsilon / mu + mu / 2) - e^epsilon * Phi(-epsilon / mu - mu / 2)`` (Balle & Wang, 2018), solved in
    logarithms.

    Args:
        mu: 0 or more.
        delta: in (0, 1); without delta Gaussian noise has no finite epsilon.

    Raises:
        UsageError: a parameter outside its range.

    >>> round(gaussian_epsilon(1.0, 1e-5), 6), round(gaussian_epsilon(2.0, 1e-5), 6)
    (4.377178, 9.997256)
    """
    from scipy.optimize import brentq

    check_privacy(delta=delta)
    if delta == 0.0:
        raise UsageError("expected delta above 0 (such as 1e-5): Gaussian noise has no finite epsilon at delta=0")
    if not (math.isfinite(mu) and mu >= 0):
        raise UsageError(f"expected mu of 0 or more, got mu={mu}")
    if mu == 0.0 or _log_delta(mu, 0.0) <= math.log(delta):
        return 0.0
    high = mu * mu / 2 + mu
    while _log_delta(mu, high) > math.log(delta):
        high *= 2
    return float(brentq(lambda epsilon: _log_delta(mu, epsilon) - math.log(delta), 0.0, high, xtol=1e-12))


def _log_delta(mu: float, epsilon: float) -> float:
    first = float(log_ndtr(-epsilon / mu + mu / 2))
    second = epsilon + float(log_ndtr(-epsilon / mu - mu / 2))
    return first + float(np.log(-np.expm1(min(second - first, -1e-300))))
