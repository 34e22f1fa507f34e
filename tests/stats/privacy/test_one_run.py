import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.privacy.mechanisms import gaussian_epsilon
from gnomon.stats.privacy.one_run import _largest_refuted, one_run_bound_from_scores, one_run_p_value


def refuted(canaries: int, guesses: int, right: int, delta: float = 0.0) -> float:
    """The largest epsilon that so many guesses refute at 95 %."""
    return _largest_refuted(canaries, guesses, right, delta, 0.05)


def test_published_vectors() -> None:
    # Steinke et al. (2023), appendix D and section 7; printed with three digits, one of them cut off.
    assert refuted(1000, 100, 75, delta=1e-4) == pytest.approx(0.67298, abs=1e-5)
    assert refuted(100_000, 1510, 1439, delta=1e-5) == pytest.approx(2.67585, abs=1e-5)
    assert one_run_p_value(100, 100, 75, math.log(3)) == pytest.approx(0.55347, abs=1e-5)
    assert refuted(1000, 1000, 1000) == pytest.approx(5.80907, abs=1e-5)
    assert refuted(100, 100, 100) == pytest.approx(3.49297, abs=1e-5)


@pytest.mark.parametrize("mutant_canaries", [100, 0])
def test_the_first_vector_tells_mutants_apart(mutant_canaries: int) -> None:
    # 2 r delta instead of 2 m delta, or no delta at all: both claim more than was proved.
    mutant = _bisect(lambda epsilon: slow_p_value(100, 75, epsilon, 2 * mutant_canaries * 1e-4))
    assert abs(mutant - 0.673) > 1e-3
    right = _bisect(lambda epsilon: slow_p_value(100, 75, epsilon, 2 * 1000 * 1e-4))
    assert right == pytest.approx(0.673, abs=1e-3)


def slow_p_value(guesses: int, right: int, epsilon: float, weight: float) -> float:
    """Appendix D word for word, in exact fractions; ``weight`` stands for 2 m delta."""
    whole = 1 << 60
    q = round(float(expit(epsilon)) * whole)
    mass = [math.comb(guesses, k) * q**k * (whole - q) ** (guesses - k) for k in range(guesses + 1)]
    tail = sum(mass[right:])
    steepest = max((Fraction(sum(mass[right - i : right]), i) for i in range(1, right + 1)), default=Fraction(0))
    return float(min(Fraction(1), (tail + Fraction(weight) * steepest) / whole**guesses))


def _bisect(p_value) -> float:
    low, high = 0.0, 8.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if p_value(middle) < 0.05 else (low, middle)
    return low


@settings(max_examples=60)
@given(st.integers(1, 40), st.data())
def test_it_agrees_with_exact_fractions(guesses: int, data: st.DataObject) -> None:
    right, extra = data.draw(st.integers(0, guesses)), data.draw(st.integers(0, 100))
    epsilon, delta = data.draw(st.floats(0, 8)), data.draw(st.sampled_from([0.0, 1e-6, 1e-3]))
    fast = one_run_p_value(guesses + extra, guesses, right, epsilon, delta=delta)
    assert fast == pytest.approx(slow_p_value(guesses, right, epsilon, 2 * (guesses + extra) * delta), rel=1e-9)


def test_it_is_stable_for_a_hundred_thousand_canaries() -> None:
    # Without delta the bound solves q ** r = alpha exactly when every guess is right.
    m = 100_000
    q = 0.05 ** (1 / m)
    assert refuted(m, m, m) == pytest.approx(math.log(q / -math.expm1(math.log(0.05) / m)), rel=1e-7)
    nearly = refuted(m, m, m - 500, delta=1e-7)
    assert 4.5 < nearly < math.log((m - 500) / 500)
    assert refuted(m, m, m, delta=1e-7) > nearly


def test_the_p_value_rises_with_epsilon_and_falls_with_right_guesses() -> None:
    values = [one_run_p_value(500, 200, 150, epsilon, delta=1e-5) for epsilon in np.linspace(0, 5, 60)]
    assert (np.diff(values) >= -1e-15).all()
    bounds = [refuted(500, 200, right, delta=1e-5) for right in range(0, 201, 10)]
    assert (np.diff(bounds) >= 0).all()
    assert bounds[10] == 0.0


def leaky(rng: np.random.Generator, epsilon: float, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Randomised response on the coin of each canary: scores 0 or 1, and noise that breaks ties."""
    coins = rng.random(m) < 0.5
    told = np.where(rng.random(m) < expit(epsilon), coins, ~coins)
    return told + 0.5 * rng.random(m), coins


# A true 5 % shows more than 71 of 1,000 in about 0.1 % of cases; 40 of 500.
def test_on_fair_coins_alone_the_bound_is_positive_in_at_most_5_percent() -> None:
    rng = np.random.default_rng(2)
    positive = sum(one_run_bound_from_scores(*leaky(rng, 0.0, 200)).epsilon > 0 for _ in range(1000))
    assert positive <= 71


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_on_a_known_mechanism_it_seldom_exceeds_the_truth_and_is_not_vacuous(epsilon: float) -> None:
    rng = np.random.default_rng(3)
    bounds = [one_run_bound_from_scores(*leaky(rng, epsilon, 1000), guesses=[1000]).epsilon for _ in range(500)]
    assert sum(bound > epsilon for bound in bounds) <= 40
    assert np.median(bounds) > 0.7 * epsilon
    tried = [one_run_bound_from_scores(*leaky(rng, epsilon, 1000)).epsilon for _ in range(200)]
    assert sum(bound > epsilon for bound in tried) <= 20
    assert np.median(tried) > 0.6 * epsilon


def test_gaussian_noise_within_its_epsilon() -> None:
    # Scores N(coin * mu, 1) are mu-Gaussian-private a coin; the bound at delta must not exceed that epsilon.
    rng, delta = np.random.default_rng(4), 1e-5
    truth = gaussian_epsilon(1.5, delta)
    coins = rng.random((100, 2000)) < 0.5
    bounds = [one_run_bound_from_scores(rng.normal(size=2000) + 1.5 * row, row, delta=delta).epsilon for row in coins]
    assert sum(bound > truth for bound in bounds) <= 12
    assert np.median(bounds) > 0.15 * truth


def test_abstaining_and_both_directions_count() -> None:
    scores, coins = np.arange(100.0), np.arange(100) >= 50
    bound = one_run_bound_from_scores(scores, coins, guesses=[31, 40])
    assert (bound.canaries, bound.guesses, bound.right, bound.tried) == (100, 40, 40, 2)
    flipped = one_run_bound_from_scores(-scores, coins, guesses=[4])
    assert (flipped.right, flipped.epsilon) == (0, 0.0)


def test_what_can_not_be_is_refused() -> None:
    with pytest.raises(UsageError, match="right=3"):
        one_run_p_value(10, 2, 3, 0.0)
    with pytest.raises(UsageError, match="canaries=1"):
        one_run_p_value(1, 2, 1, 0.0)
    with pytest.raises(DataError, match="NaN"):
        one_run_bound_from_scores([np.nan, 1.0], [True, False])
    with pytest.raises(UsageError, match="none"):
        one_run_bound_from_scores([0.0, 1.0], [True, False], guesses=[])
