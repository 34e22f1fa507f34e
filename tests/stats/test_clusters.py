"""Intervals by group: coverage on households, slow twins, and what they must agree with where there are no groups."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from tests.stats.households import Drawn, Households, Sizes

from gnomon.core.errors import DataError
from gnomon.stats.clusters import Clusters, Groups, split_groups, worth_of_shares
from gnomon.stats.comparison import auc_difference, tpr_difference
from gnomon.stats.curves import thin_roc
from gnomon.stats.intervals import Interval
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.rates import precision_at_prior, rates_at_threshold
from gnomon.stats.roc import auc, half_width, placements

NULL = Households("null", alike=0.3)
LEAK = Households("leak by household", alike=0.2, remembered=0.3, lift=2.5)
MIXED = Households("leak, households on both sides", alike=0.3, remembered=0.3, lift=2.5, mixed=True)
SIZES = pytest.mark.parametrize("size", [5, 20, "unequal"])  # groups of one have a test of their own
THRESHOLD = float(norm.isf(0.3))
RUNS = 250
LEAST, MOST = 0.92, 0.987  # of a true 93 to 98 %, so few runs show less or more in a few of a thousand cases

Measure = Callable[[Drawn, Groups | None], Interval]


def by_area(drawn: Drawn, groups: Groups | None) -> Interval:
    return auc(*drawn.sides, groups=groups)


def by_accuracy(drawn: Drawn, groups: Groups | None) -> Interval:
    return rates_at_threshold(*drawn.sides, THRESHOLD, groups=groups).accuracy


def by_recall(drawn: Drawn, groups: Groups | None) -> Interval:
    return rates_at_threshold(*drawn.sides, THRESHOLD, groups=groups).recall


def by_rate(drawn: Drawn, groups: Groups | None) -> Interval:
    found = tpr_at_fpr(*drawn.sides, 0.01, groups=groups).tpr
    assert found is not None
    return found


def truth(world: Households, measure: Measure) -> float:
    recall = world.above(THRESHOLD)
    return {by_area: world.auc, by_accuracy: (1 + recall - 0.3) / 2, by_recall: recall, by_rate: world.tpr(0.01)}[
        measure
    ]


def coverage(
    world: Households, size: Sizes, measure: Measure, *, n: int = 600, runs: int = RUNS, grouped: bool = True
) -> float:
    """Share of samples of n and n records whose interval covers the truth."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(runs):
        drawn = world.draw(rng, n, size)
        found = measure(drawn, split_groups(drawn.groups, drawn.member) if grouped else None)
        hits += found.low - 1e-12 <= truth(world, measure) <= found.high + 1e-12
    return hits / runs


@pytest.mark.parametrize(
    ("world", "size"),
    [*((world, size) for world in (NULL, LEAK) for size in (5, 20, "unequal")), (MIXED, 5), (MIXED, "unequal")],
    ids=lambda of: getattr(of, "name", str(of)),
)
def test_the_area_is_covered(world: Households, size: Sizes) -> None:
    assert LEAST <= coverage(world, size, by_area) <= MOST


@pytest.mark.parametrize(
    ("world", "size", "measure"),
    [(LEAK, 5, by_recall), (LEAK, 20, by_accuracy), (LEAK, "unequal", by_recall), (MIXED, 20, by_accuracy)],
    ids=lambda of: getattr(of, "name", getattr(of, "__name__", str(of))),
)
def test_rates_at_a_threshold_are_covered(world: Households, size: Sizes, measure: Measure) -> None:
    assert LEAST <= coverage(world, size, measure) <= MOST


@SIZES
def test_the_rate_at_a_low_false_positive_rate_is_covered(size: Sizes) -> None:
    assert coverage(LEAK, size, by_rate, n=1000, runs=100) >= 0.9


@pytest.mark.parametrize("size", [5, 20, "unequal"])
def test_ten_households_a_side_are_few_and_not_blind(size: Sizes) -> None:
    rows = 100 if isinstance(size, str) else 10 * size
    assert 0.92 <= coverage(NULL, size, by_area, n=rows) <= 0.997


