import numpy as np
import pytest
from scipy import stats

from gnomon.stats.laws.conditional import fit_conditional_law


def test_recovers_location_spread_and_tails():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60_000, 2))
    noise = rng.standard_t(9.0, 60_000)
    law = fit_conditional_law(x, 1.0 + 2.0 * x[:, 0] + np.exp(0.2 * x[:, 1]) * noise, np.ones(60_000))
    np.testing.assert_allclose(law.location, [1.0, 2.0, 0.0], atol=0.05)
    assert law.log_variance[2] == pytest.approx(0.4, abs=0.05)
    assert 6.0 < law.freedom < 14.0


def test_density_is_the_t_of_the_fitted_variance():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(5000, 1))
    values = 3.0 * x[:, 0] + rng.normal(0.0, 2.0, 5000)
    law = fit_conditional_law(x, values, np.ones(5000))
    expected = stats.norm(3.0 * x[:, 0], 2.0).logpdf(values)
    assert np.abs(law.log_density(x, values) - expected).max() < 0.5
    assert law.log_density(x, values).mean() == pytest.approx(expected.mean(), abs=0.01)


def test_a_weight_of_two_is_a_row_given_twice():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    weights = np.where(np.arange(50) < 20, 2.0, 1.0)
    twice = np.concatenate([np.arange(50), np.arange(20)])
    weighted = fit_conditional_law(x, y, weights)
    doubled = fit_conditional_law(x[twice], y[twice], np.ones(70))
    # The ridge counts rows, so the two agree up to it.
    np.testing.assert_allclose(weighted.log_density(x, y), doubled.log_density(x, y), atol=5e-3)


def test_constant_columns_and_values_are_no_trouble():
    law = fit_conditional_law(np.ones((30, 3)), np.full(30, 7.0), np.ones(30))
    inside, outside = law.log_density(np.ones((2, 3)), np.array([7.0, 8.0]))
    assert np.isfinite([inside, outside]).all()
    assert inside > outside


def test_far_from_the_fit_the_density_is_still_a_number():
    """A spread that shrinks along a column is nothing far out there, and its density would be none."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 1))
    law = fit_conditional_law(x, np.exp(0.5 * x[:, 0]) * rng.normal(size=500), np.ones(500))
    assert np.isfinite(law.log_density(np.array([[-5000.0], [5000.0]]), np.array([1.0, 1.0]))).all()
