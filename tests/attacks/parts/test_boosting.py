"""What trees learn from shadow rows, and what is refused as a lesson."""

import numpy as np
import pytest

from gnomon.attacks.parts.boosting import check_both_kinds, check_learning, known_rows, learn_trees
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


@pytest.mark.parametrize("options", [(0, 100), (10, 1)])
def test_nothing_to_learn_with_is_refused(options: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="expected trees >= 1 and max_rows >= 2"):
        check_learning("trees", *options)


@pytest.mark.parametrize("member", [[True, True], [False]])
def test_rows_of_one_kind_teach_nothing(member: list[bool]) -> None:
    with pytest.raises(DataError, match="expected shadow rows of both kinds"):
        check_both_kinds(np.array(member))
