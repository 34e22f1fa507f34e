from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom, norm
from tests.stats.worlds import World, exposed, gaussian, heavy, lattice, tied_top, yes_or_no

from gnomon.core.errors import UsageError
from gnomon.stats import low_fpr
from gnomon.stats.clusters import Groups
from gnomon.stats.intervals import clopper_pearson
from gnomon.stats.low_fpr import required_nonmembers, sampled_tprs, tpr_at_fpr, tpr_at_fprs

Bounds = Callable[[np.ndarray, np.ndarray, float], tuple[float, float]]  # of sorted scores

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


@settings(max_examples=50)
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


SIZES = [(0.1, 60, 60), (0.01, 200, 1000), (0.01, 2000, 500), (0.001, 500, 2000)]


def misses(world: World, fpr: float, n1: int, n0: int, runs: int, bounds: Bounds) -> tuple[int, int]:
    """How often the interval lies above, and below, the share of members above the population's threshold."""
    rng, truth = np.random.default_rng(8), world.tpr(fpr)
    found = [bounds(*(np.sort(side) for side in world.draw(rng, n1, n0)), fpr) for _ in range(runs)]
    return sum(low > truth + 1e-12 for low, _ in found), sum(high < truth - 1e-12 for _, high in found)


def ours(members: np.ndarray, nonmembers: np.ndarray, fpr: float) -> tuple[float, float]:
    interval = tpr_at_fpr(members, nonmembers, fpr).tpr
    assert interval is not None
    return interval.low, interval.high


def threshold_as_given(members: np.ndarray, nonmembers: np.ndarray, fpr: float) -> tuple[float, float]:
    """Too narrow: as if the sample's threshold were the population's."""
    point = tpr_at_fpr(members, nonmembers, fpr).tpr
    assert point is not None
    low, high = clopper_pearson(point.value * members.size, members.size)
    return float(low), float(high)


def four_bounds(members: np.ndarray, nonmembers: np.ndarray, fpr: float) -> tuple[float, float]:
    """Too wide: order statistics and Clopper-Pearson apart, the error divided among four bounds (Bonferroni)."""
    above = [
        int((members > nonmembers[-rank]).sum()) if rank else 0
        for rank in (
            int(binom.ppf(0.0125, nonmembers.size, fpr)),
            int(binom.isf(0.0125, nonmembers.size, fpr)) + 1,
        )
    ]
    low, high = clopper_pearson(above, members.size, confidence=0.975)
    return float(low[0]), float(high[1])


@pytest.mark.parametrize(
    ("world", "fpr", "n1", "n0"),
    [
        *((world, *size) for world in (gaussian(0.76), exposed(0.3), tied_top(0.7)) for size in SIZES),
        *((world, *size) for world in (gaussian(0.5), gaussian(0.96), heavy(2), lattice(0.76)) for size in SIZES[::2]),
    ],
    ids=lambda of: getattr(of, "name", str(of)),
)
def test_the_interval_covers_the_rate_at_the_population_threshold(world: World, fpr: float, n1: int, n0: int) -> None:
    low, high = misses(world, fpr, n1, n0, 250, ours)
    # Each side may miss 2.5 %; 250 runs of a true 2.5 % show more than 14 misses in 0.5 % of cases.
    assert low <= 14
    assert high <= 14


@pytest.mark.parametrize(
    ("ratio", "fpr", "n1", "n0"),
    [*((r, *size) for r in (0.95, 1.05) for size in SIZES), *((r, *size) for r in (0.6, 1.5) for size in SIZES[::2])],
)
def test_it_covers_at_a_cliff(ratio: float, fpr: float, n1: int, n0: int) -> None:
    # All on one side of the truth; 250 runs of a true 2.5 % show more than 14 in 0.5 % of cases.
    assert sum(misses(yes_or_no(0.6, ratio * fpr), fpr, n1, n0, 250, ours)) <= 14


