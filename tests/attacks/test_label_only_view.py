"""Label-only attacks are handed predicted labels: no probability is reachable from what they see."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tests.attacks.suited import SUITED, as_it_is

from gnomon.attacks import ATTACKS, Augmentation, Boundary, BoundaryBits, Gap, Loss, NoiseRobustness
from gnomon.auditing.results.scoring import describe_attack
from gnomon.core.answers import Reveal
from gnomon.core.documents.record import AttackResult
from gnomon.core.evidence import BLACK_BOX, INSIDE, NEEDS, WHITE_BOX, reads_labels_only
from gnomon.defending.measure import leaks
from gnomon.testing import overfitted_world
from gnomon.testing.changes import arrays_of

LABEL_ONLY = {"gap": Gap, "noise_robustness": NoiseRobustness, "augmentation": Augmentation, "boundary": Boundary}
LABEL_ONLY |= {"boundary_bits": BoundaryBits}


def seen_by(kind):
    """The attack's view of a toy world, the world's full evidence, and the attack."""
    world = SUITED.get(kind, as_it_is)(overfitted_world(np.random.default_rng(0), n=60))
    return world.evidence.view(kind().needs), world.evidence, kind()


def only_labels(answers):
    """Whether every entry is a probability of 0 or 1, one of them 1 a row."""
    return bool(np.isin(answers, (0.0, -np.inf)).all() and ((answers == 0.0).sum(axis=1) == 1).all())


def test_those_that_read_labels_only_are_known_by_their_needs():
    assert {attack.name for attack in ATTACKS if reads_labels_only(attack.needs)} == set(LABEL_ONLY)


@pytest.mark.parametrize("kind", LABEL_ONLY.values(), ids=lambda kind: kind.name)
def test_no_probability_is_reachable_from_a_label_only_view(kind):
    view, full, _ = seen_by(kind)
    assert only_labels(view.answers)
    np.testing.assert_array_equal(view.answers.argmax(axis=1), full.answers.argmax(axis=1))
    held = {array.tobytes() for array in arrays_of(full) if array.shape[-1:] == (full.n_classes,)}
    assert not held & {array.tobytes() for array in arrays_of(view)}
    assert str(view.reveal) == "the predicted label only"
    if view.query is not None:
        asked = view.query.ask(full.x)
        assert only_labels(asked)
        np.testing.assert_array_equal(asked.argmax(axis=1), full.query.ask(full.x).argmax(axis=1))


@pytest.mark.parametrize("kind", LABEL_ONLY.values(), ids=lambda kind: kind.name)
def test_scores_follow_from_labels_alone(kind):
    """A target of the same labels and other probabilities, however it reveals them, gives the same scores."""
    view, full, attack = seen_by(kind)
    expected = attack.score(view, np.random.default_rng(1))
    for reveal in (Reveal("labels"), Reveal("top", 1)):
        other = replace(full.through(reveal), query=full.query)
        got = attack.score(other.view(attack.needs), np.random.default_rng(1))
        np.testing.assert_array_equal(got, expected)


def test_a_bench_knows_them_by_what_they_were_handed():
    """`boundary_bits` once was no label-only attack there, because a list of names left it out."""
    described = [describe_attack(attack()) for attack in (*LABEL_ONLY.values(), Loss)]
    results = [AttackResult(name=d.name, title=d.title, paper=d.paper, status="ok", needs=d.needs) for d in described]
    found = leaks(SimpleNamespace(attacks=results))
    assert {leak.attack for leak in found if leak.label_only} == set(LABEL_ONLY)


def test_queries_are_counted_through_the_handle_of_labels():
    view, full, _ = seen_by(NoiseRobustness)
    before = full.query.asked
    view.query.ask(full.x[:7])
    assert view.query.asked == full.query.asked == before + 7
    assert view.query.remaining is None


def test_shadows_and_population_are_reduced_to_labels_too():
    full = overfitted_world(np.random.default_rng(0), n=60, view="auditor").evidence
    view = full.view(frozenset({"labels", "shadows", "pool", "population", "inside"}))
    for answers in (view.shadows.of_shadow(0), view.pool.of_shadow(1), view.population.answers):
        assert only_labels(answers)
    assert only_labels(view.population.shadows.of_shadow(2))
    assert view.observed.keys() == view.pool.observed.keys() == {"inside"}  # what was declared stays
    assert full.view(frozenset({"labels", "answers"})).answers is full.answers


def test_groups_of_needs_cover_all():
    assert BLACK_BOX | INSIDE == NEEDS
    assert not BLACK_BOX & INSIDE
    assert WHITE_BOX < INSIDE
    assert not reads_labels_only({"labels", "gradients"})
    assert not reads_labels_only({"labels", "answers"})
