import numpy as np

from gnomon.attacks import Watson
from gnomon.attacks.watson import watson_scores
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.testing import difficulty_world


def test_equal_to_the_loop_over_records_and_blind_to_in_answers():
    rng = np.random.default_rng(0)
    observed, losses, member = rng.exponential(size=30), rng.exponential(size=(6, 30)), rng.random((6, 30)) < 0.5
    member[:, 0], member[0, 1:] = True, False
    expected = [losses[~member[:, j], j].mean() - observed[j] for j in range(1, 30)]
    got = watson_scores(observed, np.where(member, np.nan, losses), member)
    np.testing.assert_allclose(got[1:], expected, atol=1e-9)
    np.testing.assert_allclose(got[0], losses[~member].mean() - observed[0])


def test_no_out_answers_at_all_leaves_the_loss():
    assert watson_scores(np.array([0.5]), np.array([[1.0]]), np.array([[True]])) == [-0.5]


def test_calibration_is_worth_something_where_difficulty_differs():
    world = difficulty_world(np.random.default_rng(0), n=4000, m=16)
    scores = Watson().score(world.evidence, np.random.default_rng(0))
    plain = -np.logaddexp(0.0, -world.evidence.answers.max(axis=1))
    assert auc(*split_scores(scores, world.member)).value > auc(*split_scores(plain, world.member)).value + 0.05
