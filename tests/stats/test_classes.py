import numpy as np
import pytest

from gnomon.core.errors import DataError
from gnomon.stats.classes import class_rates, percentiles
from gnomon.stats.roc import auc


def test_each_class_is_what_a_loop_over_classes_finds() -> None:
    rng = np.random.default_rng(0)
    scores, member, labels = rng.integers(0, 6, 300), rng.random(300) < 0.4, rng.integers(0, 5, 300)
    for rates in class_rates(scores, member, labels, 3.0, classes=5):
        m = scores[member & (labels == rates.label)]
        n = scores[~member & (labels == rates.label)]
        tpr, fpr = (m >= 3).mean(), (n >= 3).mean()
        assert (rates.members, rates.nonmembers) == (len(m), len(n))
        assert (rates.recall, rates.fpr) == (tpr, fpr)
        assert rates.precision == pytest.approx(tpr / (tpr + fpr))
        assert rates.auc == pytest.approx(auc(m, n).value)


def test_empty_and_one_sided_classes_say_none() -> None:
    empty, only_members, only_others, both = class_rates(
        [5, 1, 0, 0], [True, False, True, False], [1, 2, 3, 3], 2.0, classes=4
    )
    assert (empty.recall, empty.precision, empty.auc, empty.members) == (None, None, None, 0)
    assert (only_members.recall, only_members.precision, only_members.auc) == (1.0, None, None)
    assert (only_others.recall, only_others.fpr) == (None, 0.0)
    assert (both.recall, both.precision, both.auc) == (0.0, None, 0.5)


def test_a_missing_threshold_accuses_nobody() -> None:
    (rates,) = class_rates([np.inf, 0], [True, False], [0, 0], None, classes=1)
    assert (rates.recall, rates.precision, rates.auc) == (0.0, None, 1.0)


def test_labels_outside_the_classes_are_refused() -> None:
    with pytest.raises(DataError, match=r"0 \.\. 1"):
        class_rates([1, 0], [True, False], [0, 2], 0.0, classes=2)


def test_percentiles_leave_out_what_is_missing() -> None:
    result = percentiles([*np.arange(101.0), None])
    assert result is not None
    assert (result.p10, result.p25, result.p50, result.p75, result.p90) == (10, 25, 50, 75, 90)
    assert percentiles([None]) is None
