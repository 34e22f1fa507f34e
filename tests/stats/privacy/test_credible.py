import numpy as np
import pytest

from gnomon.core.errors import UsageError
from gnomon.stats.privacy.credible import credible_epsilon
from gnomon.stats.privacy.epsilon import epsilon_from_counts


@pytest.mark.parametrize(
    ("tp", "n1", "fp", "n0", "delta"),
    [(990, 1000, 10, 1000, 0.0), (60, 100, 5, 200, 1e-2), (600, 1000, 400, 1000, 0.0), (20, 20, 0, 20, 0.0)],
)
def test_it_agrees_with_draws_from_the_posterior(tp: int, n1: int, fp: int, n0: int, delta: float) -> None:
    rng = np.random.default_rng(0)
    fnr = rng.beta(0.5 + n1 - tp, 0.5 + tp, 400_000)
    fpr = rng.beta(0.5 + fp, 0.5 + n0 - fp, 400_000)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.fmax(np.fmax(np.log((1 - fnr - delta) / fpr), np.log((1 - fpr - delta) / fnr)), 0.0)
    low, high = np.quantile(least, [0.025, 0.975])
    interval = credible_epsilon(tp, n1, fp, n0, delta=delta)
    assert interval.low == pytest.approx(low, abs=0.02)
    assert interval.high == pytest.approx(high, rel=0.02)


def test_useless_guesses_start_at_zero() -> None:
    assert credible_epsilon(500, 1000, 500, 1000).low == 0.0
    assert credible_epsilon(0, 10, 10, 10).high == 0.0


def test_it_is_shorter_than_two_binomial_bounds() -> None:
    assert credible_epsilon(990, 1000, 10, 1000).low > epsilon_from_counts(990, 1000, 10, 1000)


def test_swapping_the_worlds_changes_nothing() -> None:
    there, back = credible_epsilon(80, 100, 7, 300), credible_epsilon(293, 300, 20, 100)
    assert there.low == pytest.approx(back.low, abs=1e-4)
    assert there.high == pytest.approx(back.high, abs=1e-3)


def frequency_above(fpr: float, tpr: float, truth: float, runs: int = 250, n: int = 60) -> float:
    rng = np.random.default_rng(1)
    counts = rng.binomial(n, tpr, runs), rng.binomial(n, fpr, runs)
    lows = {pair: credible_epsilon(int(pair[0]), n, int(pair[1]), n).low for pair in set(zip(*counts, strict=True))}
    return float(np.mean([lows[pair] > truth for pair in zip(*counts, strict=True)]))


def test_the_frequency_with_which_it_exceeds_the_truth_is_what_the_docs_say() -> None:
    # Measured, not promised: the maximum of two terms makes a symmetric mechanism look leakier than it is.
    assert frequency_above(0.5, 0.5, 0.0) <= 0.06
    assert 0.02 <= frequency_above(1 / (1 + np.e), np.e / (1 + np.e), 1.0) <= 0.12


def test_counts_that_can_not_be_are_refused() -> None:
    with pytest.raises(UsageError, match="accused"):
        credible_epsilon(3, 2, 0, 1)
