"""Many climbers at once."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.synthesis.test_climbing import RULES, assert_same, plain, target


@settings(max_examples=10)
@given(climbers=st.integers(1, 70), seed=st.integers(0, 99))
def test_how_many_climb_at_once_changes_nothing(climbers, seed):
    assert_same(plain(target(), seed, climbers=climbers), plain(target(), seed, climbers=17))


def test_finished_climbers_are_replaced_so_that_batches_stay_full():
    model = target()
    plain(model, per_class=200, climbers=50, rules=replace(RULES, failmax=50))
    first_short = next(i for i, size in enumerate(model.batches) if size < 50)
    assert sum(model.batches[first_short:]) < 0.1 * sum(model.batches)  # only when there is nobody left to start
