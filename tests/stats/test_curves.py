import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from gnomon.core.errors import UsageError
from gnomon.stats.curves import histogram, thin_roc
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import roc_curve

SCORE = st.one_of(st.floats(allow_nan=False), st.integers(-2, 2).map(float))
SAMPLE = st.lists(SCORE, min_size=1, max_size=15)


def test_a_thinned_curve_keeps_corners_ends_and_size() -> None:
    rng = np.random.default_rng(0)
    for n1, n0 in [(50_000, 50_000), (300, 70_000), (70_000, 300), (5, 5)]:
        m, n = rng.normal(1, 1, n1), rng.normal(0, 1, n0)
        full, thin = roc_curve(m, n), thin_roc(m, n)
        assert len(thin.fpr) <= 400
        assert set(zip(thin.fpr, thin.tpr, strict=True)) <= set(zip(full.fpr, full.tpr, strict=True))
        assert (thin.fpr[0], thin.tpr[0], thin.fpr[-1], thin.tpr[-1]) == (0, 0, 1, 1)
        assert (np.diff(thin.fpr) >= 0).all()
        assert (np.diff(thin.tpr) >= 0).all()


def test_the_low_end_is_exact() -> None:
    rng = np.random.default_rng(1)
    m, n = rng.normal(1.5, 1, 20_000), rng.normal(0, 1, 20_000)
    thin = thin_roc(m, n)
    for count in range(21):
        at = np.flatnonzero(thin.fpr <= count / 20_000 + 1e-12)[-1]
        assert thin.tpr[at] == np.mean(m > np.sort(n)[::-1][count])


def test_nothing_of_the_area_is_lost_to_the_eye() -> None:
    rng = np.random.default_rng(2)
    m, n = rng.normal(1, 1, 100_000), rng.normal(0, 1, 100_000)
    full, thin = roc_curve(m, n), thin_roc(m, n)
    grid = np.geomspace(1e-4, 1, 2000)
    gap = np.abs(np.interp(grid, full.fpr, full.tpr) - np.interp(grid, thin.fpr, thin.tpr))
    assert gap.max() < 0.01
    relative = gap / np.interp(
        grid, full.fpr, full.tpr
    )  # on the logarithmic axis: a single step may be as high as 12 %
    assert np.median(relative) < 0.005
    assert relative.max() < 0.15


def test_the_band_holds_the_curve_and_agrees_with_the_table() -> None:
    rng = np.random.default_rng(3)
    m, n = rng.normal(1, 1, 2000), rng.normal(0, 1, 2000)
    thin = thin_roc(m, n)
    assert (thin.low <= thin.tpr).all()
    assert (thin.tpr <= thin.high).all()
    at = np.flatnonzero(thin.fpr <= 0.005)[-1]
    assert thin.fpr[at] == 0.005
    table = tpr_at_fpr(m, n, 0.005).tpr
    assert table is not None
    assert (table.value, table.low, table.high) == (thin.tpr[at], thin.low[at], thin.high[at])


def test_the_band_covers_pointwise() -> None:
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(60):
        thin = thin_roc(rng.normal(1, 1, 400), rng.normal(0, 1, 400), points=100)
        truth = norm.sf(norm.isf(thin.fpr) - 1)
        inside.append(np.mean((thin.low <= truth + 1e-12) & (truth <= thin.high + 1e-12)))
    assert np.mean(inside) >= 0.95


@given(SAMPLE, SAMPLE)
def test_small_curves_stay_whole(members: list[float], nonmembers: list[float]) -> None:
    full, thin = roc_curve(members, nonmembers), thin_roc(members, nonmembers)
    assert np.allclose(np.interp(full.fpr, thin.fpr, thin.tpr)[full.fpr == 1], 1)
    area = [np.sum(np.diff(c.fpr) * (c.tpr[1:] + c.tpr[:-1])) for c in (full, thin)]
    assert area[0] == pytest.approx(area[1])


def test_too_few_points_are_refused() -> None:
    with pytest.raises(UsageError, match="points=3"):
        thin_roc([1.0], [0.0], points=3)


@given(SAMPLE, SAMPLE, st.integers(1, 50))
def test_a_histogram_counts_every_score_once(members: list[float], nonmembers: list[float], bins: int) -> None:
    result = histogram(members, nonmembers, bins=bins)
    assert result.members.sum() == len(members)
    assert result.nonmembers.sum() == len(nonmembers)
    assert len(result.edges) == len(result.members) + 1 == len(result.nonmembers) + 1
    assert np.isfinite(result.edges).all()
    assert (np.diff(result.edges) > 0).all()


def test_infinities_and_outliers_go_to_the_outer_bins() -> None:
    rng = np.random.default_rng(5)
    m = np.r_[rng.normal(0, 1, 1000), [np.inf] * 7, [1e12]]
    n = np.r_[rng.normal(0, 1, 1000), [-np.inf] * 5]
    result = histogram(m, n, bins=20)
    assert result.edges[-1] < 5
    assert result.members[-1] >= 8
    assert result.nonmembers[0] >= 5
    assert 13 <= result.clipped <= 40


def test_the_largest_floats_do_not_overflow() -> None:
    huge = 1.7976931348623157e308
    for m, n in [([huge], [huge]), ([-huge], [huge]), ([-huge], [-huge]), ([5e-324], [0.0])]:
        result = histogram(m, n, bins=3)
        assert np.isfinite(np.diff(result.edges)).all()
        assert result.members.sum() == result.nonmembers.sum() == 1


def test_constant_scores_have_a_histogram() -> None:
    result = histogram([2.0, 2.0], [2.0], bins=4)
    assert result.edges[0] < 2.0 < result.edges[-1]
    assert result.members.max() == 2
    assert histogram([np.inf], [-np.inf], bins=3).members.tolist() == [0, 0, 1]
