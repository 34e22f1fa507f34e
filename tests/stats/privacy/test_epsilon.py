import math

import numpy as np
import pytest
from scipy.stats import beta

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.intervals import clopper_pearson
from gnomon.stats.privacy.epsilon import (
    Bonferroni,
    Choice,
    Given,
    MultiSplit,
    Split,
    epsilon_ceiling,
    epsilon_from_counts,
    epsilon_lower_bound,
)
from gnomon.stats.privacy.mechanisms import gaussian_epsilon
from gnomon.stats.roc import roc_curve

DELTA = 1e-5


@pytest.mark.parametrize(
    ("tp", "fp", "n", "delta", "expected"),
    [
        (1000, 0, 1000, 0.0, 5.60059),
        (990, 10, 1000, 0.0, 3.98165),
        (600, 400, 1000, 0.0, 0.27728),
        (500, 5, 1000, 1e-5, 3.69608),
        (500, 0, 500, 0.0, 4.90559),
    ],
)
def test_published_vectors(tp: int, fp: int, n: int, delta: float, expected: float) -> None:
    assert epsilon_from_counts(tp, n, fp, n, delta=delta) == pytest.approx(expected, abs=1e-5)


def test_useless_guesses_show_nothing() -> None:
    assert epsilon_from_counts(500, 1000, 500, 1000) == 0.0
    assert epsilon_from_counts(0, 10, 10, 10) == 0.0
    assert epsilon_from_counts(0, 10, 0, 10) == 0.0
    assert epsilon_from_counts(10, 10, 10, 10) == 0.0


def test_it_is_the_formula_written_out() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        n1, n0 = rng.integers(5, 500, 2)
        tp, fp = rng.integers(1, n1), rng.integers(1, n0)
        tpr_low, fpr_high = beta.ppf(0.025, tp, n1 - tp + 1), beta.ppf(0.975, fp + 1, n0 - fp)
        tnr_low, fnr_high = beta.ppf(0.025, n0 - fp, fp + 1), beta.ppf(0.975, n1 - tp + 1, tp)
        terms = [(tpr_low - DELTA) / fpr_high, (tnr_low - DELTA) / fnr_high, 1.0]
        expected = max(math.log(term) for term in terms if term > 0)
        assert epsilon_from_counts(tp, n1, fp, n0, delta=DELTA) == pytest.approx(expected, abs=1e-9)


def test_swapping_the_worlds_and_the_guesses_changes_nothing() -> None:
    for tp, n1, fp, n0 in [(80, 100, 7, 300), (3, 9, 1, 50)]:
        there = epsilon_from_counts(tp, n1, fp, n0, delta=DELTA)
        back = epsilon_from_counts(n0 - fp, n0, n1 - tp, n1, delta=DELTA)
        assert there == pytest.approx(back)


def test_no_attack_shows_more_than_the_ceiling() -> None:
    ceiling = epsilon_ceiling(60, 40)
    shown = [epsilon_from_counts(tp, 60, fp, 40) for tp in range(61) for fp in range(41)]
    assert max(shown) == ceiling
    perfect = epsilon_lower_bound(np.ones(1000), np.zeros(1000), choice=Given(0.5))
    assert perfect.epsilon == perfect.ceiling == pytest.approx(5.60059, abs=1e-5)


@pytest.mark.parametrize("choice", [Given(5.0), Split(), MultiSplit(splits=5), Bonferroni()])
def test_a_perfect_attack_comes_near_the_ceiling(choice: Choice) -> None:
    rng = np.random.default_rng(0)
    bound = epsilon_lower_bound(10 + rng.random(2000), rng.random(2000), choice=choice, rng=rng)
    assert 0.9 * bound.ceiling <= bound.epsilon <= bound.ceiling + 1e-12
    assert bound.false_positives <= 2
    assert bound.choice == type(choice).__name__


def test_bonferroni_pays_for_every_rank() -> None:
    # Two ranks: above the largest of 50 non-members, or above the smallest; each at half the error.
    rng = np.random.default_rng(0)
    for shift in (0.5, 2.0, 4.0):
        m, n = gaussian(rng, shift, 50)
        at = [(int((m > n.max()).sum()), 0), (int((m > n.min()).sum()), 49)]
        expected = max(epsilon_from_counts(tp, 50, fp, 50, confidence=0.975) for tp, fp in at)
        assert epsilon_lower_bound(m, n, choice=Bonferroni(2)).epsilon == pytest.approx(expected)
    assert expected > 0


def test_many_splits_pay_with_half_the_error() -> None:
    rng = np.random.default_rng(0)
    members, nonmembers = 10 + rng.random(80), rng.random(60)
    once = epsilon_lower_bound(members, nonmembers, choice=Split(), rng=rng)
    assert once.epsilon == pytest.approx(epsilon_from_counts(40, 40, 0, 30))
    often = epsilon_lower_bound(members, nonmembers, choice=MultiSplit(splits=4), rng=rng)
    assert often.epsilon == pytest.approx(epsilon_from_counts(40, 40, 0, 30, confidence=0.975))
    assert (often.members, often.nonmembers, often.confidence) == (40, 30, 0.95)


