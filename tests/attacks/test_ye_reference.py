import numpy as np
import pytest
from scipy.stats import norm

from gnomon.attacks import ReferenceAttack
from gnomon.attacks.ye import TIE_SHARE, reference_scores
from gnomon.testing import difficulty_world


def out(shape):
    return np.zeros(shape, bool)


@pytest.mark.parametrize("m", [1, 2, 9])
def test_linear_smoothing_equals_interpolation_of_one_record_at_a_time(m):
    rng = np.random.default_rng(m)
    observed, signals, member = rng.normal(0, 2, 60), rng.normal(size=(m, 60)), rng.random((m, 60)) < 0.3
    member[0] = False
    got = reference_scores(observed, signals, member)
    for j, x in enumerate(observed):
        references = np.sort(signals[~member[:, j], j])
        r = len(references)
        expected = np.interp(x, references, np.arange(1, r + 1) / (r + 1))
        assert got[j] == pytest.approx(expected, abs=TIE_SHARE / (r + 1))


def test_normal_smoothing_is_the_normal_probability_inside_its_bounds():
    signals = np.random.default_rng(0).normal(size=(30, 1))
    x = np.array([0.4])
    expected = norm.cdf(x, signals.mean(), signals.std())
    assert reference_scores(x, signals, out((30, 1)), "normal") == pytest.approx(expected, abs=TIE_SHARE)


@pytest.mark.parametrize("smoothing", ["linear", "normal"])
def test_no_rate_below_one_over_the_references_is_claimed_but_the_order_stays(smoothing):
    signals = np.tile([[0.0], [1.0], [2.0]], (1, 4))
    scores = reference_scores(np.array([3.0, 30.0, 300.0, -5.0]), signals, out((3, 4)), smoothing)
    assert (np.diff(scores[:3]) > 0).all()
    assert scores[:3] == pytest.approx(0.75, abs=1e-3)
    assert scores.max() <= 0.75
    assert scores[3] == pytest.approx(0.25, abs=1e-3)


def test_in_answers_are_never_looked_at():
    rng = np.random.default_rng(0)
    observed, signals, member = rng.normal(size=20), rng.normal(size=(5, 20)), rng.random((5, 20)) < 0.5
    hidden = np.where(member, np.nan, signals)
    np.testing.assert_array_equal(
        reference_scores(observed, signals, member), reference_scores(observed, hidden, member)
    )


def test_a_record_without_references_is_held_against_all_out_answers():
    signals = np.array([[0.0, 1.0, 5.0], [1.0, 2.0, 6.0]])
    member = np.array([[False, False, True], [False, False, True]])
    scores = reference_scores(np.array([0.5, 1.5, 1.5]), signals, member)
    assert scores[2] == pytest.approx(0.6, abs=0.41)
    assert np.isfinite(scores).all()


def test_more_references_bring_more_order():
    world = difficulty_world(np.random.default_rng(0), n=300, m=4)
    assert "1/3" in ReferenceAttack().notes(world.evidence)[0]
    scores = ReferenceAttack().score(world.evidence, np.random.default_rng(0))
    assert len(np.unique(scores)) == 300  # no ties, for all the steps
