import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from gnomon.core.errors import UsageError
from gnomon.stats.privacy.mechanisms import gaussian_epsilon, gaussian_mu


def gaussian_delta(mu: float, epsilon: float) -> float:
    """Slow twin: Balle and Wang's formula, without logarithms."""
    return float(norm.cdf(-epsilon / mu + mu / 2) - math.exp(epsilon) * norm.cdf(-epsilon / mu - mu / 2))


def tpr_bound(epsilon: float, fpr: float, delta: float) -> float:
    """Both halves of the definition."""
    return min(1.0, math.exp(epsilon) * fpr + delta, 1 - math.exp(-epsilon) * (1 - fpr - delta))


def test_published_vectors() -> None:
    assert gaussian_mu(0.1, 0.1) == pytest.approx(2.563103, abs=1e-6)
    assert gaussian_epsilon(1.0, 1e-5) == pytest.approx(4.377178, abs=1e-6)
    assert gaussian_delta(1.0, 1.0) == pytest.approx(0.126937, abs=1e-6)
    # With forty digits: 9.9972561464343003965.
    assert gaussian_epsilon(2.0, 1e-5) == pytest.approx(9.99725614643430, abs=1e-10)


@given(st.floats(0.01, 8), st.floats(1e-12, 0.3))
def test_epsilon_and_delta_are_inverse(mu: float, delta: float) -> None:
    epsilon = gaussian_epsilon(mu, delta)
    if epsilon > 0:
        assert gaussian_delta(mu, epsilon) == pytest.approx(delta, rel=1e-6, abs=1e-13)
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
    assert best_attack <= tpr_bound(gaussian_epsilon(mu, delta), fpr, delta) + 1e-9


def test_huge_parameters_do_not_overflow() -> None:
    assert np.isfinite(gaussian_epsilon(50.0, 1e-30))


@pytest.mark.parametrize(
    "call",
    [
        lambda: gaussian_epsilon(1.0, 0.0),
        lambda: gaussian_epsilon(float("nan"), 1e-5),
        lambda: gaussian_epsilon(-1.0, 1e-5),
        lambda: gaussian_epsilon(1.0, 1.0),
        lambda: gaussian_mu(-0.1, 0.2),
    ],
)
def test_parameters_outside_their_ranges_are_refused(call) -> None:
    with pytest.raises(UsageError, match="expected"):
        call()
