import numpy as np
import pytest

from gnomon.core.errors import UsageError
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.stats.signals import scaled_logit
from gnomon.testing import (
    difficulty_world,
    gaussian_world,
    global_auc,
    make_world,
    noise_world,
    overfitted_world,
)

VIEWS = ["adversary", "auditor"]
MAKERS = [noise_world, gaussian_world, difficulty_world, overfitted_world]


def rng(seed=0):
    return np.random.default_rng(seed)


def area_of(world, scores):
    return auc(*split_scores(scores, world.member), confidence=0.999)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("make", [noise_world, gaussian_world])
def test_the_scaled_logit_reaches_the_known_auc(make, view):
    world = make(rng(1), n=20_000, m=1, view=view)
    area = area_of(world, scaled_logit(world.evidence.answers, world.evidence.labels))
    assert area.low <= world.auc <= area.high
    assert area.high - area.low < 0.03


def test_one_who_knows_every_difficulty_reaches_the_known_auc():
    world = difficulty_world(rng(2), n=6000, m=64)
    evidence = world.evidence
    phi = scaled_logit(evidence.answers, evidence.labels)
    area = area_of(world, phi)
    assert area.low <= global_auc() <= area.high
    out = np.where(evidence.shadows.member, np.nan, evidence.shadows.signal(scaled_logit))
    known = phi - np.nanmean(out, axis=0)  # 32 shadows on average: the mean adds 1/32 to the variance
    area = area_of(world, known)
    assert area.low - 0.01 <= world.auc <= area.high + 0.01
    assert area.value > global_auc() + 0.1


def test_the_overfitted_world_is_overfitted():
    world = overfitted_world(rng(3), n=10_000, m=1)
    right = np.argmax(world.evidence.answers, axis=1) == world.evidence.labels
    assert right[world.member].mean() > 0.999
    assert 0.4 < right[~world.member].mean() < 0.8


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("n", "m", "c"), [(2, 1, 2), (7, 2, 3), (50, 5, 11)])
def test_shapes_and_distributions(make, view, n, m, c):
    world = make(rng(), n=n, m=m, c=c, view=view)
    evidence = world.evidence
    assert evidence.answers.shape == (n, c)
    assert evidence.answers.dtype == np.float32
    assert evidence.shadows.n_shadows == evidence.pool.n_shadows == m
    assert world.member.sum() == n // 2
    np.testing.assert_allclose(np.exp(evidence.answers.astype(np.float64)).sum(axis=1), 1, atol=1e-5)
    for i in range(m):
        answers = np.exp(evidence.pool.of_shadow(i).astype(np.float64))
        np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert evidence.missing(frozenset({"answers", "pool", "population", "shadows_out", "x"})) is None


def test_the_two_views():
    adversary = noise_world(rng(), n=100, m=4, view="adversary").evidence
    assert not adversary.shadows.member.any()
    assert not set(adversary.pool.rows) & set(adversary.shadows.rows)
    assert adversary.missing(frozenset({"shadows"})) is not None
    auditor = noise_world(rng(), n=100, m=4, view="auditor").evidence
    np.testing.assert_array_equal(auditor.pool.rows, auditor.shadows.rows)
    assert auditor.missing(frozenset({"shadows"})) is None
    for evidence in (adversary, auditor):
        assert evidence.pool.member.sum(axis=1).tolist() == [50] * 4
        assert evidence.pool.member.sum(axis=0).tolist() == [2] * 100
        assert not evidence.population.shadows.member.any()


@pytest.mark.parametrize("view", VIEWS)
def test_counting_shadow_memberships_tells_nothing_of_the_target(view):
    hits = 0
    for seed in range(40):
        world = noise_world(rng(seed), n=200, m=5, view=view)
        area = auc(*split_scores(world.evidence.shadows.member.sum(axis=0).astype(float), world.member))
        hits += area.low <= 0.5 <= area.high
    assert hits >= 34


def test_same_seed_same_world():
    one, two = gaussian_world(rng(5)), gaussian_world(rng(5))
    np.testing.assert_array_equal(one.evidence.answers, two.evidence.answers)
    np.testing.assert_array_equal(one.member, two.member)


@pytest.mark.parametrize("size", [{"n": 1, "m": 1, "c": 2}, {"n": 2, "m": 0, "c": 2}, {"n": 2, "m": 1, "c": 1}])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(UsageError, match="toy world needs n >= 2"):
        make_world(lambda rows, _: rows.trait, rng(), view="adversary", auc=None, **size)
