from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from gnomon.attacks import Lassila, Rmia
from gnomon.attacks import rmia as module
from gnomon.attacks.rmia import (
    SMALLEST,
    fitted_slope,
    majority_beaten,
    offline_mean,
    online_mean,
    share_beaten,
    tuned_slope,
)
from gnomon.core.answers import ShadowAnswers
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Population
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.stats.signals import confidence
from gnomon.testing import difficulty_world

RmiaOffline = partial(Rmia, online=False)

TARGET_Z = np.array([0.5, 0.6, 0.95, 0.2])
OUT_Z = np.array([[0.5, 0.7, 0.4, 0.3], [0.5, 0.7, 0.5, 0.5]])
OUT_X = np.array([[0.4], [0.5]])


def rng():
    return np.random.default_rng(0)


def nobody(shape):
    return np.zeros(shape, bool)


def two_classes(probabilities):
    p = np.asarray(probabilities, dtype=np.float64)
    return np.log(np.stack([p, 1.0 - p], axis=-1)).astype(np.float32)


def toy_evidence():
    """The test vector as evidence: two shadows, one audited row, four population rows."""

    def shadows(probabilities):
        n = probabilities.shape[1]
        rows = np.arange(n)
        mask = nobody((2, n))
        return ShadowAnswers(list(two_classes(probabilities)), rows, np.zeros(n, np.int64), mask, ~mask)

    population = Population(np.zeros(4, np.int64), two_classes(TARGET_Z), shadows(OUT_Z))
    own = shadows(OUT_X)
    return Evidence(np.zeros(1, np.int64), 2, two_classes([0.9]), own, pool=own, population=population)


@pytest.mark.parametrize(
    ("slope", "ratio", "shares"), [(1.0, 2.0, {1: 0.75, 2: 0.75}), (0.3, 1.400778, {1: 0.75, 2: 0.25})]
)
def test_toy_vectors(slope, ratio, shares):
    ratio_x = 0.9 / offline_mean(OUT_X, nobody((2, 1)), slope)
    ratio_z = TARGET_Z / offline_mean(OUT_Z, nobody((2, 4)), slope)
    assert ratio_x[0] == pytest.approx(ratio, abs=1e-6)
    for gamma, share in shares.items():
        assert share_beaten(ratio_x, ratio_z, gamma)[0] == share


@pytest.mark.parametrize(("gamma", "beaten"), [(1.0, 3), (2.0, 1)])
def test_toy_vectors_through_the_attack(gamma, beaten):
    score = RmiaOffline(gamma=gamma, slope=0.3).score(toy_evidence(), rng())[0]
    ratio = 1.400778
    assert score == pytest.approx((beaten + ratio / (1 + ratio)) / 5, abs=1e-6)


def test_whether_z_are_corrected_is_an_option_and_is_reported():
    """Uncorrected, z are held against their OUT means .5, .7, .45, .4; ratios 1, .857, 2.111, .5: three beaten at 1."""
    plain = RmiaOffline(gamma=1.0, slope=0.3, correct_population=False)
    assert int(plain.score(toy_evidence(), rng())[0] * 5) == 3
    gamma = replace(plain, gamma=1.45)  # 1.400778 / 1.45 = 0.966: beats .857 and .5, but not 1
    assert int(gamma.score(toy_evidence(), rng())[0] * 5) == 2
    assert (
        int(replace(gamma, correct_population=True).score(toy_evidence(), rng())[0] * 5) == 3
    )  # z's ratios are .741, .745, 1.479, .328
    assert "plain OUT mean" in plain.notes(toy_evidence())[1]
    assert "estimated as for the audited rows" in RmiaOffline(slope=0.3).notes(toy_evidence())[1]


@pytest.mark.parametrize("z", [1, 3, 200])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_one_sort_equals_the_matrix_of_pairs(z, gamma):
    draw = np.random.default_rng(z)
    x, known = draw.lognormal(size=151), draw.lognormal(size=z)
    x[:5], known[0] = 0.0, 0.0
    x[7] = gamma * known[-1]  # a tie counts as beaten
    expected = ((x[:, None] / gamma) >= known[None, :]).mean(axis=1)
    np.testing.assert_allclose(share_beaten(x, known, gamma), expected, atol=1e-12)


def test_majority_over_queries_equals_the_cube_of_pairs(monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 64)  # several blocks
    draw = np.random.default_rng(3)
    x, known = draw.lognormal(size=(5, 40)), draw.lognormal(size=(5, 17))
    votes = (x[:, :, None] / 1.5 >= known[:, None, :]).sum(axis=0)
    np.testing.assert_array_equal(majority_beaten(x, known, 1.5), (votes > 2.5).sum(axis=1))


