from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from gnomon.attacks import Bavaria, Calibrated, Lira
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.testing import difficulty_world, noise_world
from gnomon.testing.toy import make_world

BavariaOffline = partial(Bavaria, online=False)
CalibratedOffline = partial(Calibrated, online=False)
LiraOffline = partial(Lira, online=False)


def rng(seed=0):
    return np.random.default_rng(seed)


def area(attack, world, seed=0):
    scores = attack.score(world.evidence.view(attack.needs), rng(seed))
    return auc(*split_scores(scores, world.member)).value


def overfitting_world(seed, m, view="auditor", n=3000):
    """What overfitted networks show: training lifts hard records most, and IN answers scatter less than OUT answers."""

    def law(rows, rng):
        lifted = 5.0 + 0.3 * rows.trait + rng.normal(0.0, 0.6, len(rows.trait))
        return np.where(rows.member, lifted, 1.0 + 2.5 * rows.trait + rng.normal(0.0, 1.5, len(rows.trait)))

    return make_world(law, rng(seed), n=n, m=m, c=3, view=view, auc=None)


@pytest.mark.parametrize("learner", ["law", "trees"])  # what holds for both at once stands in test_noise
@pytest.mark.parametrize("view", ["auditor", "adversary"])
def test_nothing_is_found_in_noise(learner, view):
    kind = Calibrated if view == "auditor" else CalibratedOffline
    attack = kind(lessons=600, learner=learner, trees=4)
    areas = [area(attack, noise_world(rng(seed), n=300, m=6, view=view), seed) for seed in range(30)]
    deviation = np.sqrt(1 / (12 * 150) * 2)  # of one area on 150 + 150 records
    assert abs(np.mean(areas) - 0.5) < 3.5 * deviation / np.sqrt(30)
    assert np.std(areas) < 1.6 * deviation


@pytest.mark.parametrize("m", [4, 8])
@pytest.mark.parametrize("kind", [Calibrated, CalibratedOffline])
def test_what_is_learned_from_noise_is_that_there_is_nothing(kind, m):
    """An artefact of the rehearsals would make it sure of itself: log-odds far from 0.

    (That the real target's AUC is 0.5 shows less: its members were drawn apart from the shadows' in any case.)
    """
    world = noise_world(rng(), n=4000, m=m, view="auditor")
    for learner in ("law", "trees"):
        scores = kind(learner=learner).score(world.evidence.view(kind().needs), rng())
        assert np.abs(scores).mean() < 0.25
        assert abs(scores.mean()) < 0.1


def test_shuffled_shadow_memberships_teach_nothing():
    """Permutation check: the evidence is real, but the masks belong to other rows."""
    areas = []
    for seed in range(12):
        world = overfitting_world(seed, 6, n=600)
        order = rng(100 + seed).permutation(600)
        shadows = replace(world.evidence.shadows, member=world.evidence.shadows.member[:, order])
        scores = Calibrated(trees=10).score(replace(world.evidence, shadows=shadows, pool=shadows), rng(seed))
        areas.append(np.abs(scores).mean())
    assert np.mean(areas) < 0.5
    assert np.mean([np.abs(Calibrated(trees=10).score(overfitting_world(0, 6, n=600).evidence, rng())).mean()]) > 1.5


@pytest.mark.parametrize(("m", "least"), [(4, 0.004), (8, 0.001)])
def test_wins_over_lira_with_few_shadows(m, least):
    pairs = [(Calibrated(), Lira()), (CalibratedOffline(), LiraOffline())]
    for ours, lira in pairs:
        worlds = [overfitting_world(seed, m) for seed in range(2)]
        gain = np.mean([area(ours, world) - area(lira, world) for world in worlds])
        assert gain > least, (ours.name, gain)


def test_works_for_an_adversary_whose_shadows_never_saw_the_audited_rows():
    world = overfitting_world(0, 6, view="adversary")
    assert area(CalibratedOffline(), world) > area(LiraOffline(), world)


def test_comes_near_the_best_possible_and_not_above():
    world = difficulty_world(rng(), n=4000, m=32)
    scores = Calibrated().score(world.evidence, rng())
    interval = auc(*split_scores(scores, world.member))
    assert interval.low <= world.auc <= interval.high + 0.01


def test_scores_are_log_odds():
    """Of records scored near log-odds s, the share of members is near 1 / (1 + exp(-s))."""
    world = overfitting_world(1, 16, n=8000)
    scores = Calibrated().score(world.evidence, rng())
    for low, high in ((-2.0, -0.5), (-0.5, 0.5), (0.5, 2.0)):
        mine = (scores >= low) & (scores < high)
        expected = np.mean(1 / (1 + np.exp(-scores[mine])))
        assert np.mean(world.member[mine]) == pytest.approx(expected, abs=4 * np.sqrt(0.25 / mine.sum()) + 0.03)


@pytest.mark.parametrize(("ours", "fallback"), [(Calibrated(), Bavaria()), (CalibratedOffline(), BavariaOffline())])
def test_below_four_shadows_it_is_bavaria_and_says_so(ours, fallback):
    evidence = difficulty_world(rng(), n=200, m=3).evidence
    np.testing.assert_allclose(ours.score(evidence, rng()), fallback.score(evidence, rng()), rtol=1e-4, atol=1e-4)
    assert "too few" in ours.notes(evidence)[0]
    assert ours.notes(difficulty_world(rng(), n=200, m=4).evidence) == []


def test_scores_are_not_coarse():
    world = overfitting_world(0, 4, n=1000)
    for learner in ("both", "law", "trees"):
        scores = Calibrated(learner=learner).score(world.evidence, rng())
        assert len(np.unique(scores)) > 990


def test_several_queries_are_averaged():
    evidence = overfitting_world(0, 4, n=500).evidence
    other: Evidence = overfitting_world(0, 4, n=500).evidence
    other = replace(other, answers=other.answers[::-1].copy())
    one, two = (Calibrated().score(replace(evidence, answers=e.answers), rng()) for e in (evidence, other))
    got = Calibrated().score(replace(evidence, variants=(other,)), rng())
    np.testing.assert_allclose(got, (one + two) / 2)


@pytest.mark.parametrize("options", [{"lessons": 10}, {"trees": 0}])
def test_refuses_options_out_of_range(options):
    for kind in (Calibrated, CalibratedOffline):
        with pytest.raises(UsageError, match="expected at least"):
            kind(**options)
