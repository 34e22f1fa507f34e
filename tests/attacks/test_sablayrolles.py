from dataclasses import replace
from functools import partial

import numpy as np

from gnomon.attacks import Sablayrolles, Watson
from gnomon.attacks.sablayrolles import sablayrolles_scores
from gnomon.stats.signals import loss
from gnomon.testing import difficulty_world

SablayrollesOffline = partial(Sablayrolles, online=False)


def test_equal_to_the_loop_over_records():
    rng = np.random.default_rng(0)
    observed, losses, member = rng.exponential(size=30), rng.exponential(size=(7, 30)), rng.random((7, 30)) < 0.5
    member[0], member[1] = True, False
    expected = [(losses[m, j].mean() + losses[~m, j].mean()) / 2 - observed[j] for j, m in enumerate(member.T)]
    np.testing.assert_allclose(sablayrolles_scores(observed, losses, member), expected, atol=1e-9)


def test_a_missing_mean_is_the_overall_one_of_its_group():
    losses = np.array([[1.0, 0.2, 0.4], [3.0, 2.0, 0.6]])
    member = np.array([[False, True, True], [False, False, True]])
    got = sablayrolles_scores(np.zeros(3), losses, member)
    np.testing.assert_allclose(got, [(2.0 + 0.4) / 2, (0.2 + 2.0) / 2, (0.5 + 2.0) / 2])


def test_the_decision_is_at_zero():
    world = difficulty_world(np.random.default_rng(0), n=2000, gap=8.0)
    scores = Sablayrolles().score(world.evidence, np.random.default_rng(0))
    assert np.mean((scores >= 0) == world.member) > 0.8


def test_offline_the_share_is_learned_on_the_pool():
    """Where training takes off nothing, the threshold is the mean OUT loss: difficulty calibration."""
    evidence = difficulty_world(np.random.default_rng(0), n=100, m=4, gap=-3.0).evidence  # members lose: share is 1
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(SablayrollesOffline().score(evidence, rng), Watson().score(evidence, rng))


def test_offline_thresholds_equal_the_loop_over_records():
    evidence = difficulty_world(np.random.default_rng(0), n=50, m=6).evidence
    losses, member = evidence.shadows.signal(loss).astype(float), evidence.shadows.member
    share = losses[member].mean() / losses[~member].mean()
    observed = loss(evidence.answers, evidence.labels)
    expected = [(1 + share) / 2 * losses[~member[:, j], j].mean() - observed[j] for j in range(50)]
    got = SablayrollesOffline().score(evidence.view(SablayrollesOffline().needs), np.random.default_rng(0))
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    cut = replace(evidence, pool=None)
    assert cut.missing(SablayrollesOffline().needs) is not None
