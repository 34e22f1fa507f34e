import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from gnomon.core.errors import UsageError
from gnomon.stats.low_fpr import binomial_quantile, required_nonmembers, tpr_at_fpr

from .worlds import World, exposed, gaussian, lattice, tied_top, yes_or_no

SAMPLE = st.lists(st.one_of(st.integers(-3, 3).map(float), st.sampled_from([np.inf, -np.inf])), min_size=1, max_size=15)


@given(SAMPLE, SAMPLE, st.sampled_from([0.07, 0.1, 0.25, 0.5, 0.9]))
def test_the_point_is_the_best_of_all_thresholds(members: list[float], nonmembers: list[float], fpr: float) -> None:
    result = tpr_at_fpr(members, nonmembers, fpr)
    if len(nonmembers) < 1 / fpr - 1e-9:
        assert result.tpr is None
        assert result.resolution == "refused"
        return
    m, n = np.array(members), np.array(nonmembers)
    reachable = [(0.0, 0)] + [
        (float((m >= t).mean()), int((n >= t).sum())) for t in {*members, *nonmembers} if (n >= t).mean() <= fpr + 1e-12
    ]
    assert result.tpr is not None
    assert result.tpr.value == max(tpr for tpr, _ in reachable)
    assert result.tpr.low <= result.tpr.value <= result.tpr.high
    if result.threshold is None:
        assert result.tpr.value == 0
        assert result.false_positives == 0
    else:
        assert (m >= result.threshold).mean() == result.tpr.value
        assert (n >= result.threshold).sum() == result.false_positives


@given(SAMPLE, SAMPLE)
def test_only_the_order_of_scores_counts(members: list[float], nonmembers: list[float]) -> None:
    plain = tpr_at_fpr(members, nonmembers, 0.2).tpr
    bent = tpr_at_fpr(np.arctan(members), np.arctan(nonmembers), 0.2).tpr
    assert plain == bent


def test_half_of_the_scores_tie_at_the_top() -> None:
    # No threshold splits the tie: under 50 % FPR nobody can be accused, whatever the tie holds.
    members, nonmembers = np.r_[np.full(600, np.inf), np.zeros(400)], np.r_[np.full(500, np.inf), np.zeros(500)]
    result = tpr_at_fpr(members, nonmembers, 0.1)
    assert result.tpr is not None
    assert (result.tpr.value, result.tpr.low, result.false_positives, result.threshold) == (0.0, 0.0, 0, None)
    half = tpr_at_fpr(members, nonmembers, 0.5)
    assert half.tpr is not None
    assert (half.tpr.value, half.false_positives, half.threshold) == (0.6, 500, np.inf)


def test_the_refusal_says_what_there_is_and_what_it_takes() -> None:
    result = tpr_at_fpr(np.arange(10.0), np.arange(999.0), 0.001)
    assert result.reason == "too few non-members (have 999, need 1,000)"
    assert (result.tpr, result.threshold, result.false_positives) == (None, None, None)


@pytest.mark.parametrize(("fpr", "needed"), [(0.1, 10), (0.01, 100), (0.001, 1000), (1e-4, 10_000), (0.3, 4)])
def test_resolution_steps_at_one_and_at_ten_false_positives(fpr: float, needed: int) -> None:
    assert required_nonmembers(fpr) == needed
    scores = np.zeros(5)
    assert tpr_at_fpr(scores, np.arange(needed - 1.0), fpr).resolution == "refused"
    coarse = tpr_at_fpr(scores, np.arange(float(needed)), fpr)
    assert coarse.resolution == "coarse"
    assert coarse.reason is not None
    assert coarse.reason.startswith(f"few non-members (have {needed:,}; ")
    many = round(10 / fpr + 0.5)
    assert tpr_at_fpr(scores, np.arange(float(many)), fpr).resolution == "ok"


def test_the_allowed_count_is_not_lost_to_rounding() -> None:
    # 0.07 * 100 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996 in floating point.
    for fpr, allowed in [(0.07, 7), (0.29, 29), (0.001, 0), (0.57, 57)]:
        result = tpr_at_fpr([1e9], np.arange(100.0), fpr) if fpr >= 0.01 else None
        if result is not None:
            assert tpr_at_fpr(np.arange(100.0), np.arange(100.0), fpr).false_positives == allowed


@pytest.mark.parametrize("fpr", [0.0, 1.0, -0.1, float("nan")])
def test_a_rate_outside_its_range_is_refused(fpr: float) -> None:
    with pytest.raises(UsageError, match="fpr"):
        tpr_at_fpr([1.0], [0.0], fpr)


@pytest.mark.parametrize(("fpr", "n1", "n0"), [(0.1, 60, 60), (0.01, 200, 1000), (0.01, 2000, 500), (0.001, 500, 2000)])
@pytest.mark.parametrize(
    "world",
    [gaussian(0.5), gaussian(0.76), gaussian(0.96), exposed(0.3), lattice(0.76), tied_top(0.7), yes_or_no(0.6, 0.0095)],
    ids=lambda world: world.name,
)
def test_the_interval_covers_the_rate_at_the_population_threshold(world: World, fpr: float, n1: int, n0: int) -> None:
    rng = np.random.default_rng(8)
    truth, runs, low_misses, high_misses = world.tpr(fpr), 250, 0, 0
    for _ in range(runs):
        interval = tpr_at_fpr(*world.draw(rng, n1, n0), fpr).tpr
        assert interval is not None
        low_misses += interval.low > truth + 1e-12
        high_misses += interval.high < truth - 1e-12
    # Each side may miss 2.5 %; 250 runs of a true 2.5 % show more than 14 misses in 0.5 % of cases.
    assert low_misses <= 14
    assert high_misses <= 14


def test_the_lower_bound_is_not_vacuous() -> None:
    # 30 % of members stand above everybody; 1,000 non-members at 1 % FPR must show most of it.
    rng = np.random.default_rng(3)
    lows = [tpr_at_fpr(*exposed(0.3).draw(rng, 1000, 1000), 0.01).tpr.low for _ in range(20)]
    assert np.median(lows) > 0.25


@pytest.mark.parametrize("n", [1, 2, 97, 1000, 100_000])
def test_binomial_quantiles_are_those_of_scipy(n: int) -> None:
    rates = np.unique(np.concatenate([np.linspace(0, 1, 201), np.logspace(-6, 0, 100)]))
    for tail in (0.0031, 0.0127, 0.047):  # no tie with a probability, which rounding would decide
        assert (binomial_quantile(tail, n, rates) == np.nan_to_num(binom.ppf(tail, n, rates))).all()
        assert (binomial_quantile(tail, n, rates, upper=True) == np.nan_to_num(binom.isf(tail, n, rates))).all()
