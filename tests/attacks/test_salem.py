from dataclasses import replace

import numpy as np
import pytest

from gnomon.attacks import Salem, SalemStatistic
from gnomon.attacks.salem import sorted_log_odds
from gnomon.core.errors import DataError, UsageError
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.testing import overfitted_world


def rng():
    return np.random.default_rng(0)


def test_features_are_the_largest_probabilities_whatever_their_class():
    answers = np.log(np.array([[0.1, 0.6, 0.3], [0.6, 0.3, 0.1]]))
    features = sorted_log_odds(answers, 2)
    expected = np.log([0.6 / 0.4, 0.3 / 0.7])
    np.testing.assert_allclose(features, [expected, expected], atol=1e-6)


def test_top_three_of_two_classes_are_two():
    world = overfitted_world(rng(), n=100, m=2, c=2)
    assert np.isfinite(Salem(epochs=3).score(world.evidence, rng())).all()


def test_finds_members_that_were_learned_by_heart():
    world = overfitted_world(rng(), n=1000, m=4)
    scores = Salem().score(world.evidence.view(Salem.needs), rng())
    assert auc(*split_scores(scores, world.member)).value > 0.9
    assert np.mean((scores >= 0) == world.member) > 0.85


def test_carries_over_to_another_data_set_with_other_classes():
    """Adversary 2: shadow models of other data."""
    target, other = overfitted_world(rng(), n=1000, c=6), overfitted_world(np.random.default_rng(1), n=1000, c=4)
    evidence = replace(target.evidence, pool=other.evidence.pool)
    scores = Salem().score(evidence.view(Salem.needs), rng())
    assert auc(*split_scores(scores, target.member)).value > 0.85


def test_rows_bounds_what_it_learns_from(monkeypatch):
    from gnomon.attacks import salem

    seen = []
    original = salem._shadow_rows

    def spy(*arguments):
        seen.append(original(*arguments))
        return seen[-1]

    monkeypatch.setattr(salem, "_shadow_rows", spy)
    Salem(rows=40, epochs=2).score(overfitted_world(rng(), n=200, m=4).evidence, rng())
    assert seen[0][0].shape == (40, 3)


def test_refuses_shadows_that_know_everything():
    evidence = overfitted_world(rng(), n=50, m=2).evidence
    pool = replace(evidence.pool, member=np.ones_like(evidence.pool.member))
    with pytest.raises(DataError, match="shadow rows of both kinds"):
        Salem().score(replace(evidence, pool=pool), rng())


@pytest.mark.parametrize("option", ["top", "hidden", "rows", "epochs"])
def test_refuses_options_below_one(option):
    with pytest.raises(UsageError, match="at least 1"):
        Salem(**{option: 0})


def test_statistics_are_oriented_and_ignore_the_label():
    answers = np.log(np.array([[0.9, 0.06, 0.04], [0.5, 0.3, 0.2]], dtype=np.float32))
    for statistic in ("max", "entropy", "deviation"):
        attack = SalemStatistic(statistic)
        evidence = replace(overfitted_world(rng(), n=2, c=3).evidence, answers=answers)
        sure, unsure = attack.score(evidence, rng())
        assert sure > unsure
        other = replace(evidence, labels=(evidence.labels + 1) % 3)
        np.testing.assert_array_equal(attack.score(other, rng()), [sure, unsure])
