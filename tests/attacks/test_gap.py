import numpy as np
import pytest

from gnomon.attacks import Gap, Loss
from gnomon.core.evidence import Evidence
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.testing import gaussian_world, overfitted_world


def rng():
    return np.random.default_rng(0)


def test_the_gap_attack_is_right_as_often_as_the_train_test_gap_says():
    world = overfitted_world(rng(), n=2000)
    says_member = Gap().score(world.evidence, rng()) >= Gap.threshold
    right = np.argmax(world.evidence.answers, axis=1) == world.evidence.labels
    train, test = right[world.member].mean(), right[~world.member].mean()
    balanced = (says_member[world.member].mean() + 1 - says_member[~world.member].mean()) / 2
    assert balanced == pytest.approx(0.5 + (train - test) / 2, abs=1e-12)


def test_the_loss_attack_is_minus_the_loss_and_reaches_the_best_auc():
    world = gaussian_world(rng(), n=20_000, m=1)
    scores = Loss().score(world.evidence, rng())
    p_y = np.take_along_axis(world.evidence.answers, world.evidence.labels[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(scores, p_y, rtol=1e-4, atol=1e-6)
    area = auc(*split_scores(scores, world.member), confidence=0.999)
    assert area.low <= world.auc <= area.high


def test_losses_that_float32_rounds_to_zero_do_not_tie():
    gaps = np.linspace(20, 90, 50)
    logits = np.stack([gaps, np.zeros(50), np.zeros(50)], axis=1)
    answers = (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)
    evidence = Evidence(labels=np.zeros(50, dtype=np.int64), n_classes=3, answers=answers)
    assert (np.diff(Loss().score(evidence, rng())) > 0).all()
