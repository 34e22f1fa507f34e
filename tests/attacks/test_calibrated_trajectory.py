"""Courses calibrated record by record: against a slow twin, on noise, where few shadows are left."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from gnomon.attacks import CalibratedTrajectory, Trajectory
from gnomon.attacks.calibrated import _columns, _trajectories
from gnomon.attacks.parts.leave_two_out import judge, learn_priors
from gnomon.core.errors import UsageError
from gnomon.stats.laws.moments import group_moments
from gnomon.stats.laws.student import predict
from gnomon.stats.roc import auc
from gnomon.stats.signals import logit_of_loss
from gnomon.testing import difficulty_world, noise_world

BOTH = [CalibratedTrajectory, partial(CalibratedTrajectory, online=False)]


def area(attack, world, seed: int = 0) -> float:
    scores = attack.score(world.evidence.view(attack.needs), np.random.default_rng(seed))
    return auc(scores[world.member], scores[~world.member]).value


@pytest.mark.parametrize("kind", BOTH)
def test_hard_records_are_no_longer_mistaken_for_strangers(kind) -> None:
    world = difficulty_world(np.random.default_rng(5), n=800, m=16)
    assert area(Trajectory(trees=30), world) < 0.75
    assert area(kind(trees=30), world) > world.auc - 0.06


@pytest.mark.parametrize("online", [True, False])
def test_columns_are_those_of_a_loop_over_records_and_checkpoints(online: bool) -> None:
    evidence = difficulty_world(np.random.default_rng(1), n=12, m=6).evidence
    shadows = evidence.shadows if online else replace(evidence.shadows, hide_members=True)
    own = np.asarray(logit_of_loss(evidence.observed["checkpoints"]).T, dtype=np.float64)
    others = _trajectories(shadows)
    priors = [learn_priors(values, shadows.member) for values in others]
    steps = [slice(t, t + 1) for t in range(len(own))]
    found = _columns([judge(own[t], others[t], shadows.member, priors[t], online) for t in steps])
    for j in range(12):
        row: list[float] = []
        ratios = []
        for t in range(len(own)):
            single, mask = others[t][:, j : j + 1], shadows.member[:, j : j + 1]
            moments = group_moments(single, mask)
            laws = [predict(moments.outside, priors[t][1])]
            laws += [predict(moments.inside, priors[t][0])] if online else []
            phi = own[t, j]
            ratio = -laws[0].log_survival(np.array([phi]), "t")
            if online:
                ratio = laws[1].log_density(np.array([phi]), "t") - laws[0].log_density(np.array([phi]), "t")
            gaps = [float((phi - law.location[0]) / np.sqrt(law.variance[0])) for law in laws]
            row += [phi, float(phi - laws[0].location[0]), *gaps, float(ratio[0])]
            ratios.append(float(ratio[0]))
        row += [float(own[:, j].mean()), float(np.mean(ratios))]
        row += [float(law.location[0]) for law in laws] + [float(np.log(law.variance[0])) for law in laws]
        np.testing.assert_allclose(found[j], row, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", BOTH)
def test_with_too_few_shadows_it_is_the_plain_attack_and_says_so(kind) -> None:
    world = noise_world(np.random.default_rng(0), n=60, m=3, view="auditor")
    scores = kind().score(world.evidence, np.random.default_rng(1))
    assert np.isfinite(scores).all()
    assert "3 shadow models are too few" in kind().notes(world.evidence)[-1]
    assert len(kind().notes(noise_world(np.random.default_rng(0), n=60, m=4).evidence)) == 1


@pytest.mark.parametrize("kind", BOTH)
def test_options_out_of_range_and_missing_courses_are_refused(kind) -> None:
    with pytest.raises(UsageError, match="expected trees >= 1"):
        kind(trees=0)
    evidence = noise_world(np.random.default_rng(0), n=60, m=4, view="auditor").evidence
    with pytest.raises(UsageError, match="lacks losses of the shadow models"):
        kind().score(replace(evidence, pool=evidence.pool.observed_only(frozenset())), np.random.default_rng(0))
