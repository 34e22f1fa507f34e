import numpy as np
import pytest
from scipy.stats import binom, binomtest

from gnomon.core.errors import UsageError
from gnomon.stats.intervals import clopper_pearson, share, share_difference, wilson


def test_clopper_pearson_and_wilson_agree_with_scipy() -> None:
    for hits, trials in [(0, 1), (1, 1), (0, 17), (17, 17), (3, 17), (500, 1000), (1, 100_000)]:
        exact = binomtest(hits, trials).proportion_ci(0.9, method="exact")
        assert np.allclose(clopper_pearson(hits, trials, confidence=0.9), [exact.low, exact.high], atol=1e-12)
        score = binomtest(hits, trials).proportion_ci(0.9, method="wilson")
        assert np.allclose(wilson(hits, trials, confidence=0.9), [score.low, score.high], atol=1e-12)


def test_clopper_pearson_never_covers_less_than_it_says() -> None:
    for trials in (1, 7, 40):
        hits = np.arange(trials + 1)
        low, high = clopper_pearson(hits, trials)
        truth = np.linspace(0, 1, 501)[:, None]
        covered = ((low <= truth) & (truth <= high)) * binom.pmf(hits, trials, truth)
        assert covered.sum(axis=1).min() >= 0.95


def test_share_difference_covers_on_average_and_never_grossly_fails() -> None:
    # Exactly, by summing over all outcomes: unequal samples, shares near the corners included.
    for n1, n0 in [(30, 30), (20, 100), (10, 60)]:
        k1, k0 = np.meshgrid(np.arange(n1 + 1), np.arange(n0 + 1), indexing="ij")
        bounds = np.array([[(i.low, i.high) for i in row] for row in _differences(n1, n0)])
        coverage = [
            float((((bounds[..., 0] <= p1 - p0 + 1e-12) & (p1 - p0 - 1e-12 <= bounds[..., 1]))
                   * binom.pmf(k1, n1, p1) * binom.pmf(k0, n0, p0)).sum())
            for p1 in (0.02, 0.1, 0.3, 0.5, 0.8, 0.99)
            for p0 in (0.001, 0.02, 0.1, 0.3, 0.5, 0.8)
        ]  # fmt: skip
        assert min(coverage) >= 0.90
        assert np.mean(coverage) >= 0.95


def _differences(n1: int, n0: int) -> list[list]:
    return [[share_difference(a, n1, b, n0) for b in range(n0 + 1)] for a in range(n1 + 1)]


def test_newcombes_published_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table II, method 10: 56/70 - 48/80 and 10/10 - 0/10.
    first = share_difference(56, 70, 48, 80)
    assert (round(first.low, 4), round(first.high, 4)) == (0.0524, 0.3339)
    corner = share_difference(10, 10, 0, 10)
    assert (round(corner.low, 4), round(corner.high, 4)) == (0.6075, 1.0)


def test_difference_is_antisymmetric() -> None:
    there, back = share_difference(3, 11, 9, 20), share_difference(9, 20, 3, 11)
    assert there.value == -back.value
    assert there.low == pytest.approx(-back.high)
    assert there.high == pytest.approx(-back.low)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, float("nan")])
def test_confidence_outside_its_range_is_refused(confidence: float) -> None:
    with pytest.raises(UsageError, match="confidence"):
        share(1, 2, confidence=confidence)