@pytest.mark.parametrize(("fpr", "n", "width"), [(0.1, 1000, 4.0), (0.01, 5000, 2.0)])
def test_it_covers_above_a_tie_that_is_just_not_allowed(fpr: float, n: int, width: float) -> None:
    """A lattice whose ties are so many deviations of the false positives wide; one of them lies astride the rate."""
    edge = norm.isf(1.001 * fpr)
    step = norm.isf(1.001 * fpr - width * np.sqrt(fpr * (1 - fpr) / n)) - edge
    rng, truth = np.random.default_rng(3), norm.sf(edge + step - 2)
    drawn = (np.floor((rng.normal([[2.0], [0.0]], 1, (2, n)) - edge) / step) for _ in range(250))
    low = [ours(np.sort(members), np.sort(others), fpr)[0] for members, others in drawn]
    assert sum(end > truth for end in low) <= 14


def test_a_binomial_interval_at_the_samples_threshold_is_found_too_narrow() -> None:
    assert max(misses(gaussian(0.76), 0.01, 2000, 500, 250, threshold_as_given)) > 50


@pytest.mark.parametrize(("fpr", "n", "most"), [(0.1, 200, 0.7), (0.01, 1000, 0.75), (0.001, 5000, 0.82)])
@pytest.mark.parametrize("auc", [0.76, 0.98])
def test_it_is_shorter_than_four_bounds_apart(auc: float, fpr: float, n: int, most: float) -> None:
    rng, world, lengths = np.random.default_rng(9), gaussian(auc), []
    for _ in range(40):
        sides = [np.sort(side) for side in world.draw(rng, n, n)]
        lengths.append([high - low for low, high in (bounds(*sides, fpr) for bounds in (ours, four_bounds))])
    short, wide = np.mean(lengths, axis=0)
    assert short < most * wide


def test_no_draws_are_needed_for_the_mixture() -> None:
    """The slow twin: places as order statistics of uniforms, and a beta variable for the members above each."""
    rng = np.random.default_rng(10)
    n1, n0, fpr, draws = 150, 400, 0.05, 40_000
    members, nonmembers = (np.sort(side) for side in gaussian(0.76).draw(rng, n1, n0))
    places = rng.binomial(n0, fpr, draws)
    above = n1 - np.searchsorted(members, nonmembers[n0 - np.arange(1, n0)], side="right")
    few, many = above[places - 1], above[places]
    between = few + rng.random(draws) * (many - few)
    low = np.quantile(rng.beta(np.maximum(between, 1e-9), n1 - between + 1), 0.0225)
    high = np.quantile(rng.beta(between + 1, n1 - between), 0.9775)
    assert ours(members, nonmembers, fpr) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize("kind", ["smooth", "ties", "cliff", "apart"])
def test_an_end_is_where_the_wanted_part_of_the_mixture_lies_below(kind: str) -> None:
    rng, n = np.random.default_rng(12), 3000
    scores = {"smooth": rng.normal(size=(2, n)), "ties": np.round(2 * rng.normal(size=(2, n)))}.get(kind)
    if scores is None:
        scores = np.where(rng.random((2, n)) < 0.3, 9.0 * (kind == "apart"), rng.normal(size=(2, n)))
    members, nonmembers = np.sort(scores[0] + 1), np.sort(scores[1])
    fprs = np.array([0.001, 0.003, 0.01, 0.1, 0.5])
    places, weights = low_fpr._places(n, np.full(5, float(n)), fprs)
    few, _, _ = low_fpr._accused_at(members, nonmembers, places)
    found = low_fpr._mixture_quantile(few, n - few + 1, weights, 0.0225)

    def below(x: np.ndarray) -> np.ndarray:
        laws = np.where(few > 0, beta.cdf(x[:, None], np.maximum(few, 1e-300), n - few + 1), 1.0)
        return (laws * weights).sum(axis=1)

    assert (below(found + 1e-3) >= 0.0225).all()
    assert (below(found - 1e-3)[found > 1e-3] <= 0.0225).all()


