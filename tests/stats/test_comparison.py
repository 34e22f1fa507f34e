import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.comparison import _cut, auc_difference, tpr_difference
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc

SCORES = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: 0 < sum(row[2] for row in rows) < len(rows)
)


@given(SCORES)
def test_values_are_those_of_each_alone_and_swapping_mirrors(rows: list[tuple[int, int, bool]]) -> None:
    first, second, member = (np.array(column) for column in zip(*rows, strict=True))
    there, back = auc_difference(first, second, member), auc_difference(second, first, member)
    assert there.first == pytest.approx(auc(first[member], first[~member]).value)
    assert there.difference.value == pytest.approx(there.first - there.second)
    assert there.difference.low == pytest.approx(-back.difference.high)
    assert {there.change, back.change} in ({"within noise"}, {"higher", "lower"})


def test_the_variance_is_delongs() -> None:
    # The slow twin: structural components over all pairs, covariance of the two areas.
    rng = np.random.default_rng(0)
    n1, n0 = 400, 500
    member = np.arange(n1 + n0) < n1
    first = member + rng.normal(size=n1 + n0)
    second = 0.6 * member + 0.5 * first + rng.normal(size=n1 + n0)
    kernels = [(s[member][:, None] > s[~member]) + 0.5 * (s[member][:, None] == s[~member]) for s in (first, second)]
    by_member = np.cov([kernel.mean(axis=1) for kernel in kernels])
    by_other = np.cov([kernel.mean(axis=0) for kernel in kernels])
    contrast = np.array([1.0, -1.0])
    error = np.sqrt(contrast @ (by_member / n1 + by_other / n0) @ contrast)
    interval = auc_difference(first, second, member).difference
    assert (interval.high - interval.low) / 2 == pytest.approx(1.96 * error, rel=0.02)


def test_same_order_is_exactly_no_difference() -> None:
    rng = np.random.default_rng(1)
    scores, member = rng.normal(size=200), np.arange(200) < 80
    result = auc_difference(scores, np.exp(scores), member)
    assert (result.difference.low, result.difference.high, result.change) == (0.0, 0.0, "within noise")
    same = tpr_difference(scores, scores, member, 0.1, rng=rng).result
    assert same is not None
    assert (same.difference.low, same.difference.high, same.change) == (0.0, 0.0, "within noise")


def test_a_difference_without_spread_is_not_certainty() -> None:
    member = np.arange(10) < 5
    result = auc_difference(np.arange(10.0)[::-1], np.zeros(10), member)
    assert result.difference.value == 0.5
    assert result.difference.low < 0.4


def scores(rng: np.random.Generator, n: int, lifts: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    member, shared = np.arange(2 * n) < n, rng.normal(size=2 * n)
    first, second = (lift * member + 0.8 * shared + 0.6 * rng.normal(size=2 * n) for lift in lifts)
    return first, second, member


@pytest.mark.parametrize("n", [15, 60, 500])
def test_two_seeds_of_one_model_are_within_noise(n: int) -> None:
    rng = np.random.default_rng(2)
    changed = sum(auc_difference(*scores(rng, n, (1.0, 1.0))).change != "within noise" for _ in range(600))
    assert changed <= 47  # a true 5 % of 600 shows more in 0.1 % of cases


def test_a_true_difference_is_covered_and_found() -> None:
    rng = np.random.default_rng(3)
    grid = rng.normal(size=(2, 2_000_000))
    truth = (1.5 + grid[0] > grid[1]).mean() - (1.0 + grid[0] > grid[1]).mean()
    results = [auc_difference(*scores(rng, 300, (1.5, 1.0))) for _ in range(400)]
    covered = [result.difference.low <= truth <= result.difference.high for result in results]
    assert np.mean(covered) >= 0.92
    assert np.mean([result.change == "higher" for result in results]) > 0.9


@pytest.mark.parametrize(("n", "fpr"), [(300, 0.1), (1200, 0.01), (400, 0.01)])
def test_tpr_difference_covers(n: int, fpr: float) -> None:
    rng = np.random.default_rng(4)
    changed = 0
    for _ in range(120):
        result = tpr_difference(*scores(rng, n, (1.5, 1.5)), fpr, rng=rng, draws=200).result
        assert result is not None
        changed += result.change != "within noise"
    assert changed <= 15  # a true 5 % of 120 shows more in 0.05 % of cases


def test_tpr_difference_is_found_where_it_is() -> None:
    rng = np.random.default_rng(5)
    first, second, member = scores(rng, 2000, (2.5, 1.0))
    result = tpr_difference(first, second, member, 0.01, rng=rng, draws=200).result
    assert result is not None
    assert result.change == "higher"
    alone = tpr_at_fpr(first[member], first[~member], 0.01).tpr
    assert alone is not None
    assert result.first == alone.value


def test_pairing_is_sharper_than_two_intervals_apart() -> None:
    rng = np.random.default_rng(6)
    first, _, member = scores(rng, 2000, (1.5, 1.5))
    second = first + 0.1 * rng.normal(size=4000)
    result = tpr_difference(first, second, member, 0.05, rng=rng, draws=200).result
    alone = tpr_at_fpr(first[member], first[~member], 0.05).tpr
    assert result is not None
    assert alone is not None
    assert result.difference.high - result.difference.low < 0.5 * (alone.high - alone.low)


def test_a_percentile_beyond_all_draws_is_not_their_largest() -> None:
    rng = np.random.default_rng(7)
    rows = scores(rng, 400, (1.5, 1.5))
    widths = []
    for confidence in (0.95, 0.9999):
        result = tpr_difference(*rows, 0.1, rng=np.random.default_rng(0), draws=200, confidence=confidence).result
        assert result is not None
        widths.append(result.difference.high - result.difference.low)
    assert widths[1] / widths[0] == pytest.approx(3.89 / 1.96, rel=0.12)


def test_rows_that_do_not_match_and_bad_parameters_are_refused() -> None:
    with pytest.raises(DataError, match="same rows"):
        auc_difference([1.0, 2.0], [1.0], [True, False])
    with pytest.raises(UsageError, match="draws=5"):
        tpr_difference([1.0], [1.0], [True], 0.1, rng=np.random.default_rng(0), draws=5)


def test_scores_that_move_together_differ_more_by_chance_than_samples_show() -> None:
    """Each score of non-members has a common shift that makes its AUC vary three times as much as samples show."""
    rng, n, wider = np.random.default_rng(14), 150, 3.0
    member, shift = np.arange(2 * n) < n, np.sqrt((wider**2 - 1) / (6 * n) * 4 * np.pi)
    moved = np.zeros((2, 2), dtype=int)
    for _ in range(60):
        pair = [rng.normal(size=2 * n) + ~member * rng.normal(0, shift) for _ in range(2)]
        for i, factor in enumerate((1.0, wider)):
            rates = tpr_difference(*pair, member, 0.1, rng=rng, draws=100, wider=factor).result
            assert rates is not None
            areas = auc_difference(*pair, member, wider=factor)
            moved[i] += [areas.change != "within noise", rates.change != "within noise"]
    assert moved[0].min() > 7
    assert moved[1].max() <= 7  # 60 runs of a true 5 % show more in 1 % of cases


@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 10))
def test_the_cut_of_a_draw_is_that_of_all_its_weights(n: int, allowed: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, order = rng.poisson(0.3, n), rng.permutation(n)
    found = next((i for i in range(n) if weights[order[: i + 1]].sum() > allowed), n - 1)
    assert _cut(weights, order, allowed) == found
