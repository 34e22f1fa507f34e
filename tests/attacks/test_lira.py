from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.stats import norm

from gnomon.attacks import Lira
from gnomon.attacks.lira import lira_offline_scores, lira_scores
from gnomon.stats.roc import auc
from gnomon.testing import difficulty_world

LiraOffline = partial(Lira, online=False)

IN, OUT, OBSERVED = (5.0, 6.0, 7.0, 6.0), (1.0, 2.0, 3.0, 2.0), np.array([5.5])
TOY = np.array([*IN, *OUT])[:, None]
TOY_MEMBER = np.arange(8)[:, None] < 4


def rng():
    return np.random.default_rng(0)


def shadows(m, n, seed=0):
    """Balanced signals with rows of their own difficulty; at least two IN and two OUT models a row."""
    draw = np.random.default_rng(seed)
    member = np.argsort(draw.random((m, n)), axis=0) < m // 2
    signals = draw.normal(draw.normal(0.0, 3.0, n), draw.uniform(0.5, 2.0, n), (m, n)) + 2.0 * member
    return draw.normal(1.0, 3.0, n), signals.astype(np.float32), member


def twin(observed, signals, member, variance):
    """One record at a time, with scipy's normal law."""
    columns = [
        (signals[member[:, j], j].astype(float), signals[~member[:, j], j].astype(float)) for j in range(len(observed))
    ]
    common = [
        np.sqrt(sum(((c[k] - c[k].mean()) ** 2).sum() for c in columns) / sum(len(c[k]) - 1 for c in columns))
        for k in (0, 1)
    ]
    online, offline = [], []
    for x, (inside, outside) in zip(observed, columns, strict=True):
        spread = (inside.std(), outside.std()) if variance == "record" else common
        log_out = norm.logpdf(x, outside.mean(), spread[1])
        online.append(norm.logpdf(x, inside.mean(), spread[0]) - log_out)
        offline.append(norm.logcdf(x, outside.mean(), spread[1]))
    return np.array(online), np.array(offline)


def test_toy_vectors_of_the_paper():
    assert lira_scores(OBSERVED, TOY, TOY_MEMBER, "record")[0] == pytest.approx(12.0, abs=1e-9)
    z = lira_offline_scores(OBSERVED, TOY, TOY_MEMBER, "record")[0]
    assert z == pytest.approx(4.949747, abs=1e-6)
    assert norm.cdf(z) == pytest.approx(0.99999963, abs=1e-8)


@pytest.mark.parametrize("variance", ["record", "global"])
@pytest.mark.parametrize("m", [6, 9, 32])
def test_equal_to_the_loop_over_records(variance, m):
    observed, signals, member = shadows(m, 60, seed=m)
    online, offline = twin(observed, signals, member, variance)
    np.testing.assert_allclose(lira_scores(observed, signals, member, variance), online, rtol=1e-6, atol=1e-6)
    got = norm.logcdf(lira_offline_scores(observed, signals, member, variance))
    np.testing.assert_allclose(got, offline, rtol=1e-6, atol=1e-6)


def test_a_mapped_file_gives_the_same_scores(tmp_path):
    observed, signals, member = shadows(16, 5000)
    np.save(tmp_path / "signals.npy", signals)
    mapped = np.load(tmp_path / "signals.npy", mmap_mode="r")
    np.testing.assert_array_equal(lira_scores(observed, mapped, member), lira_scores(observed, signals, member))


@pytest.mark.parametrize(("m", "same_as"), [(62, "global"), (64, "record")])
def test_auto_takes_a_variance_for_each_record_from_64_shadows(m, same_as):
    observed, signals, member = shadows(m, 20)
    for score in (lira_scores, lira_offline_scores):
        np.testing.assert_array_equal(score(observed, signals, member), score(observed, signals, member, same_as))
        assert not np.array_equal(
            score(observed, signals, member, "record"), score(observed, signals, member, "global")
        )


def test_the_fixed_deviation_of_out_answers_comes_from_out_answers():
    """The published code takes it from IN answers; widening these must not move an offline score."""
    observed, signals, member = shadows(8, 30)
    wide = np.where(member, 10.0 * signals, signals)
    expected = lira_offline_scores(observed, signals, member, "global")
    np.testing.assert_allclose(lira_offline_scores(observed, wide, member, "global"), expected, atol=1e-9)


def test_offline_is_one_sided():
    """The published code's density falls again above the mean of the members; the paper's equation 4 does not."""
    z = lira_offline_scores(
        np.array([-9.0, 0.0, 9.0, 90.0]), np.tile([[0.0], [1.0], [-1.0]], (1, 4)), np.zeros((3, 4), bool)
    )
    assert (np.diff(z) > 0).all()


def test_offline_does_not_saturate():
    z = lira_offline_scores(np.array([40.0, 50.0]), np.tile([[0.0], [1.0]], (1, 2)), np.zeros((2, 2), bool))
    assert norm.cdf(z).tolist() == [1.0, 1.0]
    assert z[1] > z[0]


def test_rows_in_all_or_no_shadow_take_the_other_mean_moved_by_the_gap():
    observed, signals, member = shadows(8, 400)
    observed[:2] = 4.0
    member[:, 0], member[:, 1] = True, False
    signals[:, 0], signals[:, 1] = 4.0, 4.0  # as answered by IN models, and by OUT models
    scores = lira_scores(observed, signals, member)
    assert scores[0] > 0 > scores[1]


@pytest.mark.parametrize("in_all", [True, False])
def test_one_shadow_that_knows_all_or_nothing_says_nothing_of_the_other_law(in_all):
    scores = lira_scores(np.array([1.0, 2.0]), np.array([[0.5, 0.7]]), np.full((1, 2), in_all))
    assert np.isfinite(scores).all()


def test_one_shadow_is_already_worth_something():
    world = difficulty_world(rng(), n=2000, m=1, gap=4.0)
    scores = Lira().score(world.evidence, rng())
    assert auc(scores[world.member], scores[~world.member]).low > 0.75


@pytest.mark.parametrize(("attack", "slack"), [(Lira(), 0.01), (LiraOffline(), 0.02)])
def test_comes_near_the_best_possible_with_many_shadows(attack, slack):
    world = difficulty_world(rng(), n=6000, m=64)
    scores = attack.score(world.evidence.view(attack.needs), rng())
    area = auc(scores[world.member], scores[~world.member])
    assert area.high >= world.auc - slack
    assert area.low <= world.auc


@pytest.mark.parametrize("attack", [Lira(), LiraOffline()])
def test_several_queries_are_averaged(attack):
    evidence = difficulty_world(rng(), n=50, m=4).evidence
    other = difficulty_world(np.random.default_rng(7), n=50, m=4).evidence
    other = replace(other, labels=evidence.labels, shadows=replace(other.shadows, labels=evidence.labels))
    one, two = attack.score(evidence, rng()), attack.score(other, rng())
    got = attack.score(replace(evidence, variants=(other,)), rng())
    np.testing.assert_allclose(got, (one + two) / 2)


def test_notes_say_which_variance_was_taken():
    for m, words in ((4, "one variance for all records"), (64, "estimated for each record")):
        evidence = difficulty_world(rng(), n=20, m=m).evidence
        assert words in Lira().notes(evidence)[0]
        assert words in LiraOffline().notes(evidence)[0]
