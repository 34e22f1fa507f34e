"""The joint test of all attacks: its level where nothing leaks, what it finds, and that it keeps the dependence."""

import numpy as np
import pytest
from scipy.stats import binom, mannwhitneyu, norm

from gnomon.core.errors import DataError
from gnomon.stats.permutation import joint, permuted_sums
from gnomon.stats.permutation.joint import JointTest, chance_p, joint_test
from gnomon.stats.roc import auc

LEVEL = 0.05


def related(attacks: int, n: int, rng: np.random.Generator, share: float = 0.7) -> np.ndarray:
    """Scores (attacks, n) that depend on each other and tell nothing; every third one has many ties."""
    common = rng.normal(size=n)
    scores = share * common + np.sqrt(1 - share**2) * rng.normal(size=(attacks, n))
    scores[::3] = np.round(scores[::3])
    return scores


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Permutations enough for the level of a simulation."""
    monkeypatch.setattr(permuted_sums, "DRAWS", permuted_sums.LEAST_DRAWS)


def most(runs: int) -> int:
    """More hits than this in so many null runs are no chance."""
    return int(binom.ppf(0.999, runs, LEVEL))


def found(test: JointTest) -> bool:
    return min(one.p for one in test.attacks) <= LEVEL


@pytest.mark.usefixtures("few_draws")
def test_null_audits_are_found_in_one_of_twenty_cases_at_most() -> None:
    rng, runs, hits, naive = np.random.default_rng(0), 100, 0, 0
    for _ in range(runs):
        member, scores = rng.permutation(120) < 60, related(8, 120, rng)
        hits += found(joint_test(scores, member, rng=rng))
        naive += min(chance_p(row, member)[0] for row in scores) <= LEVEL
    assert hits <= most(runs)
    assert naive > most(runs), "without a correction the same runs fail"


@pytest.mark.usefixtures("few_draws")
def test_null_households_are_found_in_one_of_twenty_cases_at_most() -> None:
    rng, runs, hits, naive = np.random.default_rng(1), 80, 0, 0
    for _ in range(runs):
        groups = np.repeat(np.arange(60), rng.integers(1, 8, 60))
        member = (rng.permutation(60) < 30)[groups]
        scores = related(3, 60, rng)[:, groups] + 0.5 * related(3, len(groups), rng)
        hits += found(joint_test(scores, member, rng=rng, groups=groups))
        naive += found(joint_test(scores, member, rng=rng))
    assert hits <= most(runs)
    assert naive > most(runs), "by record the same runs fail"


@pytest.mark.usefixtures("few_draws")
def test_households_on_both_sides_are_found_in_one_of_twenty_cases_at_most() -> None:
    rng, runs, hits = np.random.default_rng(2), 60, 0
    for _ in range(runs):
        groups = np.repeat(np.arange(40), 5)
        member = np.where(groups < 20, rng.permutation(200) < 100, (rng.permutation(40) < 20)[groups])
        scores = related(3, 40, rng)[:, groups] + 0.5 * related(3, 200, rng)
        hits += found(joint_test(scores, member, rng=rng, groups=groups))
    assert hits <= most(runs)


def test_copies_on_both_sides_as_one_unit_would_hide_what_a_model_learned_of_their_frequency() -> None:
    rng = np.random.default_rng(4)
    content, member = rng.integers(0, 60, 400), rng.permutation(400) < 200
    learned = np.bincount(content, member) / np.bincount(content)
    both = ((learned > 0) & (learned < 1))[content]
    content, member = content[both], member[both]
    by_row = joint_test(learned[content], member, rng=rng).attacks[0]
    as_one = joint_test(learned[content], member, rng=rng, groups=content).attacks[0]
    assert (by_row.p < 0.01, as_one.p) == (True, 1.0)


def test_step_down_against_a_slow_twin() -> None:
    rng = np.random.default_rng(3)
    best, drawn = np.log(np.array([0.002, 0.04, 0.01])), np.log(rng.random((400, 3)))
    adjusted, floor = {}, 0.0
    for place, i in enumerate([0, 2, 1]):
        left = [0, 2, 1][place:]
        smaller = sum(min(row[j] for j in left) <= best[i] + joint.EQUAL for row in drawn)
        floor = max(floor, (1 + smaller) / 401)
        adjusted[i] = floor
    assert joint._step_down(best, drawn).tolist() == [adjusted[i] for i in range(3)]


def test_a_real_attack_is_found_among_attacks_that_tell_nothing() -> None:
    rng = np.random.default_rng(4)
    member = rng.permutation(600) < 300
    scores = related(10, 600, rng)
    scores[4] += 0.6 * member
    tested = joint_test(scores, member, rng=rng).attacks
    assert [i for i, one in enumerate(tested) if one.p <= LEVEL] == [4]
    assert (tested[4].by, tested[4].reversed) == ("auc", False)


@pytest.mark.parametrize(("n", "few"), [(4000, 100), (8000, 40), (10000, 50)])
def test_a_leak_of_a_few_is_found_that_the_auc_does_not_see(n: int, few: int) -> None:
    rng = np.random.default_rng(few)
    member = np.arange(n) < n // 2
    scores = related(6, n, rng)
    scores[1, :few] += 20
    one = joint_test(scores, member, rng=rng).attacks[1]
    assert one.p <= LEVEL
    assert (one.by, one.reversed) == ("top", False)
    assert one.rows is not None
    assert one.members is not None
    assert one.members > 0.6 * one.rows


def test_scores_turned_around_are_found_as_surely_and_called_reversed() -> None:
    rng = np.random.default_rng(5)
    member = rng.permutation(2000) < 800
    scores = related(3, 2000, rng)
    scores[0] += 0.3 * member
    scores[1, np.flatnonzero(member)[:60]] += 20
    up, down = (joint_test(s, member, rng=np.random.default_rng(0)).attacks for s in (scores, -scores))
    assert [one.p for one in up] == [one.p for one in down]
    assert [(one.by, one.reversed) for one in up[:2]] == [("auc", False), ("top", False)]
    assert [(one.by, one.reversed) for one in down[:2]] == [("auc", True), ("bottom", True)]


def test_only_ranks_count_and_the_same_generator_gives_the_same_result() -> None:
    rng = np.random.default_rng(6)
    member, scores = rng.permutation(300) < 150, related(4, 300, rng)
    first, second = (joint_test(s, member, rng=np.random.default_rng(1)) for s in (scores, np.exp(scores)))
    assert first == second


def test_infinite_and_constant_scores_have_a_p_value_too() -> None:
    rng = np.random.default_rng(7)
    member = rng.permutation(200) < 100
    scores = np.stack([np.zeros(200), np.where(member, np.inf, -np.inf), (rng.random(200) < 0.5) * 1.0])
    constant, perfect, coin = joint_test(scores, member, rng=rng).attacks
    assert constant.p == 1.0
    assert perfect.p < 0.01
    assert coin.p > LEVEL


def test_persons_are_found_by_the_sum_of_their_records() -> None:
    rng, missed = np.random.default_rng(8), 0
    for _ in range(5):
        groups = np.repeat(np.arange(100), 20)
        member = (rng.permutation(100) < 50)[groups]
        scores = 0.25 * member + rng.normal(size=(1, 2000))
        persons = np.bincount(groups, scores[0])[None]
        one = joint_test(scores, member, rng=rng, groups=groups, person_scores=persons).attacks[0]
        missed += one.p > LEVEL
    assert missed == 0


def test_the_normal_limit_agrees_with_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    member, scores = rng.permutation(2000) < 1000, related(5, 2000, rng)
    scores[1] += 0.12 * member
    exact = joint_test(scores, member, rng=rng)
    monkeypatch.setattr(permuted_sums, "MOST_UNITS", 10)
    limit = joint_test(scores, member, rng=rng)
    assert [one.p for one in limit.attacks] == pytest.approx([one.p for one in exact.attacks], abs=0.06)
    assert limit.detectable_auc() == pytest.approx(exact.detectable_auc(), abs=0.004)


@pytest.mark.usefixtures("few_draws")
def test_the_detectable_auc_is_found_in_four_of_five_cases() -> None:
    rng, hits, runs = np.random.default_rng(11), 0, 60
    member = np.arange(400) < 200
    area = joint_test(related(8, 400, rng), member, rng=rng).detectable_auc()
    for _ in range(runs):
        scores = related(8, 400, rng)
        scores[1] = norm.ppf(area) * np.sqrt(2) * member + rng.normal(size=400)
        hits += joint_test(scores, member, rng=rng).attacks[1].p <= LEVEL
    assert binom.ppf(0.001, runs, 0.8) <= hits <= binom.ppf(0.999, runs, 0.8)


@pytest.mark.usefixtures("few_draws")
def test_the_detectable_rate_is_found_in_four_of_five_cases_or_more() -> None:
    rng, hits, runs = np.random.default_rng(12), 0, 20
    member = np.arange(2000) < 1000
    rate = joint_test(related(5, 2000, rng), member, rng=rng).detectable_tpr(0.01)
    assert rate is not None
    for _ in range(runs):
        scores = rng.random((5, 2000))
        scores[1, : round(rate * 1000)] = 2 + rng.random(round(rate * 1000))
        scores[1, 1000:1010] = 2 + rng.random(10)
        hits += joint_test(scores, member, rng=rng).attacks[1].p <= LEVEL
    assert hits >= binom.ppf(0.001, runs, 0.8)


def test_more_records_are_asked_for_by_the_square() -> None:
    test = JointTest((), 0.001, 0.03, 300, 300)
    members, others = test.required(0.55)
    assert members == others
    more = JointTest((), 0.001, 0.03 / np.sqrt(members / 300), 0, 0)
    assert 0.546 < more.detectable_auc() < 0.55


def test_one_score_alone_against_the_rank_sum_test() -> None:
    rng = np.random.default_rng(13)
    member = rng.permutation(200) < 80
    scores = np.round(rng.normal(size=200) - 0.3 * member, 1)
    p, below = chance_p(scores, member)
    twin = mannwhitneyu(scores[member], scores[~member], method="asymptotic", use_continuity=False).pvalue
    assert p == pytest.approx(twin)
    assert below


def test_what_is_no_scores_is_refused() -> None:
    member = np.arange(4) < 2
    with pytest.raises(DataError, match="NaN"):
        joint_test([[1.0, np.nan, 2.0, 3.0]], member, rng=np.random.default_rng(0))
    with pytest.raises(DataError, match="expected 4 ids"):
        joint_test([[1.0, 2.0, 3.0, 4.0]], member, rng=np.random.default_rng(0), groups=np.arange(3))


def test_scores_that_tie_promise_no_more_than_scores_that_do_not() -> None:
    rng, member = np.random.default_rng(0), np.arange(400) < 200
    tied = np.where(np.arange(400) % 200 < 4, 1.0, 0.0)
    few, smooth = (joint_test([one], member, rng=np.random.default_rng(0)) for one in (tied, rng.normal(size=400)))
    constant = joint_test([np.zeros(400)], member, rng=rng)
    assert (constant.apart, smooth.apart) == (0.0, 1.0)
    assert few.apart == pytest.approx(1 - (392**3 - 392 + 8**3 - 8) / (400**3 - 400))
    for one in (few, constant):
        assert one.detectable_auc() > 0.54  # three or more standard errors of an AUC of scores that do not tie


def test_a_tail_is_worth_as_many_records_as_it_has_persons() -> None:
    rng, groups = np.random.default_rng(0), np.repeat(np.arange(1000), 4)
    member = groups < 500
    scores = rng.normal(size=4000) + 9.0 * (groups < 16)
    one = joint_test([scores], member, rng=rng, groups=groups).attacks[0]
    assert one.by == "top"
    assert (one.rows, one.members, one.reversed) == (64, 64, False)
    assert one.worth == pytest.approx(16)


def test_non_members_that_judge_each_other_vary_by_half_more_than_permutations_show() -> None:
    """Each of them is in shadow models of the others', and pairs agree; members have no such pairs (`mutual`)."""
    n, rng, squares = 60, np.random.default_rng(3), []
    for _ in range(300):
        points = rng.normal(size=(2 * n, 20))
        agree = points @ points.T
        np.fill_diagonal(agree, 0.0)
        squares.append(norm.isf(chance_p(agree[:, :n].sum(axis=1), np.arange(2 * n) >= n)[0] / 2) ** 2)
    assert np.mean(squares) > 1.25
    assert np.mean(squares) / 1.5 < 1.15