def gaussian(rng: np.random.Generator, mu: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(mu, 1, n), rng.normal(0, 1, n)


def randomised_response(rng: np.random.Generator, epsilon: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    q = 1 / (1 + math.exp(-epsilon))
    return 1.0 * (rng.random(n) < q), 1.0 * (rng.random(n) >= q)


# A true 5 % shows more than 41 of 500 (or 24 of 250) in about 0.1 % of cases.
ALLOWED = {500: 41, 250: 24}


@pytest.mark.parametrize(
    ("choice", "runs"), [(Given(0.3), 500), (Split(), 500), (MultiSplit(splits=5), 250), (Bonferroni(), 500)]
)
@pytest.mark.parametrize("assume", ["nothing", "gaussian"])
def test_on_no_leak_the_bound_is_positive_in_at_most_5_percent(choice: Choice, runs: int, assume) -> None:
    rng = np.random.default_rng(6)
    positive = sum(
        epsilon_lower_bound(*gaussian(rng, 0.0, 100), choice=choice, assume=assume, delta=DELTA, rng=rng).epsilon > 0
        for _ in range(runs)
    )
    assert positive <= ALLOWED[runs]


def test_a_threshold_chosen_on_the_same_scores_would_fail_that_test() -> None:
    # The naive bound: the best of all thresholds, each rate's limit at 5 % on its one side.
    rng, runs, n = np.random.default_rng(6), 60, 3000
    positive = 0
    for _ in range(runs):
        curve = roc_curve(*gaussian(rng, 0.0, n))
        tpr_low, _ = clopper_pearson(curve.true_positives, n, confidence=0.90)
        _, fpr_high = clopper_pearson(curve.false_positives, n, confidence=0.90)
        positive += bool((tpr_low > fpr_high).any())
    assert positive > 8  # a bound that held would show 8 or fewer in 99.8 % of cases


@pytest.mark.parametrize(
    ("choice", "runs", "floor"),
    [(Given(0.5), 500, 0.8), (Split(), 500, 0.7), (MultiSplit(splits=5), 250, 0.65), (Bonferroni(), 500, 0.5)],
)
@pytest.mark.parametrize("epsilon", [1.0, 3.0])
def test_randomised_response(choice: Choice, runs: int, floor: float, epsilon: float) -> None:
    rng = np.random.default_rng(7)
    bounds = np.array(
        [
            epsilon_lower_bound(*randomised_response(rng, epsilon, 600), choice=choice, rng=rng).epsilon
            for _ in range(runs)
        ]
    )
    assert (bounds > epsilon).sum() <= ALLOWED[runs]
    assert np.median(bounds) / epsilon > floor


@pytest.mark.parametrize(
    ("choice", "runs", "floor"), [(Given(0.5), 500, 0.7), (Split(), 250, 0.5), (Bonferroni(), 500, 0.6)]
)
@pytest.mark.parametrize("mu", [1.0, 3.0])
def test_gaussian_mechanism_when_it_is_known_to_be_one(choice: Choice, runs: int, floor: float, mu: float) -> None:
    rng, truth = np.random.default_rng(8), gaussian_epsilon(mu, DELTA)
    bounds = np.array(
        [
            epsilon_lower_bound(*gaussian(rng, mu, 600), delta=DELTA, choice=choice, assume="gaussian", rng=rng).epsilon
            for _ in range(runs)
        ]
    )
    assert (bounds > truth).sum() <= ALLOWED[runs]
    assert np.median(bounds) / truth > floor


def test_gaussian_mechanism_when_nothing_is_assumed() -> None:
    # Counting can't see further than its ceiling (6.0 from 1,500 trials of each kind), however large epsilon is.
    rng, mu = np.random.default_rng(9), 3.0
    found = [epsilon_lower_bound(*gaussian(rng, mu, 1500), delta=DELTA) for _ in range(300)]
    bounds = np.array([bound.epsilon for bound in found])
    assert (bounds > gaussian_epsilon(mu, DELTA)).sum() == 0
    assert np.median(bounds) > 4.0
    # At delta = 0.05 epsilon is within reach of counting, so its error rate can be seen.
    truth = gaussian_epsilon(1.0, 0.05)
    wide = np.array([epsilon_lower_bound(*gaussian(rng, 1.0, 1500), delta=0.05).epsilon for _ in range(300)])
    assert (wide > truth).sum() <= 27
    assert np.median(wide) > 0.5 * truth


def test_what_can_not_be_is_refused() -> None:
    scores = np.arange(10.0)
    with pytest.raises(UsageError, match="rng"):
        epsilon_lower_bound(scores, scores, choice=Split())
    with pytest.raises(DataError, match="split"):
        epsilon_lower_bound([1.0], scores, choice=Split(), rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="share"):
        epsilon_lower_bound(scores, scores, choice=Split(1.5), rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="splits=0"):
        epsilon_lower_bound(scores, scores, choice=MultiSplit(splits=0), rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="ranks=0"):
        epsilon_lower_bound(scores, scores, choice=Bonferroni(0))
    with pytest.raises(UsageError, match="delta=0"):
        epsilon_lower_bound(scores + 100, scores, choice=Given(50.0), assume="gaussian")
    with pytest.raises(UsageError, match="accused"):
        epsilon_from_counts(11, 10, 0, 10)


def test_infinite_and_tied_scores_are_fine() -> None:
    rng = np.random.default_rng(0)
    for choice in (Split(), MultiSplit(splits=3), Bonferroni(), Given(np.inf)):
        bound = epsilon_lower_bound(np.full(50, np.inf), np.full(50, -np.inf), choice=choice, rng=rng)
        assert bound.epsilon > 0
        tied = epsilon_lower_bound(np.full(50, np.inf), np.full(50, np.inf), choice=choice, rng=rng)
        assert tied.epsilon == 0
