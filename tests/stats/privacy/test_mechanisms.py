import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from gnomon.core.errors import UsageError
from gnomon.stats.privacy.mechanisms import advantage_bound, gaussian_delta, gaussian_epsilon, gaussian_mu, tpr_bound

EPSILON, RATE, DELTA = st.floats(0, 30), st.floats(0, 1), st.floats(0, 0.5)


def test_published_vectors() -> None:
    assert gaussian_mu(0.1, 0.1) == pytest.approx(2.563103, abs=1e-6)
    assert gaussian_epsilon(1.0, 1e-5) == pytest.approx(4.377178, abs=1e-6)
    assert gaussian_delta(1.0, 1.0) == pytest.approx(0.126937, abs=1e-6)
    assert advantage_bound(1.0) == pytest.approx(0.46212, abs=1e-5)
    # With forty digits: 9.9972561464343003965.
    assert gaussian_epsilon(2.0, 1e-5) == pytest.approx(9.99725614643430, abs=1e-10)


@given(st.floats(0.01, 8), st.floats(1e-12, 0.3))
def test_epsilon_and_delta_are_inverse(mu: float, delta: float) -> None:
    epsilon = gaussian_epsilon(mu, delta)
    if epsilon > 0:
        assert gaussian_delta(mu, epsilon) == pytest.approx(delta, rel=1e-6)
    else:
        assert gaussian_delta(mu, 0.0) <= delta


@given(st.floats(0.05, 5), st.floats(1e-6, 0.999))
def test_mu_is_read_back_from_its_own_trade_off(mu: float, fpr: float) -> None:
    fnr = float(norm.cdf(norm.isf(fpr) - mu))
    if 1e-12 < fnr < 1 - 1e-9:
        assert gaussian_mu(fpr, fnr) == pytest.approx(mu, rel=1e-5, abs=1e-6)


@given(st.floats(0.1, 5), st.floats(0, 1), st.floats(1e-9, 0.1))
def test_gaussian_noise_keeps_its_own_promise(mu: float, fpr: float, delta: float) -> None:
    best_attack = float(norm.sf(norm.isf(fpr) - mu))
    assert best_attack <= tpr_bound(gaussian_epsilon(mu, delta), fpr, delta=delta) + 1e-9


@given(EPSILON, RATE, DELTA)
def test_the_tpr_bound_is_a_rate_and_no_less_than_guessing(epsilon: float, fpr: float, delta: float) -> None:
    bound = tpr_bound(epsilon, fpr, delta=delta)
    assert fpr - 1e-12 <= bound <= 1
    assert bound - fpr <= advantage_bound(epsilon, delta=delta) + 1e-9


@given(st.floats(0, 10), RATE, DELTA)
def test_both_halves_are_one_promise_seen_from_both_sides(epsilon: float, fpr: float, delta: float) -> None:
    # If an attack reaches (FPR, TPR), its mirror reaches (1 - TPR, 1 - FPR): the region is symmetric.
    tpr = tpr_bound(epsilon, fpr, delta=delta)
    assert 1 - fpr <= tpr_bound(epsilon, 1 - tpr, delta=delta) + 1e-9


def test_randomised_response_meets_the_bound() -> None:
    for epsilon in (0.5, 1.0, 4.0):
        q = 1 / (1 + math.exp(-epsilon))
        assert tpr_bound(epsilon, 1 - q) == pytest.approx(q)
        assert advantage_bound(epsilon) == pytest.approx(2 * q - 1)


def test_huge_parameters_do_not_overflow() -> None:
    assert tpr_bound(1e6, 0.5) == 1.0
    assert advantage_bound(1e6, delta=0.1) == pytest.approx(1.0)
    assert np.isfinite(gaussian_epsilon(50.0, 1e-30))
    assert gaussian_delta(1.0, 600.0) == 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: tpr_bound(-1.0, 0.1),
        lambda: tpr_bound(1.0, 1.1),
        lambda: tpr_bound(1.0, 0.1, delta=1.0),
        lambda: gaussian_epsilon(1.0, 0.0),
        lambda: gaussian_epsilon(float("nan"), 1e-5),
        lambda: gaussian_delta(0.0, 1.0),
        lambda: gaussian_mu(-0.1, 0.2),
    ],
)
def test_parameters_outside_their_ranges_are_refused(call) -> None:
    with pytest.raises(UsageError, match="expected"):
        call()
