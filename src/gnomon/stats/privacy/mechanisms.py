"""What differential privacy promises about any attack: from (epsilon, delta) to rates, and back for Gaussian noise.

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


def tpr_bound(epsilon: float, fpr: float, *, delta: float = 0.0) -> float:
    """The largest true-positive rate that any attack can have at this false-positive rate.

    Args:
        epsilon: 0 or more.
        fpr: false-positive rate in [0, 1].
        delta: in [0, 1).

    Returns:
        A rate in [0, 1]: the lesser of both halves of the definition.

    Raises:
        UsageError: a parameter outside its range.

    >>> round(tpr_bound(1.0, 0.001), 6), tpr_bound(0.0, 0.25)
    (0.002718, 0.25)
    """
    check_privacy(epsilon=epsilon, delta=delta)
    if not 0.0 <= fpr <= 1.0:
        raise UsageError(f"expected fpr in [0, 1], got fpr={fpr}")
    by_members = math.exp(min(epsilon, LARGEST_EPSILON)) * fpr + delta
    by_nonmembers = 1 - math.exp(-epsilon) * (1 - fpr - delta)
    return min(1.0, by_members, by_nonmembers)


def advantage_bound(epsilon: float, *, delta: float = 0.0) -> float:
    """The largest advantage ``TPR - FPR`` of any attack: ``(e^epsilon - 1 + 2 delta) / (e^epsilon + 1)``.

    Raises:
        UsageError: a parameter outside its range.

    >>> round(advantage_bound(1.0), 5)
    0.46212
    """
    check_privacy(epsilon=epsilon, delta=delta)
    return math.tanh(epsilon / 2) + 2 * delta / (math.exp(min(epsilon, LARGEST_EPSILON)) + 1)


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


def gaussian_delta(mu: float, epsilon: float) -> float:
    """The delta that a mu-Gaussian-private mechanism has at this epsilon (Balle & Wang, 2018).

    ``Phi(-epsilon / mu + mu / 2) - e^epsilon * Phi(-epsilon / mu - mu / 2)``, computed in logarithms.

    Args:
        mu: above 0.
        epsilon: 0 or more.

    Returns:
        delta in [0, 1].

    Raises:
        UsageError: a parameter outside its range.

    >>> round(gaussian_delta(1.0, 1.0), 6)
    0.126937
    """
    check_privacy(epsilon=epsilon)
    return math.exp(_log_delta(_check_mu(mu), epsilon))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The epsilon that a mu-Gaussian-private mechanism has at this delta: the inverse of `gaussian_delta`.

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
    if mu == 0.0 or _log_delta(_check_mu(mu), 0.0) <= math.log(delta):
        return 0.0
    high = mu * mu / 2 + mu
    while _log_delta(mu, high) > math.log(delta):
        high *= 2
    return float(brentq(lambda epsilon: _log_delta(mu, epsilon) - math.log(delta), 0.0, high, xtol=1e-12))


def _check_mu(mu: float) -> float:
    if not (math.isfinite(mu) and mu > 0):
        raise UsageError(f"expected mu above 0, got mu={mu}")
    return mu


def _log_delta(mu: float, epsilon: float) -> float:
    first = float(log_ndtr(-epsilon / mu + mu / 2))
    second = epsilon + float(log_ndtr(-epsilon / mu - mu / 2))
    return first + float(np.log(-np.expm1(min(second - first, -1e-300))))