def test_a_wider_chance_makes_results_weaker_and_promises_less() -> None:
    rng, member = np.random.default_rng(0), np.arange(400) < 200
    scores = np.stack([0.3 * member + rng.normal(size=400), rng.normal(size=400)])
    plain, wide = (joint_test(scores, member, rng=np.random.default_rng(1), wider=w) for w in (None, [1.3, 1.0]))
    assert wide.attacks[0].p > plain.attacks[0].p
    assert wide.deviation == pytest.approx(1.3 * plain.deviation)
    assert wide.detectable_auc() > plain.detectable_auc()


@pytest.mark.usefixtures("few_draws")
def test_no_auc_goes_unfound_that_the_audit_promises_to_find() -> None:
    """Ties, persons, wider chance: what is not found lies below the smallest AUC that is said to be detectable."""
    rng, unfound = np.random.default_rng(7), 0
    for run in range(40):
        groups = np.repeat(np.arange(60), 1 + run % 3) if run % 2 else None
        n = 120 if groups is None else len(groups)
        member = rng.permutation(n) < n // 2 if groups is None else (rng.permutation(60) < 30)[groups]
        noise = rng.normal(size=(3, n)) if groups is None else rng.normal(size=(3, 60))[:, groups]
        scores = noise + rng.uniform(0.2, 1.0) * np.array([[1.0], [-1.0], [0.0]]) * member
        scores[run % 3] = np.round(scores[run % 3])
        test = joint_test(scores, member, rng=rng, groups=groups, wider=[1.0, 1.2, 1.4] if run % 5 else None)
        for one, row in zip(test.attacks, scores, strict=True):
            if one.p > LEVEL:
                unfound += 1
                assert abs(auc(row[member], row[~member]).value - 0.5) < test.detectable_auc() - 0.5
    assert unfound > 20