def test_half_the_queries_are_half_a_majority():
    ratios = np.array([[9.0, 9.0, 0.5], [9.0, 0.5, 0.5]])  # both queries, one of two, none
    np.testing.assert_array_equal(majority_beaten(ratios, np.ones((2, 4)), 2.0), [4.0, 2.0, 0.0])


def test_means_equal_the_loop_over_records():
    draw = np.random.default_rng(4)
    probabilities, member = draw.random((7, 30)).astype(np.float32), draw.random((7, 30)) < 0.5
    member[:2], member[2:4] = True, False
    for j in range(30):
        p, inside = probabilities[:, j].astype(float), member[:, j]
        expected = (p[inside].mean() + p[~inside].mean()) / 2
        assert online_mean(probabilities, member, 0.3)[j] == pytest.approx(expected, abs=1e-6)
        expected = (1.4 * p[~inside].mean() + 0.6) / 2
        assert offline_mean(probabilities, member, 0.4)[j] == pytest.approx(expected, abs=1e-6)


def test_an_out_probability_of_zero_is_not_taken_for_a_hidden_one():
    """The published code finds OUT models by sorting out zeros."""
    probabilities = np.array([[0.0], [0.0], [0.6], [0.9]])
    member = np.array([[False], [False], [False], [True]])
    assert offline_mean(probabilities, member, 1.0)[0] == pytest.approx(0.2)


def test_few_population_rows_leave_no_ties():
    world = difficulty_world(rng(), n=400)
    few = world.evidence.population
    few = Population(few.labels[:3], few.answers[:3], few.shadows.at(np.arange(3)))
    for attack in (Rmia(), RmiaOffline()):
        scores = attack.score(replace(world.evidence, population=few), rng())
        assert len(np.unique(scores)) == len(scores)
        assert len(np.unique(np.floor(scores * 4))) <= 4  # but the share keeps its steps
        assert 0 <= scores.min() <= scores.max() < 1


def test_orders_records_as_base_does():
    """Brännvall 2026: BASE is the logarithm of RMIA's ratio (each row is in half of the shadows)."""
    world = difficulty_world(rng(), n=300, m=8)
    one, other = (attack.score(world.evidence, rng()) for attack in (Rmia(), Lassila()))
    np.testing.assert_array_equal(np.argsort(one, kind="stable"), np.argsort(other, kind="stable"))


def test_the_slope_is_the_best_on_shadows_and_never_sees_the_audited_rows():
    evidence = difficulty_world(rng(), n=600, m=6).evidence
    pool = evidence.pool
    probabilities = pool.signal(confidence).astype(float)
    areas = []
    for slope in module.SLOPES:
        of_shadows = []
        for i in range(6):
            others = np.arange(6) != i
            ratio = probabilities[i] / np.maximum(
                offline_mean(probabilities[others], pool.member[others], slope), SMALLEST
            )
            of_shadows.append(auc(*split_scores(ratio, pool.member[i])).value)
        areas.append(np.mean(of_shadows))
    assert tuned_slope(pool) == module.SLOPES[int(np.argmax(areas))]
    poisoned = replace(evidence, answers=np.full_like(evidence.answers, np.nan))
    assert RmiaOffline().notes(evidence)[0] == RmiaOffline().notes(poisoned)[0]


def test_one_shadow_cannot_tune_and_says_so():
    evidence = difficulty_world(rng(), n=50, m=1, view="adversary").evidence
    assert "untuned" in RmiaOffline().notes(evidence)[0]


def test_fitted_slope_is_found_again():
    outside = np.linspace(0.05, 0.9, 50)
    probabilities = np.stack([1 - 0.4 * (1 - outside), outside])
    member = np.array([[True], [False]]) & np.ones((2, 50), bool)
    assert fitted_slope(probabilities, member) == pytest.approx(0.4)


@pytest.mark.parametrize("attack", [Rmia(), RmiaOffline()])
def test_several_queries_agree_with_one_where_they_are_copies(attack):
    evidence = difficulty_world(rng(), n=60, m=4).evidence
    one = attack.score(evidence, rng())
    np.testing.assert_allclose(attack.score(replace(evidence, variants=(evidence, evidence)), rng()), one, atol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, -1.0, float("nan")])
def test_refuses_a_gamma_that_is_not_positive(gamma):
    with pytest.raises(UsageError, match="gamma above 0"):
        Rmia(gamma=gamma)


def test_refuses_a_slope_out_of_range():
    with pytest.raises(UsageError, match=r"slope in \[0, 1\]"):
        RmiaOffline(slope=1.5)
