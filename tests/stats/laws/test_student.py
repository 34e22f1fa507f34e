import numpy as np
import pytest
from scipy import integrate, stats

from gnomon.stats.laws.moments import GroupMoments, Moments, group_moments
from gnomon.stats.laws.student import MOST_FREEDOM, Predicted, Prior, estimate_prior, predict


def simulate(rng, n, m, *, freedom, scale, weight, mean):
    variance = scale * freedom / rng.chisquare(freedom, n)
    centre = rng.normal(mean, np.sqrt(variance / weight))
    return rng.normal(centre, np.sqrt(variance), (m, n))


@pytest.mark.parametrize(("freedom", "weight", "m"), [(8.0, 0.5, 4), (5.0, 2.0, 10), (20.0, 0.1, 3)])
def test_the_prior_is_found_again_in_values_drawn_from_it(freedom, weight, m):
    values = simulate(np.random.default_rng(0), 40_000, m, freedom=freedom, scale=2.5, weight=weight, mean=-3.0)
    moments = group_moments(values, np.ones(values.shape, bool))
    prior = estimate_prior(moments.inside, moments)
    assert prior.mean == pytest.approx(-3.0, abs=0.1)
    assert prior.scale == pytest.approx(2.5, rel=0.05)
    assert prior.freedom == pytest.approx(freedom, rel=0.2)
    assert prior.weight == pytest.approx(weight, rel=0.15)


def test_rows_of_one_variance_have_a_prior_without_spread():
    values = np.random.default_rng(0).normal(0.0, 3.0, (5, 3000)) + np.linspace(-20, 20, 3000)
    moments = group_moments(values, np.ones(values.shape, bool))
    prior = estimate_prior(moments.inside, moments)
    assert prior.freedom > 50
    assert prior.scale == pytest.approx(9.0, rel=0.1)


@pytest.mark.parametrize("m", [1, 3, 8])
def test_what_it_predicts_comes_true(m):
    """Of the next values drawn from the prior's world, each tenth of the predicted law catches a tenth."""
    rng = np.random.default_rng(m)
    values = simulate(rng, 20_000, m + 1, freedom=6.0, scale=1.5, weight=0.4, mean=2.0)
    moments = group_moments(values[:-1], np.ones((m, 20_000), bool))
    law = predict(moments.inside, Prior(mean=2.0, weight=0.4, scale=1.5, freedom=6.0))
    below = 1.0 - np.exp(law.log_survival(values[-1], "t"))
    counts, _ = np.histogram(below, bins=10, range=(0, 1))
    assert stats.chisquare(counts).pvalue > 1e-4


def test_slow_twin_of_the_conjugate_update():
    """The predictive density is the integral over mean and variance under the posterior."""
    values, prior = np.array([1.0, 2.5]), Prior(mean=0.5, weight=0.7, scale=1.2, freedom=4.0)

    mean, variance = np.meshgrid(np.linspace(-25, 25, 2001), np.geomspace(0.01, 400.0, 2001), indexing="ij")
    joint = stats.invgamma.logpdf(variance, prior.freedom / 2, scale=prior.freedom * prior.scale / 2)
    joint += stats.norm.logpdf(mean, prior.mean, np.sqrt(variance / prior.weight))

    def evidence(data):
        logs = joint + sum(stats.norm.logpdf(value, mean, np.sqrt(variance)) for value in data)
        return integrate.trapezoid(integrate.trapezoid(np.exp(logs), variance, axis=1), mean[:, 0])

    expected = np.log(evidence([1.0, 2.5, 3.0]) / evidence([1.0, 2.5]))
    law = predict(group_moments(values[:, None], np.ones((2, 1), bool)).inside, prior)
    assert law.log_density(np.array([3.0]), "t")[0] == pytest.approx(expected, abs=1e-3)


def test_densities_and_tails_are_those_of_scipy():
    law = Predicted(np.array([1.0, -2.0]), np.array([4.0, 0.25]), np.array([3.0, 9.0]))
    x = np.array([2.5, 0.5])
    for name, reference in (
        ("t", stats.t(law.freedom, law.location, np.sqrt(law.variance))),
        ("normal", stats.norm(law.location, np.sqrt(law.variance))),
    ):
        np.testing.assert_allclose(law.log_density(x, name), reference.logpdf(x), rtol=1e-9)
        np.testing.assert_allclose(law.log_survival(x, name), reference.logsf(x), rtol=1e-9)


def test_tails_do_not_saturate():
    law = Predicted(np.zeros(2), np.ones(2), np.full(2, MOST_FREEDOM))
    near, far = law.log_survival(np.array([50.0, 60.0]), "t")
    assert far < near < -1000


def test_one_value_of_each_kind_a_row_still_gives_a_proper_prior():
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0.0, 3.0, 2000)
    values = np.stack([difficulty + rng.normal(5.0, 1.0, 2000), difficulty + rng.normal(0.0, 1.0, 2000)])
    moments = group_moments(values, np.array([[True], [False]]) & np.ones((2, 2000), bool))
    for group in (moments.inside, moments.outside):
        prior = estimate_prior(group, moments)
        assert 0.1 < prior.scale < 5.0
        assert 0.0 < prior.weight < 1.0


def test_nobody_at_all():
    nobody = Moments(np.zeros(3), np.full(3, np.nan), np.full(3, np.nan))
    prior = estimate_prior(nobody, GroupMoments(nobody, nobody))
    assert np.isfinite([prior.mean, prior.weight, prior.scale, prior.freedom]).all()
    assert np.isfinite(predict(nobody, prior).log_density(np.zeros(3), "t")).all()


def plain(n: int) -> dict[str, np.ndarray]:
    """Signals (8, n) with hardly any variance: models that agree, as plain trees do."""
    rng = np.random.default_rng(0)
    return {
        "all alike": np.full((8, n), 36.7),
        "all zero": np.zeros((8, n)),
        "alike within rows": np.tile(rng.normal(size=n) * 30, (8, 1)),
        "of two kinds": np.tile(np.where(rng.random(n) < 0.5, 36.7, -36.7), (8, 1)),
        "one other": np.where((np.arange(8)[:, None] == 0) & (np.arange(n) == 0), -36.7, 36.7),
        "almost nothing": rng.normal(size=(8, n)) * 1e-160,
    }


@pytest.mark.parametrize("name", plain(3))
@pytest.mark.parametrize("n", [3, 50])
def test_models_that_agree_overflow_nothing(name, n):
    """Neither law is degenerate, and a target that answers as they do is likelier than one that does not."""
    signals = plain(n)[name]
    for member in (np.ones((8, n), bool), np.random.default_rng(1).random((8, n)) < 0.5):
        moments = group_moments(signals, member)
        for group in (moments.inside, moments.outside):
            law = predict(group, estimate_prior(group, moments))
            for predictive in ("t", "normal"):
                near, far = (law.log_density(signals[-1] + off, predictive) for off in (0.0, 700.0))
                assert np.isfinite([near, far]).all()
                assert (near > far).all()
                assert not np.isnan(law.log_survival(signals[-1] - 700.0, predictive)).any()
