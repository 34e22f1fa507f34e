import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from sklearn.metrics import roc_auc_score
from tests.stats.worlds import World, exposed, gaussian, lattice, tied_top, yes_or_no

from gnomon.stats.roc import auc, roc_curve

SAMPLE = st.lists(st.one_of(st.integers(-3, 3).map(float), st.sampled_from([np.inf, -np.inf])), min_size=1, max_size=12)


@given(SAMPLE, SAMPLE)
def test_auc_is_the_share_of_ordered_pairs_with_ties_one_half(members: list[float], nonmembers: list[float]) -> None:
    pairs = [1.0 if m > n else 0.5 if m == n else 0.0 for m in members for n in nonmembers]
    result = auc(members, nonmembers)
    assert result.value == pytest.approx(np.mean(pairs))
    assert 0.0 <= result.low <= result.value <= result.high <= 1.0


@given(SAMPLE, SAMPLE)
def test_the_area_under_the_corners_is_the_auc(members: list[float], nonmembers: list[float]) -> None:
    curve = roc_curve(members, nonmembers)
    area = np.sum(np.diff(curve.fpr) * (curve.tpr[1:] + curve.tpr[:-1]) / 2)
    assert area == pytest.approx(auc(members, nonmembers).value)


@given(SAMPLE, SAMPLE)
def test_each_corner_counts_what_its_threshold_accuses(members: list[float], nonmembers: list[float]) -> None:
    curve = roc_curve(members, nonmembers)
    assert len(curve.thresholds) == len(set(members) | set(nonmembers)) + 1
    for t, tp, fp in zip(curve.thresholds, curve.true_positives, curve.false_positives, strict=True):
        assert tp == sum(m >= t for m in members)  # NaN accuses nobody
        assert fp == sum(n >= t for n in nonmembers)


@given(SAMPLE, SAMPLE)
def test_swapping_the_samples_mirrors_value_and_interval(members: list[float], nonmembers: list[float]) -> None:
    there, back = auc(members, nonmembers), auc(nonmembers, members)
    assert there.value == pytest.approx(1 - back.value)
    assert there.low == pytest.approx(1 - back.high, abs=1e-9)
    assert there.high == pytest.approx(1 - back.low, abs=1e-9)


def test_agrees_with_scikit_learn_on_ties() -> None:
    rng = np.random.default_rng(0)
    m, n = rng.integers(0, 9, 400), rng.integers(0, 7, 300)
    reference = roc_auc_score(np.r_[np.ones(400), np.zeros(300)], np.r_[m, n])
    assert auc(m, n).value == pytest.approx(reference, abs=1e-12)


def test_perfect_separation_has_the_exact_interval() -> None:
    # Ten separated pairs: any area below 0.025 ** (1 / 10) would show them separated in under 2.5 % of samples.
    result = auc(np.arange(10.0, 20.0), np.arange(10.0))
    assert (result.value, result.high) == (1.0, 1.0)
    assert result.low == pytest.approx(0.025 ** (1 / 10))
    mirrored = auc(np.arange(10.0), np.arange(10.0, 20.0))
    assert (mirrored.value, mirrored.low) == (0.0, 0.0)
    assert mirrored.high == pytest.approx(1 - result.low)


def test_one_record_on_a_side_tells_next_to_nothing() -> None:
    result = auc([1.0], np.arange(1000.0) / 500)
    assert result.high - result.low > 0.9


def coverage(world: World, n1: int, n0: int, runs: int) -> float:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(runs):
        result = auc(*world.draw(rng, n1, n0))
        hits += result.low - 1e-9 <= world.auc <= result.high + 1e-9
    return hits / runs


@pytest.mark.parametrize("n", [10, 50, 300, 2500])
@pytest.mark.parametrize(
    "world",
    [gaussian(0.5), gaussian(0.9), gaussian(0.99), lattice(0.9), exposed(0.3), yes_or_no(0.9, 0.3), tied_top(0.7)],
    ids=lambda world: world.name,
)
def test_the_interval_covers_the_true_area(world: World, n: int) -> None:
    # 600 runs: a true 95 % stays above 0.925 with 99.7 %; few records may make the interval wide, never blind.
    assert coverage(world, n, n, 600) >= 0.925


@pytest.mark.parametrize("world", [gaussian(0.5), gaussian(0.9), gaussian(0.99), exposed(0.8)], ids=lambda w: w.name)
def test_the_interval_covers_with_unequal_samples(world: World) -> None:
    assert coverage(world, 15, 600, 600) >= 0.925
    assert coverage(world, 600, 15, 600) >= 0.925


def test_on_noise_the_interval_is_not_needlessly_wide() -> None:
    # Nominal means 5 % misses: 2,000 runs of 150 + 150 must show between 3.2 and 6.8 %.
    assert 0.932 <= coverage(gaussian(0.5), 150, 150, 2000) <= 0.968


def test_scores_that_depend_on_each_other_have_a_wider_interval() -> None:
    rng = np.random.default_rng(0)
    members, others = rng.normal(0.5, 1, 400), rng.normal(0, 1, 400)
    alone, wider = auc(members, others), auc(members, others, wider=1.2)
    assert alone.value == wider.value
    assert logit(wider.high) - logit(wider.low) == pytest.approx(1.2 * (logit(alone.high) - logit(alone.low)))
    perfect = auc(members + 10, others, wider=2.0)
    assert perfect.low < auc(members + 10, others).low
