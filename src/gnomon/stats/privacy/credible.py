"""A Bayesian credible interval for epsilon. It is no confidence interval, and must be labelled as what it is.

The interval holds epsilon with 95 % posterior probability under Jeffreys priors on both error rates. How often its
lower end exceeds the true epsilon in repetitions is not promised. Simulated (``benchmarks/null_runs.py``, 1,000 trials
of each kind, a threshold fixed beforehand): 2 % where nothing leaks, 6 and 11 % for randomised response of epsilon 1
and 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv

from gnomon.core.errors import UsageError
from gnomon.stats.intervals import check_confidence
from gnomon.stats.privacy.mechanisms import LARGEST_EPSILON, check_privacy

NODES = 1000  # quadrature nodes in the posterior quantile of the false-positive rate


@dataclass(frozen=True)
class CredibleEpsilon:
    """Equal-tailed Bayesian credible interval for epsilon at this delta and this posterior probability."""

    low: float
    high: float
    delta: float
    credibility: float


def credible_epsilon(
    true_positives: int,
    members: int,
    false_positives: int,
    nonmembers: int,
    *,
    delta: float = 0.0,
    credibility: float = 0.95,
) -> CredibleEpsilon:
    """Credible interval for epsilon (Zanella-Béguelin et al., 2023), with independent Jeffreys priors on FNR and FPR.

    ``low`` has posterior probability ``(1 - credibility) / 2`` below it: so much of the posterior lies where
    ``TPR <= e^low * FPR + delta`` and ``TNR <= e^low * FNR + delta``. It is 0 if the region of epsilon 0 holds that
    much already.

    Args:
        true_positives: members accused, at a threshold that was fixed beforehand.
        members: all members (trials with the record).
        false_positives: non-members accused.
        nonmembers: all non-members (trials without it).
        delta: in [0, 1).
        credibility: posterior probability of the interval, in (0, 1).

    Returns:
        The interval. *Bayesian*: not a bound with an error rate.

    Raises:
        UsageError: counts or parameters outside their ranges.

    >>> interval = credible_epsilon(990, 1000, 10, 1000)
    >>> round(interval.low, 2), round(interval.high, 2)
    (4.28, 5.37)
    """
    if not (0 <= true_positives <= members and 0 <= false_positives <= nonmembers and members and nonmembers):
        raise UsageError(
            "expected 0 <= accused <= all of each kind, and at least one of each, got "
            f"{true_positives} of {members} members and {false_positives} of {nonmembers} non-members"
        )
    check_privacy(delta=delta)
    tail = check_confidence(credibility) / 2
    fnr = (0.5 + members - true_positives, 0.5 + true_positives)
    fpr = (0.5 + false_positives, 0.5 + nonmembers - false_positives)
    # In the quantile of the false-positive rate the posterior is uniform, so the mean over midpoints is its integral.
    nodes = betaincinv(*fpr, (np.arange(NODES) + 0.5) / NODES)

    def mass(epsilon: float) -> float:
        least_fnr = np.maximum(1 - delta - np.exp(epsilon) * nodes, np.exp(-epsilon) * (1 - delta - nodes))
        return float(1 - betainc(*fnr, np.clip(least_fnr, 0, 1)).mean())

    return CredibleEpsilon(_quantile(mass, tail), _quantile(mass, 1 - tail), delta, credibility)


def _quantile(mass: Callable[[float], float], level: float) -> float:
    """The epsilon with so much posterior mass below it."""
    from scipy.optimize import brentq

    if mass(0.0) >= level:
        return 0.0
    high = 1.0
    while mass(high) < level and high < LARGEST_EPSILON / 2:
        high *= 2
    return float(brentq(lambda epsilon: mass(epsilon) - level, 0.0, high, xtol=1e-6))
