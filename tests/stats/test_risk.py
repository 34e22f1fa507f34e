"""Probabilities of membership: calibrated where the truth is known, about one half on noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.risk import fit_risk, log_odds, stated_by
from gnomon.stats.risk_check import deviations

GAP = 2.0


def rehearsal(rng: np.random.Generator, n: int, gap: float = GAP) -> tuple[np.ndarray, np.ndarray]:
    member = rng.random(n) < 0.5
    return rng.normal(gap * member), member


def truth(scores: np.ndarray, gap: float = GAP) -> np.ndarray:
    return expit(gap * scores - gap**2 / 2)


@pytest.mark.parametrize("count", [1, 4])
def test_on_gaussian_scores_the_probability_is_the_posterior(count: int) -> None:
    rng = np.random.default_rng(count)
    curve = fit_risk([rehearsal(rng, 3000) for _ in range(count)], rng=rng)
    scores, member = rehearsal(rng, 20_000)
    probability = curve.at(scores)[0]
    assert np.abs(probability - truth(scores)).mean() < 0.02
    assert deviations(probability, member).error < 0.02


def test_on_noise_it_says_about_one_half() -> None:
    worst, means, covered = [], [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        curve = fit_risk([rehearsal(rng, 2000, gap=0.0) for _ in range(4)], rng=rng, draws=100)
        probability, low, high = curve.at(rng.normal(size=2000))
        worst.append(np.abs(probability - 0.5).max())
        means.append(np.abs(probability - 0.5).mean())
        covered.append(((low - 0.005 <= 0.5) & (high + 0.005 >= 0.5)).mean())
    assert np.mean(covered) > 0.9
    assert np.mean(means) < 0.02
    assert np.mean(worst) < 0.1


def test_the_interval_covers_the_truth() -> None:
    """Where the curve is steep, bins blur it a little; there the interval must still hold the bin's own mean."""
    covered = []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        curve = fit_risk([rehearsal(rng, 1500) for _ in range(4)], rng=rng, draws=100)
        scores = rehearsal(rng, 4000)[0]
        bins = np.searchsorted(curve.edges, scores, side="right")
        exact = np.bincount(bins, truth(scores)) / np.maximum(np.bincount(bins), 1)
        _, low, high = curve.at(scores)
        covered.append(((low - 0.005 <= exact[bins]) & (exact[bins] <= high + 0.005)).mean())
    assert np.mean(covered) > 0.9


def test_models_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    alike = fit_risk([rehearsal(rng, 1500) for _ in range(4)], rng=rng)
    apart = fit_risk([rehearsal(rng, 1500, gap) for gap in (1.0, 3.0, 1.0, 3.0)], rng=rng)
    spread = [np.mean(curve.high - curve.low) for curve in (alike, apart)]
    assert spread[1] > 2 * spread[0]


def test_unequal_sides_count_equally() -> None:
    rng = np.random.default_rng(1)
    member = rng.random(8000) < 0.1
    curve = fit_risk([(rng.normal(GAP * member), member)], rng=rng)
    assert curve.at([GAP / 2])[0][0] == pytest.approx(0.5, abs=0.08)


@given(
    scores=st.lists(st.sampled_from([-np.inf, 0.0, 1.0, 2.0, np.inf]), min_size=2, max_size=300),
    seed=st.integers(0, 5),
)
def test_any_scores_give_rising_probabilities_inside_their_bounds(scores: list[float], seed: int) -> None:
    member = np.arange(len(scores)) % 2 == 0
    curve = fit_risk([(np.array(scores), member)], rng=np.random.default_rng(seed), draws=100)
    probability, low, high = curve.at(sorted(scores))
    for part in (probability, low, high):
        assert (np.diff(part) >= 0).all()
    assert (low <= probability).all() and (probability <= high).all()
    assert (probability > 0).all() and (probability < 1).all(), "no finite sample shows certainty"


def test_log_odds_add_up_to_the_posterior_of_two_looks() -> None:
    rng = np.random.default_rng(2)
    odds = log_odds([rehearsal(rng, 40_000, 1.0)], [0.0, 1.0])
    np.testing.assert_allclose(odds, [-0.5, 0.5], atol=0.12)


def test_persons_widen_the_interval_as_far_as_their_records_repeat_each_other() -> None:
    rng = np.random.default_rng(4)
    scores, member = rehearsal(rng, 400)
    copies, groups = np.repeat(scores, 5), np.repeat(np.arange(400), 5)
    alone = fit_risk([(scores, member)], rng=rng)
    whole = fit_risk([(copies, np.repeat(member, 5))], rng=rng, groups=[groups])
    records = fit_risk([(copies, np.repeat(member, 5))], rng=rng)
    width = [np.mean(curve.at(scores)[2] - curve.at(scores)[1]) for curve in (alone, whole, records)]
    assert width[1] == pytest.approx(width[0], rel=0.35)
    assert width[1] > 1.6 * width[2]


def test_what_rehearsals_state_is_the_curve() -> None:
    rng = np.random.default_rng(5)
    known = [rehearsal(rng, 900) for _ in range(2)]
    curve = fit_risk(known, rng=rng)
    np.testing.assert_allclose(stated_by(known, [-1.0, 0.5, 2.0]), curve.at([-1.0, 0.5, 2.0])[0])


def test_nothing_to_learn_from_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="at least one rehearsal"):
        fit_risk([], rng=rng)
    with pytest.raises(DataError, match="member"):
        fit_risk([(np.ones(4), np.ones(4, dtype=bool))], rng=rng)
    with pytest.raises(UsageError, match="draws"):
        fit_risk([rehearsal(rng, 100)], rng=rng, draws=10)
