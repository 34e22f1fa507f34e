"""What trees learn from shadow rows, and what is refused as a lesson."""

import numpy as np
import pytest

from gnomon.attacks.parts.boosting import (
    ON_SHADOWS,
    bin_edges,
    check_both_kinds,
    check_learning,
    grow_trees,
    known_rows,
    learn_trees,
)
from gnomon.core.answers import ShadowAnswers
from gnomon.core.errors import DataError, UsageError


def pool(m: int = 3, n: int = 40) -> ShadowAnswers:
    """Shadows whose observation is 2 on their own rows and 0 on others."""
    rng = np.random.default_rng(0)
    member = rng.random((m, n)) < 0.5
    answers = np.log(rng.dirichlet(np.ones(2), size=(m, n))).astype(np.float32)
    seen = {"twice": [np.where(mask, 2.0, 0.0)[:, None] for mask in member]}
    usable = np.ones((m, n), bool)
    usable[:, : n // 4] = False
    return ShadowAnswers(answers, np.arange(n), rng.integers(0, 2, n), member, usable, observed=seen)


def test_known_rows_are_usable_ones_with_their_own_truth() -> None:
    values, member = known_rows(pool(), "twice", 1000, np.random.default_rng(1))
    assert len(values) == 3 * 30
    np.testing.assert_array_equal(values[:, 0] == 2.0, member)


def test_known_rows_are_shared_out_among_the_shadows() -> None:
    values, member = known_rows(pool(), "twice", 30, np.random.default_rng(1))
    assert len(values) == len(member) == 30
    with pytest.raises(UsageError, match='lacks the observation "once"'):
        known_rows(pool(), "once", 30, np.random.default_rng(1))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_log_odds_are_those_of_members_and_others_in_equal_number(share: float) -> None:
    rng = np.random.default_rng(2)
    member = rng.random(6000) < share
    features = np.where(member, rng.random(6000) < 0.8, rng.random(6000) < 0.2)[:, None].astype(float)
    odds = learn_trees(features, member, 60, rng)(np.array([[0.0], [1.0]]))
    np.testing.assert_allclose(odds, [-np.log(4), np.log(4)], atol=0.25)


def test_a_weight_of_three_is_a_row_three_times() -> None:
    rng = np.random.default_rng(3)
    column, weight = rng.normal(size=400).round(2), rng.integers(1, 4, 400)
    repeated = np.percentile(np.repeat(column, weight), 100 * np.arange(1, 16) / 16, method="averaged_inverted_cdf")
    np.testing.assert_array_equal(bin_edges(column, weight, bins=16), np.unique(repeated))
    assert len(bin_edges(column.round(0), weight, bins=16)) == 0, "few values are their own bins"


def test_trees_on_bins_are_those_that_scikit_learn_grows_on_numbers() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(4)
    features, weight = rng.normal(size=(600, 3)), rng.choice([0.5, 0.8, 1.6], 600)
    features[:, 2] = features[:, 2] > 0
    member = features[:, 0] + rng.normal(size=600) > 0
    ours = grow_trees(features, member, 5, 0, leaf=20, weight=weight, **ON_SHADOWS)(features)
    twin = HistGradientBoostingClassifier(
        max_iter=5, max_leaf_nodes=8, min_samples_leaf=20, early_stopping=False, random_state=0, **ON_SHADOWS
    ).fit(features, member, sample_weight=weight)
    np.testing.assert_array_equal(ours, twin.decision_function(features))


@pytest.mark.parametrize("options", [(0, 100), (10, 1)])
def test_nothing_to_learn_with_is_refused(options: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="expected trees >= 1 and max_rows >= 2"):
        check_learning("trees", *options)


@pytest.mark.parametrize("member", [[True, True], [False]])
def test_rows_of_one_kind_teach_nothing(member: list[bool]) -> None:
    with pytest.raises(DataError, match="expected shadow rows of both kinds"):
        check_both_kinds(np.array(member))