def test_values_alone_are_those_with_intervals() -> None:
    rng = np.random.default_rng(13)
    members, nonmembers = np.round(rng.normal(1, 1, 90), 1), np.round(rng.normal(0, 1, 120), 1)
    fprs = (0.001, 0.01, 0.05, 0.5)
    values = {p.fpr: p.tpr.value for p in tpr_at_fprs(members, nonmembers, fprs) if p.tpr is not None}
    assert sampled_tprs(members, nonmembers, fprs) == values
    assert list(values) == [0.01, 0.05, 0.5]


def test_with_the_threshold_known_it_is_clopper_pearson() -> None:
    rng = np.random.default_rng(11)
    members, nonmembers = np.sort(rng.normal(1, 1, 100)), np.sort(rng.normal(0, 1, 2_000_000))
    low, high = clopper_pearson(int((members > np.quantile(nonmembers, 0.9)).sum()), 100, confidence=0.955)
    assert ours(members, nonmembers, 0.1) == pytest.approx((float(low), float(high)), abs=0.003)


@pytest.mark.parametrize("fpr", [0.1, 0.01, 0.001])
def test_perfect_separation_says_something_from_the_first_allowed_false_positive_on(fpr: float) -> None:
    rng = np.random.default_rng(12)
    sizes = [round(times / fpr) for times in (1, 2, 3, 4)]
    lows = [ours(2 + rng.random(1000), rng.random(n0), fpr)[0] for n0 in sizes]
    # All non-members but 2.25 % of samples have one above the share 1 - 0.0225 ** (1 / n0) of the population.
    rule = [min(1.0, fpr / (1 - 0.0225 ** (1 / n0))) ** 2 for n0 in sizes]
    assert lows == pytest.approx(rule, rel=0.12)
    tied = [ours(np.ones(1000), rng.random(n0), fpr)[0] for n0 in sizes]
    assert tied == pytest.approx([0, 0, 0, 0.99], abs=0.02)  # the tie lies above the threshold or below it as a whole


def test_records_that_come_in_groups_are_worth_less() -> None:
    def five_alike(groups: Groups | None) -> Bounds:
        def bounds(members: np.ndarray, nonmembers: np.ndarray, fpr: float) -> tuple[float, float]:
            sides = [np.repeat(side, 5) + 1e-9 * np.arange(5 * side.size) for side in (members, nonmembers)]
            found = tpr_at_fpr(*sides, fpr, groups=groups).tpr
            assert found is not None
            return found.low, found.high

        return bounds

    persons = np.repeat(np.arange(200), 5)
    known = Groups(persons, 200 + persons, 400)
    assert sum(misses(gaussian(0.76), 0.1, 200, 200, 150, five_alike(known))) <= 16
    assert sum(misses(gaussian(0.76), 0.1, 200, 200, 150, five_alike(None))) > 40


def test_the_lower_bound_is_not_vacuous() -> None:
    # 30 % of members stand above everybody; 1,000 non-members at 1 % FPR must show most of it.
    rng = np.random.default_rng(3)
    lows = [tpr_at_fpr(*exposed(0.3).draw(rng, 1000, 1000), 0.01).tpr.low for _ in range(20)]
    assert np.median(lows) > 0.25


def test_a_threshold_among_scores_that_move_together_is_known_less_well() -> None:
    """A common shift that makes the AUC vary twice as much as samples show (`wider`), at 10 % and at 1 %."""
    rng, n, fprs, wider = np.random.default_rng(13), 200, (0.1, 0.01), 2.0
    shift = np.sqrt((wider**2 - 1) / (6 * n) * 4 * np.pi)  # an AUC moves by shift / sqrt(4 pi)
    missed = np.zeros((2, 2), dtype=int)
    for moved in rng.normal(0, shift, 200):
        sides = rng.normal(size=n), rng.normal(moved, 1, n)
        for i, factor in enumerate((1.0, wider)):
            found = [point.tpr for point in tpr_at_fprs(*sides, fprs, wider=factor)]
            missed[i] += [one is None or not one.low <= fpr <= one.high for one, fpr in zip(found, fprs, strict=True)]
    assert missed[0, 0] > 20
    assert missed[1].max() <= 17  # 200 runs of a true 5 % show more in 1 % of cases
