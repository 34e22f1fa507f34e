import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import UsageError
from gnomon.stats.false_discovery import accusations, conformal_p_values

SCORE = st.one_of(st.integers(-3, 3).map(float), st.sampled_from([np.inf, -np.inf]))
SAMPLE = st.lists(SCORE, min_size=1, max_size=15)


@given(SAMPLE, SAMPLE, st.sampled_from([0.05, 0.2, 0.5]))
def test_it_is_benjamini_and_hochberg_written_out(scores: list[float], known: list[float], fdr: float) -> None:
    p_values = [(1 + sum(other >= score for other in known)) / (1 + len(known)) for score in scores]
    assert conformal_p_values(scores, known) == pytest.approx(p_values)
    count = max(
        (k for k in range(1, len(scores) + 1) if sorted(p_values)[k - 1] <= fdr * k / len(scores) + 1e-12), default=0
    )
    result = accusations(scores, known, fdr)
    assert result.count == count == result.accused.sum()
    if count:
        assert result.threshold is not None
        assert (result.accused == (np.array(scores) >= result.threshold)).all()


def test_the_false_discovery_rate_is_kept_and_used() -> None:
    rng, wanted = np.random.default_rng(0), 0.1
    false_shares, found = [], []
    for _ in range(400):
        scores = np.r_[rng.normal(3, 1, 100), rng.normal(0, 1, 300)]
        result = accusations(scores, rng.normal(0, 1, 1000), wanted)
        false_shares.append(result.accused[100:].sum() / max(result.count, 1))
        found.append(result.accused[:100].mean())
    # The procedure's rate is 0.1 * 300 / 400 exactly in expectation; the mean of 400 shares has an error of some 0.002.
    assert np.mean(false_shares) <= wanted
    assert np.mean(false_shares) == pytest.approx(0.075, abs=0.01)
    assert np.mean(found) > 0.75


def test_on_noise_somebody_is_accused_in_at_most_the_wanted_share_of_runs() -> None:
    rng = np.random.default_rng(1)
    accused = sum(accusations(rng.normal(size=50), rng.normal(size=499), 0.1).count > 0 for _ in range(1000))
    assert accused <= 130  # a true 10 % shows more in 0.1 % of cases


def test_ties_do_not_break_it() -> None:
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(300):
        scores = np.round(np.r_[rng.normal(2, 1, 50), rng.normal(0, 1, 150)])
        result = accusations(scores, np.round(rng.normal(0, 1, 500)), 0.2)
        shares.append(result.accused[50:].sum() / max(result.count, 1))
    assert np.mean(shares) <= 0.2


def test_a_calibration_sample_that_is_too_small_says_so() -> None:
    result = accusations([9.0, 9.0], [0.0] * 8, 0.1)
    assert (result.count, result.threshold, result.least) == (0, None, None)
    assert result.reason == "too few calibration non-members (have 8, need 9 or more)"
    assert accusations([9.0, 9.0], [0.0] * 9, 0.1).count == 2


def test_the_least_number_of_accusations_follows_from_the_sample() -> None:
    # One perfect score among 100 with 99 calibration scores: p = 0.01, far above 0.1 / 100.
    scores = np.r_[[9.0], np.zeros(99)]
    result = accusations(scores, np.zeros(99), 0.1)
    assert (result.count, result.least, result.reason) == (0, 10, None)
    ten = accusations(np.r_[np.full(10, 9.0), np.zeros(90)], np.zeros(99), 0.1)
    assert (ten.count, ten.least) == (10, 10)


def test_a_rate_outside_its_range_is_refused() -> None:
    with pytest.raises(UsageError, match="fdr=1"):
        accusations([1.0], [0.0], 1.0)
