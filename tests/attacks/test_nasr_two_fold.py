from functools import partial

import numpy as np
import pytest

from gnomon.attacks import GradientNorm, InputGradientNorm, InsiderAttack, Loss
from gnomon.core.answers import halve
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence
from gnomon.stats.roc import auc
from gnomon.stats.signals import scaled_logit
from gnomon.testing import gaussian_world

NasrInsider = partial(InsiderAttack, white_box=True)


def rng(seed=0):
    return np.random.default_rng(seed)


def area(scores, member):
    return auc(scores[member], scores[~member]).value


def two_sided(n=2000):
    """Members are answered neither very surely nor very unsurely: no threshold on the loss finds them."""
    member = np.arange(n) % 2 == 0
    phi = np.where(member, rng(1).normal(0.0, 1.0, n), rng(2).choice([-4.0, 4.0], n) + rng(3).normal(0.0, 1.0, n))
    answers = np.stack([-np.logaddexp(0, -phi), -np.logaddexp(0, phi)], axis=1).astype(np.float32)
    evidence = Evidence(np.zeros(n, np.int64), 2, answers, insider=halve(member, rng(4)))
    return evidence, member


def test_what_no_threshold_finds_is_learned_from_the_known_half():
    evidence, member = two_sided()
    assert abs(area(Loss().score(evidence, rng()), member) - 0.5) < 0.05
    scores = InsiderAttack().score(evidence, rng())
    assert area(scores, member) > 0.95
    assert ((scores > 0) == member).mean() > 0.9


def test_where_the_scaled_logit_is_best_possible_it_stays_alone():
    world = gaussian_world(rng(), n=600)
    evidence, insider = world.evidence, world.evidence.insider
    scores = InsiderAttack().score(evidence, rng())
    phi = scaled_logit(evidence.answers, evidence.labels)
    for fold in (0, 1):
        rows = insider.judged(fold)
        np.testing.assert_array_equal(np.argsort(scores[rows]), np.argsort(phi[rows]))
    assert area(scores, world.member) > world.auc - 0.05


def test_known_members_of_one_kind_teach_nothing():
    evidence, _ = two_sided(40)
    everybody = Evidence(evidence.labels, 2, evidence.answers, insider=halve(np.ones(40, bool), rng()))
    np.testing.assert_array_equal(InsiderAttack().score(everybody, rng()), 0.0)


def test_gradients_that_only_fit_together_are_learned():
    """A member's first layer moves as much as its last one; alone, neither says anything."""
    n = 2000
    member = np.arange(n) % 2 == 0
    last = np.exp(rng(1).normal(0.0, 2.0, n))
    first = last * np.exp(np.where(member, 0.0, rng(2).choice([-2.0, 2.0], n)) + rng(3).normal(0.0, 0.3, n))
    answers = np.log(rng(4).dirichlet(np.ones(3), n)).astype(np.float32)
    gradients = {"layer.0": first, "layer.1": last}
    evidence = Evidence(np.zeros(n, np.int64), 3, answers, gradients=gradients, insider=halve(member, rng(5)))
    assert abs(area(GradientNorm("layer.0").score(evidence, rng()), member) - 0.5) < 0.05
    assert abs(area(InsiderAttack().score(evidence, rng()), member) - 0.5) < 0.06
    assert area(NasrInsider().score(evidence, rng()), member) > 0.8


def test_norms_are_negated_and_named():
    gradients = {"parameters": np.array([1.0, 2.0]), "input": np.array([3.0, 0.0]), "layer.0": np.array([5.0, 6.0])}
    evidence = Evidence(np.zeros(2, np.int64), 2, gradients=gradients)
    np.testing.assert_array_equal(GradientNorm().score(evidence, rng()), [-1.0, -2.0])
    np.testing.assert_array_equal(GradientNorm("layer.0").score(evidence, rng()), [-5.0, -6.0])
    np.testing.assert_array_equal(InputGradientNorm().score(evidence, rng()), [-3.0, 0.0])
    with pytest.raises(UsageError, match=r'no part "layer.1" \(did you mean "layer.0"'):
        GradientNorm("layer.1").score(evidence, rng())
