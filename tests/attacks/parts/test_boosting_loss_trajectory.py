"""What a loss trajectory says, whatever attack reads it."""

from dataclasses import replace

import numpy as np

from gnomon.attacks.parts.boosting import learn_trajectories, note_checkpoints, trajectory_features
from gnomon.core.evidence import Evidence
from gnomon.stats.signals import logit_of_loss
from gnomon.testing import noise_world


def test_a_constant_trajectory_has_no_rise() -> None:
    losses = np.tile(np.array([[0.1], [2.0]]), 5)
    features = trajectory_features(losses)
    assert features.shape == (2, 7)
    np.testing.assert_allclose(features[:, -1], 0.0, atol=1e-12)
    np.testing.assert_allclose(features[:, -2], logit_of_loss(losses[:, 0]))


def test_a_loss_that_falls_late_rises_last() -> None:
    early, late = trajectory_features(np.array([[2.0, 0.1, 0.1], [2.0, 2.0, 0.1]]))
    assert late[-1] > early[-1] > 0


def test_where_the_losses_of_members_fall_scores_follow() -> None:
    world = noise_world(np.random.default_rng(0), n=400, m=4)
    evidence = world.evidence
    losses = np.where(world.member[:, None], 0.1, 3.0) * np.ones((400, 4))
    pool = evidence.require("pool")
    seen = []
    for answers, mask in zip(pool.answers, pool.member, strict=True):
        whole = np.full((len(answers), 4), 3.0)
        whole[pool.rows[mask]] = 0.1
        seen.append(whole)
    changed = Evidence(
        evidence.labels,
        evidence.n_classes,
        evidence.answers,
        pool=replace(pool, observed={"checkpoints": seen}),
        observed={"checkpoints": losses},
    )
    scores = learn_trajectories(changed, 20, 400, np.random.default_rng(1))(changed)
    assert scores[world.member].min() > scores[~world.member].max()
    assert note_checkpoints(changed) == ["sees the loss at 4 checkpoints of the training"]