@pytest.mark.parametrize(("measure", "most"), [(by_area, 0.75), (by_accuracy, 0.85)])
def test_by_record_the_same_intervals_are_far_too_narrow(measure: Measure, most: float) -> None:
    """What grouping is for: twenty records of a household are not twenty witnesses."""
    assert coverage(NULL, 20, measure, runs=150, grouped=False) < most
    assert coverage(LEAK, 20, measure, runs=150, grouped=False) < most


@SIZES
@pytest.mark.parametrize("lifts", [(0.0, 0.0), (2.5, 1.5)])
def test_a_difference_of_areas_is_covered(lifts: tuple[float, float], size: Sizes) -> None:
    """Two models on the same households: each remembers others, and both see the same traits."""
    rng = np.random.default_rng(3)
    worlds = [Households("", alike=0.3, remembered=0.3, lift=lift) for lift in lifts]
    expected, hits, by_record = worlds[0].auc - worlds[1].auc, 0, 0
    for _ in range(RUNS):
        first = worlds[0].draw(rng, 600, size)
        _, own = np.unique(first.groups, return_inverse=True)
        known = (rng.random(own.max() + 1) < 0.3)[own] & first.member
        trait = np.sqrt(0.3) * rng.normal(size=own.max() + 1)[own]
        second = trait + np.sqrt(0.7) * rng.normal(size=len(own)) + lifts[1] * known
        for grouped in (True, False):
            groups = first.groups if grouped else None
            found = auc_difference(first.scores, second, first.member, groups=groups).difference
            covered = found.low <= expected <= found.high
            hits, by_record = hits + (covered and grouped), by_record + (covered and not grouped)
    assert LEAST <= hits / RUNS <= MOST
    if size == 20:
        assert by_record / RUNS < 0.8


def test_a_difference_of_rates_is_covered() -> None:
    rng, seen = np.random.default_rng(4), {True: 0, False: 0}
    for _ in range(50):
        drawn, again = LEAK.draw(rng, 1500, 20), LEAK.draw(rng, 1500, 20)
        again_member = again.scores[again.member], again.scores[~again.member]
        second = np.empty(len(drawn.scores))
        second[drawn.member], second[~drawn.member] = again_member
        for grouped in seen:
            groups = drawn.groups if grouped else None
            found = tpr_difference(drawn.scores, second, drawn.member, 0.05, rng=rng, draws=100, groups=groups).result
            assert found is not None
            seen[grouped] += found.change == "within noise"
    assert seen[True] >= 43  # a true 93 % of 50 shows fewer in 3 of 100 cases
    assert seen[False] < seen[True]


def test_the_variance_is_obuchowskis() -> None:
    """The slow twin: kernels over all pairs, summed within households that hold both kinds."""
    drawn = MIXED.draw(np.random.default_rng(0), 500, 5)
    m, n = drawn.sides
    groups = split_groups(drawn.groups, drawn.member)
    assert groups is not None
    kernel = (m[:, None] > n) + 0.5 * (m[:, None] == n)
    area, count = kernel.mean(), groups.count
    rows = np.array([(kernel.mean(axis=1) - area)[groups.members == g].sum() for g in range(count)])
    columns = np.array([(kernel.mean(axis=0) - area)[groups.nonmembers == g].sum() for g in range(count)])
    factor = count / (count - 1)
    variance = factor * ((rows**2).sum() / m.size**2 + (columns**2).sum() / n.size**2)
    variance += 2 * factor * (rows @ columns) / (m.size * n.size)
    places = placements(m, np.sort(n)), 1 - placements(n, np.sort(m))
    assert half_width(places, area, 0.05, groups) == pytest.approx(1.96 * np.sqrt(variance), rel=0.02)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=4, max_size=40))
