import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from gnomon.core.errors import UsageError
from gnomon.stats.rates import precision_at_prior, rates_at_threshold, rates_from_counts

FINITE = st.floats(-5, 5)

# Shokri et al. (2017), table III: total accuracy, precision and recall of the attack, as recalled, not re-read.
TABLE_3 = [
    (0.92, 0.87, 1.00), (0.92, 0.87, 0.99), (0.89, 0.83, 1.00), (0.66, 0.60, 0.99), (0.92, 0.87, 0.99),
    (0.89, 0.83, 1.00), (0.88, 0.86, 0.93), (0.84, 0.83, 0.86), (0.87, 0.81, 0.96), (0.77, 0.73, 0.86),
    (0.53, 0.54, 0.52), (0.83, 0.77, 0.95), (0.83, 0.77, 0.95), (0.82, 0.76, 0.95), (0.73, 0.67, 0.93),
    (0.83, 0.77, 0.95), (0.81, 0.75, 0.96), (0.79, 0.77, 0.83), (0.76, 0.76, 0.76), (0.80, 0.74, 0.96),
    (0.73, 0.69, 0.86), (0.66, 0.64, 0.73), (0.52, 0.52, 0.53),
]  # fmt: skip


@pytest.mark.parametrize(("total", "precision", "recall"), TABLE_3)
def test_balanced_accuracy_follows_from_precision_and_recall(total: float, precision: float, recall: float) -> None:
    n = 100_000
    tp = round(recall * n)
    fp = round(recall * (1 / precision - 1) * n)
    rates = rates_from_counts(tp, n, fp, n)
    assert rates.precision is not None
    assert rates.precision.value == pytest.approx(precision, abs=1e-4)
    # Each is printed with two digits: the total must lie among those that the rounded others allow.
    least, most = ((1 + r * (2 - 1 / p)) / 2 for p, r in [(precision - h, recall - h) for h in (0.005, -0.005)])
    assert least - 0.0055 <= total <= most + 0.0055
    assert least <= rates.accuracy.value <= most


@given(st.lists(FINITE, min_size=1), st.lists(FINITE, min_size=1), FINITE)
def test_rates_are_what_they_say(members: list[float], nonmembers: list[float], t: float) -> None:
    rates = rates_at_threshold(members, nonmembers, t)
    recall, fpr = np.mean(np.array(members) >= t), np.mean(np.array(nonmembers) >= t)
    assert rates.recall.value == recall
    assert rates.fpr.value == fpr
    assert rates.accuracy.value == pytest.approx((recall + 1 - fpr) / 2)
    assert rates.advantage.value == pytest.approx(recall - fpr)
    for interval in (rates.recall, rates.fpr, rates.accuracy):
        assert 0 <= interval.low <= interval.value <= interval.high <= 1
    if rates.precision is None:
        assert recall == fpr == 0
    else:
        assert rates.precision.value == pytest.approx(recall / (recall + fpr))


@given(st.lists(FINITE, min_size=1), st.lists(FINITE, min_size=1))
def test_swapping_the_samples_mirrors_the_advantage(members: list[float], nonmembers: list[float]) -> None:
    there, back = (rates_at_threshold(*pair, 0.0).advantage for pair in [(members, nonmembers), (nonmembers, members)])
    assert there.value == -back.value
    assert there.low == pytest.approx(-back.high)


def test_unequal_samples_do_not_bias_accuracy_or_precision() -> None:
    few, many = rates_from_counts(80, 100, 10, 100), rates_from_counts(80, 100, 10_000, 100_000)
    assert few.accuracy.value == many.accuracy.value
    assert few.precision is not None
    assert many.precision is not None
    assert few.precision.value == pytest.approx(many.precision.value)


def test_nobody_accused_has_no_precision() -> None:
    rates = rates_at_threshold([1.0, np.inf], [0.0], None)
    assert (rates.true_positives, rates.false_positives, rates.precision) == (0, 0, None)
    assert rates.accuracy.value == 0.5


def test_infinite_scores_meet_infinite_thresholds() -> None:
    assert rates_at_threshold([1.0, np.inf], [0.0], np.inf).true_positives == 1
    assert rates_at_threshold([-np.inf], [-np.inf], -np.inf).false_positives == 1


def test_nonsense_is_refused() -> None:
    with pytest.raises(UsageError, match="NaN"):
        rates_at_threshold([1.0], [0.0], float("nan"))
    with pytest.raises(UsageError, match="accused"):
        rates_from_counts(3, 2, 0, 2)
    with pytest.raises(UsageError, match="prior"):
        precision_at_prior(1, 2, 0, 2, prior=1.0)


def test_precision_falls_with_the_prior() -> None:
    # Bayes' rule by hand: TPR 0.5, FPR 0.01 at prior 1 %: 0.005 / (0.005 + 0.0099).
    values = [precision_at_prior(50, 100, 1, 100, prior=prior).value for prior in (0.5, 0.1, 0.01)]
    assert values == pytest.approx([50 / 51, 0.05 / 0.059, 0.005 / 0.0149])


@pytest.mark.parametrize("prior", [0.5, 0.1, 0.01])
@pytest.mark.parametrize(("tpr", "fpr"), [(0.5, 0.5), (0.9, 0.1), (0.3, 0.02), (0.05, 0.001), (1.0, 0.2)])
@pytest.mark.parametrize(("n1", "n0"), [(20, 20), (15, 60)])
def test_precision_interval_covers(prior: float, tpr: float, fpr: float, n1: int, n0: int) -> None:
    # Exactly, by summing over all outcomes in which somebody is accused.
    truth = prior * tpr / (prior * tpr + (1 - prior) * fpr)
    covered = accused = 0.0
    for tp in range(n1 + 1):
        for fp in range(n0 + 1):
            chance = binom_table(n1, tpr)[tp] * binom_table(n0, fpr)[fp]
            if tp + fp and chance > 1e-9:
                interval = precision_at_prior(tp, n1, fp, n0, prior=prior)
                accused += chance
                covered += chance * (interval.low <= truth <= interval.high)
    assert covered >= 0.95 * accused - 1e-6


def binom_table(n: int, p: float) -> np.ndarray:
    return binom.pmf(np.arange(n + 1), n, p)
