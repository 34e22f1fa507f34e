import numpy as np
import pytest
from scipy import stats

from gnomon.attacks import Bavaria, Lira, make_attack
from gnomon.attacks.bavaria import bavaria_offline_scores, bavaria_scores
from gnomon.stats.laws.moments import group_moments
from gnomon.stats.laws.student import estimate_prior
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.testing.toy import make_world


def signals(m, n):
    rng = np.random.default_rng(m)
    member = rng.random((m, n)) < 0.5
    return rng.normal(2.0, 2.0, n), rng.normal(rng.normal(0, 3, n), 1.0, (m, n)) + 3.0 * member, member


def uneven_world(rng, m):
    """Records of their own difficulty and their own spread, as LiRA's few-shadow trouble needs."""

    def law(rows, rng):
        return 3.0 * rows.trait + 2.0 * rows.member + rng.normal(0.0, np.exp(0.6 * np.sin(7 * rows.trait)))

    return make_world(law, rng, n=3000, m=m, c=3, view="auditor", auc=None)


@pytest.mark.parametrize("m", [2, 5, 12])
def test_equal_to_the_loop_over_records(m):
    """Update and predictive law written out for one record, with scipy's Student t."""
    observed, values, member = signals(m, 50)
    moments = group_moments(values, member)
    priors = {True: estimate_prior(moments.inside, moments), False: estimate_prior(moments.outside, moments)}
    online, offline = [], []
    for j, x in enumerate(observed):
        laws = {}
        for kind, prior in priors.items():
            own = values[member[:, j] == kind, j]
            k, mean = len(own), own.mean() if len(own) else 0.0
            weight, freedom = prior.weight + k, prior.freedom + k
            beta = prior.freedom * prior.scale / 2 + ((own - mean) ** 2).sum() / 2
            beta += prior.weight * k / weight * (mean - prior.mean) ** 2 / 2
            location = (prior.weight * prior.mean + k * mean) / weight
            laws[kind] = stats.t(freedom, location, np.sqrt(beta * (weight + 1) / (freedom / 2 * weight)))
        online.append(laws[True].logpdf(x) - laws[False].logpdf(x))
        offline.append(-laws[False].logsf(x))
    np.testing.assert_allclose(bavaria_scores(observed, values, member), online, atol=1e-6)
    if m > 2:  # with two shadows, the offline prior has only OUT answers to go by
        np.testing.assert_allclose(bavaria_offline_scores(observed, values, member), offline, atol=1e-6)


def test_offline_never_looks_at_in_answers():
    observed, values, member = signals(6, 50)
    hidden = np.where(member, np.nan, values)
    np.testing.assert_allclose(
        bavaria_offline_scores(observed, hidden, member), bavaria_offline_scores(observed, values, member), atol=1e-9
    )


@pytest.mark.parametrize("m", [4, 8])
def test_wins_over_lira_with_few_shadows(m):
    rng = np.random.default_rng(m)
    areas = []
    for _ in range(3):
        world = uneven_world(rng, m)
        areas.append(
            [auc(*split_scores(a.score(world.evidence, rng), world.member)).value for a in (Bavaria(), Lira())]
        )
    ours, lira = np.mean(areas, axis=0)
    assert ours > lira + 0.003


def test_with_many_shadows_it_is_lira_with_a_variance_for_each_record():
    rng = np.random.default_rng(0)
    world = uneven_world(rng, 128)
    ours, lira = (a.score(world.evidence, rng) for a in (Bavaria("normal"), Lira("record")))
    assert np.corrcoef(np.argsort(np.argsort(ours)), np.argsort(np.argsort(lira)))[0, 1] > 0.99


@pytest.mark.parametrize("name", ["bavaria", "bavaria_offline"])
def test_both_predictive_laws_can_be_asked_for_by_name(name):
    world = uneven_world(np.random.default_rng(0), 4)
    rng = np.random.default_rng(0)
    t, normal = (make_attack(name, {"predictive": p}).score(world.evidence, rng) for p in ("t", "normal"))
    assert not np.allclose(t, normal)
