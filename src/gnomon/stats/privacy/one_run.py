"""Lower bound on epsilon from a single training run, with canaries that fair coins put in.

m canaries are each put into the training data by a fair coin of their own. The attacker sees the model and guesses some
of the coins, abstaining on the rest: r guesses, v of them right. Whatever the mechanism, if it is
(epsilon, delta)-private, v is hardly larger than a binomial of r trials with success probability
``e^epsilon / (1 + e^epsilon)`` (Steinke, Nasr & Jagielski, 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, expit, gammaln, log_expit

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.intervals import check_confidence
from gnomon.stats.privacy.mechanisms import LARGEST_EPSILON, check_privacy
from gnomon.stats.samples import check_scores

BISECTIONS = 50
GUESSED_SHARES = (0.01, 0.03, 0.1, 0.3, 1.0)  # of all canaries: the numbers of guesses that are tried by default
FEWEST_GUESSES = 10


@dataclass(frozen=True)
class GuessTrial:
    """One number of guesses, and the bound that it gives at its part of the error."""

    guesses: int  # r
    right: int  # v
    epsilon: float


@dataclass(frozen=True)
class OneRunBound:
    """A lower bound on epsilon from one run, with all that a reader needs to check it."""

    epsilon: float
    ceiling: float  # the largest bound that these canaries could have shown: every guess right
    delta: float
    confidence: float
    canaries: int  # m
    guesses: int  # r
    right: int  # v
    trials: tuple[GuessTrial, ...]  # every number of guesses that was tried; the error is shared out evenly among them

    @property
    def tried(self) -> int:
        """Numbers of guesses that were tried; each got this part of the error."""
        return len(self.trials)


def one_run_p_value(canaries: int, guesses: int, right: int, epsilon: float, *, delta: float = 0.0) -> float:
    """The chance, at most, that an (epsilon, delta)-private training lets so many guesses be right.

    ``min(1, beta + 2 m delta alpha)`` with ``beta = P[Bin(r, q) >= v]``, ``q = 1 / (1 + e^-epsilon)`` and
    ``alpha = max over 1 <= i <= v of P[v > Bin(r, q) >= v - i] / i`` (Steinke et al., 2023, appendix D). Exact to
    rounding for any number of canaries.

    Args:
        canaries: m, each put in by a fair coin.
        guesses: r, at most m.
        right: v, at most r.
        epsilon: 0 or more.
        delta: in [0, 1).

    Returns:
        A p-value in [0, 1].

    Raises:
        UsageError: counts or parameters outside their ranges.

    >>> import math
    >>> round(one_run_p_value(100, 100, 75, math.log(3)), 4)
    0.5535
    """
    _check_counts(canaries, guesses, right)
    check_privacy(epsilon=epsilon, delta=delta)
    return _p_value(canaries, guesses, right, delta)(epsilon)


def one_run_bound_from_scores(
    scores: ArrayLike,
    included: ArrayLike,
    *,
    guesses: Sequence[int] | None = None,
    delta: float = 0.0,
    confidence: float = 0.95,
) -> OneRunBound:
    """The bound from canaries' scores: the highest are guessed "in", as many of the lowest "out", the rest not at all.

    How many to guess must not be chosen by looking; several numbers may be tried, each at its part of the error
    (Bonferroni), and the best bound is given. Tied scores are guessed in the order of the rows, so rows must not be
    sorted by their coins.

    Args:
        scores: of all canaries ``(m,)``, higher = more like a member.
        included: the coins ``(m,)``, True = put in.
        guesses: numbers r to try; by default 1, 3, 10, 30 and 100 % of the canaries, as far as that makes 10 or more.
        delta: in [0, 1).
        confidence: in (0, 1).

    Returns:
        The best bound among those tried.

    Raises:
        DataError: no score, NaN, or a mask that is not boolean.
        UsageError: parameters outside their ranges.

    >>> rng = np.random.default_rng(0)
    >>> coins = rng.random(1000) < 0.5
    >>> bound = one_run_bound_from_scores(rng.normal(size=1000) + 4 * coins, coins)
    >>> round(bound.epsilon, 1), bound.guesses, bound.right
    (4.2, 300, 300)
    """
    array, coins = check_scores(scores, source="scores"), np.asarray(included)
    m = array.size
    if coins.dtype != np.bool_ or coins.shape != array.shape:
        raise DataError(f"expected one True or False a score, {m} of them, got {coins.dtype} of shape {coins.shape}")
    tried = numbers_of_guesses(m) if guesses is None else sorted(set(guesses))
    if not tried:
        raise UsageError("expected at least one number of guesses, got none")
    order = np.argsort(array, kind="stable")
    alpha = check_confidence(confidence) / len(tried)
    found = []
    for r in tried:
        _check_counts(m, r, 0)
        accused, cleared = order[m - (r - r // 2) :], order[: r // 2]
        right = int(np.count_nonzero(coins[accused])) + int(np.count_nonzero(~coins[cleared]))
        found.append(GuessTrial(r, right, _largest_refuted(m, r, right, delta, alpha)))
    best = max(found, key=lambda trial: (trial.epsilon, trial.guesses))
    ceiling = one_run_ceiling(m, tried, delta=delta, confidence=confidence)
    return OneRunBound(best.epsilon, ceiling, delta, confidence, m, best.guesses, best.right, tuple(found))


def numbers_of_guesses(canaries: int) -> list[int]:
    """The numbers of guesses that are tried by default: 1, 3, 10, 30 and 100 % of the canaries, from 10 on.

    >>> numbers_of_guesses(500), numbers_of_guesses(4)
    ([15, 50, 150, 500], [4])
    """
    numbers = sorted({round(share * canaries) for share in GUESSED_SHARES})
    return [r for r in numbers if r >= min(FEWEST_GUESSES, canaries)]


def one_run_ceiling(canaries: int, guesses: Sequence[int], *, delta: float = 0.0, confidence: float = 0.95) -> float:
    """The largest bound that so many canaries can show, whatever leaks: every guess right.

    >>> round(one_run_ceiling(1000, [1000]), 3), one_run_ceiling(4, [4])
    (5.809, 0.0)

    Raises:
        UsageError: counts or parameters outside their ranges.
    """
    alpha = check_confidence(confidence) / len(guesses)
    return max(_largest_refuted(canaries, r, r, delta, alpha) for r in guesses)


def _check_counts(canaries: int, guesses: int, right: int) -> None:
    if not (canaries >= 1 and 0 <= right <= guesses <= canaries):
        raise UsageError(
            f"expected 0 <= right <= guesses <= canaries, got right={right}, guesses={guesses}, canaries={canaries}"
        )


def _p_value(canaries: int, guesses: int, right: int, delta: float) -> Callable[[float], float]:
    """The p-value as a function of epsilon; what does not depend on epsilon is computed once."""
    downwards = np.arange(right - 1, -1, -1) if delta > 0 else np.arange(0)
    orders = gammaln(guesses + 1) - gammaln(downwards + 1) - gammaln(guesses - downwards + 1)

    def p_value(epsilon: float) -> float:
        tail = float(betainc(right, guesses - right + 1, expit(epsilon))) if right > 0 else 1.0
        if downwards.size == 0:
            return tail
        log_mass = orders + downwards * log_expit(epsilon) + (guesses - downwards) * log_expit(-epsilon)
        steepest = float((np.cumsum(np.exp(log_mass)) / np.arange(1, right + 1)).max())
        return min(1.0, tail + 2 * canaries * delta * steepest)

    return p_value


def _largest_refuted(canaries: int, guesses: int, right: int, delta: float, alpha: float) -> float:
    """Bisection for the epsilon at which the p-value reaches alpha, from below: the bound is never rounded up."""
    _check_counts(canaries, guesses, right)
    check_privacy(delta=delta)
    p_value = _p_value(canaries, guesses, right, delta)
    low, high = 0.0, 1.0
    if p_value(low) >= alpha:
        return 0.0
    while p_value(high) < alpha:
        low, high = high, 2 * high
        if high > LARGEST_EPSILON:
            return low
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if p_value(middle) < alpha:
            low = middle
        else:
            high = middle
    return low
