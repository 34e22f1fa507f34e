import numpy as np
import pytest

from gnomon.core.errors import DataError
from gnomon.stats.roc import auc, roc_curve
from gnomon.stats.samples import check_scores, split_scores, tied_share


def test_nan_is_refused_with_its_count() -> None:
    with pytest.raises(DataError, match="members: 2 of 3 scores are NaN"):
        auc([np.nan, 1.0, np.nan], [0.0])


def test_infinities_are_legal_scores() -> None:
    assert auc([np.inf, 0.0], [-np.inf, 0.0]).value == pytest.approx((1 + 1 + 1 + 0.5) / 4)


@pytest.mark.parametrize("bad", [[], [[1.0]], ["a"], 3.0, [1 + 2j]])
def test_what_is_no_sample_is_refused(bad: object) -> None:
    with pytest.raises(DataError, match="nonmembers"):
        roc_curve([1.0], bad)  # type: ignore[arg-type]


def test_a_mask_must_be_boolean_and_fit() -> None:
    with pytest.raises(DataError, match="boolean mask of shape \\(2,\\)"):
        split_scores([1.0, 2.0], [0, 1])
    with pytest.raises(DataError, match="boolean mask"):
        split_scores([1.0, 2.0], [True])
    with pytest.raises(DataError, match="got 2 members and 0 non-members"):
        split_scores([1.0, 2.0], [True, True])


def test_float32_scores_keep_their_values() -> None:
    scores = np.array([0.1, 0.2], dtype=np.float32)
    assert check_scores(scores, source="s").tolist() == [float(scores[0]), float(scores[1])]


def test_tied_share_counts_rows_not_values() -> None:
    assert tied_share([1, 1, 1, 2]) == 0.75
    assert tied_share([np.inf, np.inf]) == 1.0
    assert tied_share([1, 2, 3]) == 0.0
