from functools import partial

import numpy as np

from gnomon.attacks import Lassila
from gnomon.attacks.lassila import base_scores
from gnomon.testing import difficulty_world

LassilaOffline = partial(Lassila, online=False)


def test_equal_to_the_loop_over_records():
    rng = np.random.default_rng(0)
    loss, probabilities = rng.exponential(size=20), rng.random((5, 20))
    probabilities[0, :10] = np.nan
    expected = [-loss[j] - np.log(np.nanmean(probabilities[:, j])) for j in range(20)]
    np.testing.assert_allclose(base_scores(loss, probabilities), expected, atol=1e-12)


def test_a_row_hidden_in_all_models_takes_the_overall_mean():
    probabilities = np.array([[0.2, np.nan], [0.4, np.nan]])
    np.testing.assert_allclose(base_scores(np.zeros(2), probabilities), -np.log([0.3, 0.3]))


def test_the_normaliser_is_finite_where_all_models_say_zero():
    assert np.isfinite(base_scores(np.array([0.1]), np.zeros((3, 1)))).all()


def test_offline_never_looks_at_models_trained_on_the_row():
    evidence = difficulty_world(np.random.default_rng(0), n=40, m=4).evidence
    answers = [np.array(a) for a in evidence.shadows.answers]
    for a, inside in zip(answers, evidence.shadows.member, strict=True):
        a[evidence.shadows.rows[inside]] = np.log(0.25)
    changed = type(evidence.shadows)(**{**vars(evidence.shadows), "answers": answers})
    other = type(evidence)(**{**vars(evidence), "shadows": changed})
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(LassilaOffline().score(evidence, rng), LassilaOffline().score(other, rng))
    assert not np.array_equal(Lassila().score(evidence, rng), Lassila().score(other, rng))