def test_effective_sizes_along_an_order_are_those_of_each_share(rows: list[tuple[int, int]]) -> None:
    codes, scores = (np.array(column) for column in zip(*rows, strict=True))
    clusters, order = Clusters.of(codes), np.argsort(-scores, kind="stable")
    along = clusters.top_sizes(order)
    n, ones = len(codes), np.zeros(len(codes), dtype=bool)
    for j in range(n + 1):
        ones[order[:j]] = True
        share = ones.mean()
        between = sum(w * (ones[clusters.codes == g] - share).sum() ** 2 for g, w in enumerate(clusters.weight))
        alone = n * share * (1 - share) * n / (n - 1)
        pseudo = 0.02 * clusters.typical
        effect = max(1.0, (between + pseudo * clusters.typical) / (alone + pseudo))
        assert along[j] == pytest.approx(clusters.share_size(ones))
        assert along[j] <= n / effect + 1e-9
        assert along[j] >= 1.0


def test_copies_of_a_record_are_worth_the_record() -> None:
    drawn = Households("", alike=0.0, remembered=0.5, lift=2.0).draw(np.random.default_rng(1), 300, 1)
    copied = Drawn(*(np.repeat(part, 4) for part in (drawn.scores, drawn.member, drawn.groups)))
    groups = split_groups(copied.groups, copied.member)
    for measure in (by_area, by_accuracy, by_recall):
        once, fourfold = measure(drawn, None), measure(copied, groups)
        assert fourfold.value == pytest.approx(once.value)
        assert fourfold.high - fourfold.low == pytest.approx(once.high - once.low, rel=0.02)


def test_groups_of_one_change_nothing() -> None:
    drawn = LEAK.draw(np.random.default_rng(2), 500, 1)
    (m, n), member = drawn.sides, drawn.member
    assert split_groups(drawn.groups, member) is None
    alone = Groups(drawn.groups[member], drawn.groups[~member], len(member))
    pairs = [
        (auc(m, n), auc(m, n, groups=alone)),
        (rates_at_threshold(m, n, 1.0).accuracy, rates_at_threshold(m, n, 1.0, groups=alone).accuracy),
        (tpr_at_fpr(m, n, 0.05).tpr, tpr_at_fpr(m, n, 0.05, groups=alone).tpr),
    ]
    for plain, grouped in pairs:
        assert plain is not None
        assert grouped is not None
        assert (grouped.value, grouped.low, grouped.high) == pytest.approx((plain.value, plain.low, plain.high))
    bands = thin_roc(m, n), thin_roc(m, n, groups=alone)
    np.testing.assert_allclose(bands[0].low, bands[1].low, atol=1e-9)
    np.testing.assert_allclose(bands[0].high, bands[1].high, atol=1e-9)


def test_one_household_a_side_says_nothing() -> None:
    rng = np.random.default_rng(0)
    groups = Groups(np.zeros(200, int), np.ones(200, int), 2)
    found = auc(1 + rng.normal(size=200), rng.normal(size=200), groups=groups)
    assert found.high - found.low > 0.9
    rates = rates_at_threshold(np.ones(200), np.zeros(200), 0.5, groups=groups)
    assert rates.recall.low < 0.03
    assert rates.fpr.high > 0.97


def test_precision_counts_what_records_are_worth() -> None:
    accused = np.arange(400) % 40 < 20, np.arange(400) % 400 < 20
    groups = Groups(np.repeat(np.arange(20), 20), np.repeat(np.arange(20, 40), 20), 40)
    worth = worth_of_shares(*accused, groups)
    assert worth.correlation == 0.0
    assert worth.members < 25
    plain = precision_at_prior(200, 400, 20, 400, prior=0.5)
    grouped = precision_at_prior(200, 400, 20, 400, prior=0.5, worth=worth)
    assert plain is not None
    assert grouped is not None
    assert grouped.low < plain.low < plain.high < grouped.high


def test_groups_of_another_number_of_records_are_refused() -> None:
    with pytest.raises(DataError, match="expected one for each"):
        split_groups([1, 1, 2], [True, False])
