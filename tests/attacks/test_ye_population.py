from dataclasses import replace

import numpy as np
import pytest

from gnomon.attacks import Loss, PopulationAttack
from gnomon.attacks.ye import population_scores
from gnomon.stats.signals import scaled_logit
from gnomon.testing import gaussian_world


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("z", [1, 2, 50])
def test_the_share_below_equals_the_loop(z):
    draw = np.random.default_rng(z)
    observed, known = draw.normal(size=40), draw.normal(size=z)
    below = np.array([(known < x).sum() for x in observed])
    np.testing.assert_array_equal(np.floor(population_scores(observed, known) * (z + 1) + 1e-9), below)


def test_orders_records_as_the_loss_does():
    world = gaussian_world(rng(), n=300)
    scores, loss = PopulationAttack().score(world.evidence, rng()), Loss().score(world.evidence, rng())
    np.testing.assert_array_equal(np.argsort(scores, kind="stable"), np.argsort(loss, kind="stable"))


def test_a_threshold_at_one_minus_alpha_accuses_alpha_of_the_nonmembers():
    world = gaussian_world(rng(), n=8000, gap=2.0)
    scores = PopulationAttack().score(world.evidence, rng())
    for alpha in (0.3, 0.1):
        assert np.mean(scores[~world.member] >= 1 - alpha) == pytest.approx(
            alpha, abs=0.045
        )  # four deviations of 2,000 population rows and 4,000 non-members


def test_by_class_holds_a_record_against_its_own_class():
    evidence = gaussian_world(rng(), n=200, c=3).evidence
    scores = PopulationAttack(by_class=True).score(evidence, rng())
    known, observed = evidence.population, scaled_logit(evidence.answers, evidence.labels)
    of_known = scaled_logit(known.answers, known.labels)
    for c in range(3):
        mine = evidence.labels == c
        expected = population_scores(observed[mine], of_known[known.labels == c])
        np.testing.assert_array_equal(scores[mine], expected)


def test_a_class_that_the_population_lacks_is_held_against_all():
    evidence = gaussian_world(rng(), n=200, c=3).evidence
    there = evidence.population.labels != 2
    known = replace(
        evidence.population, labels=evidence.population.labels[there], answers=evidence.population.answers[there]
    )
    evidence, mine = replace(evidence, population=known), evidence.labels == 2
    by_class, common = (PopulationAttack(by_class=b).score(evidence, rng()) for b in (True, False))
    np.testing.assert_array_equal(by_class[mine], common[mine])


def test_notes_name_the_resolution():
    evidence = gaussian_world(rng(), n=200).evidence
    assert "1/51" in PopulationAttack().notes(evidence)[0]
