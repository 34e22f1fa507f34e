import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import UsageError
from gnomon.shadow.masks import draw_shadows, membership, redraw


@given(
    p=st.integers(2, 60),
    share=st.floats(0.02, 0.98),
    count=st.integers(1, 9),
    seed=st.integers(0, 10),
)
def test_sizes_disjointness_and_range_hold_for_any_sizes(p: int, share: float, count: int, seed: int) -> None:
    pool = np.arange(100, 100 + p)
    size = min(max(1, int(share * p)), p - 1)
    drawn = draw_shadows(pool, count, size, np.random.default_rng(seed))
    for train, test in zip(drawn.train, drawn.test, strict=True):
        assert len(set(train.tolist())) == size
        assert len(test) == min(size, p - size)
        assert not set(train.tolist()) & set(test.tolist())
        assert set(train.tolist()) | set(test.tolist()) <= set(pool.tolist())


def test_pairs_of_halves_put_every_row_in_exactly_half_of_the_shadows() -> None:
    pool = np.arange(50)
    drawn = draw_shadows(pool, 6, 25, np.random.default_rng(0))
    assert (membership(drawn.train, pool).sum(axis=0) == 3).all()


def test_other_pairs_say_nothing_of_a_shadow() -> None:
    """Counting a row's memberships in the other pairs must not tell its membership in a shadow."""
    pool = np.arange(4000)
    member = membership(draw_shadows(pool, 8, 1500, np.random.default_rng(1)).train, pool)
    counts = member[2:].sum(axis=0)
    correlation = np.corrcoef(counts, member[0])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(len(pool))


def test_the_last_record_can_be_drawn() -> None:
    drawn = draw_shadows(np.arange(3), 40, 2, np.random.default_rng(0))
    assert any(2 in train for train in drawn.train)


@pytest.mark.parametrize("size", [0, 10, 11])
def test_a_pool_that_is_too_small_is_refused_with_a_way_out(size: int) -> None:
    with pytest.raises(UsageError, match=r"lower shadow\.size, or give more rows"):
        draw_shadows(np.arange(10), 2, size, np.random.default_rng(0))


def test_a_shadow_is_drawn_again_with_rare_rows_and_otherwise_much_as_it_was():
    pool, rng = np.arange(100), np.random.default_rng(0)
    train = np.arange(40, 90)
    rare, common = np.array([0, 1, 2]), np.arange(3, 100)
    chosen, test = redraw(train, pool, [common, rare], rng)
    assert len(chosen) == 50
    assert np.isin(rare, chosen).sum() == 2  # half of them, rounded up
    assert np.isin(train, chosen).sum() == 48
    assert not np.isin(chosen, test).any()
    whole, _ = redraw(train, pool, [common, rare], rng, whole=True)
    assert np.isin(rare, whole).all()
    assert len(whole) == 50


def test_more_categories_than_rows_fill_the_rows_and_no_more():
    chosen, test = redraw(np.arange(5), np.arange(10), [np.array([i]) for i in range(10)], np.random.default_rng(0))
    assert len(np.unique(chosen)) == 5
    assert len(test) == 5


def test_more_shadows_than_memory_holds_are_refused_before_any_is_drawn() -> None:
    with pytest.raises(UsageError, match=r"shadow\.count: 1000000000000 shadow models of 5 rows: .* needs .* GB"):
        draw_shadows(np.arange(10), 10**12, 5, np.random.default_rng(0))
