import numpy as np
import pytest

from gnomon.core.answers import halve


@pytest.mark.parametrize(("inside", "outside"), [(0, 1), (1, 1), (2, 5), (7, 4), (50, 50)])
def test_halves_hold_equal_numbers_of_members_and_of_non_members(inside, outside):
    member = np.random.default_rng(0).permutation(np.arange(inside + outside) < inside)
    insider = halve(member, np.random.default_rng(1))
    for side in (True, False):
        counts = np.bincount(insider.fold[member == side], minlength=2)
        assert abs(counts[0] - counts[1]) <= 1


def test_nobody_is_told_what_he_judges():
    member = np.arange(20) < 9
    insider = halve(member, np.random.default_rng(0))
    for fold in (0, 1):
        rows, told = insider.told(fold)
        assert not set(rows) & set(insider.judged(fold))
        assert sorted([*rows, *insider.judged(fold)]) == list(range(20))
        np.testing.assert_array_equal(told, member[rows])


def test_the_truth_is_a_copy_and_travels_with_its_rows():
    member = np.arange(6) < 3
    insider = halve(member, np.random.default_rng(0))
    member[:] = False
    assert insider.truth.sum() == 3
    order = np.array([5, 0, 3])
    some = insider.at(order)
    np.testing.assert_array_equal(some.truth, insider.truth[order])
    np.testing.assert_array_equal(some.fold, insider.fold[order])
