from dataclasses import replace

import numpy as np
import pytest

from gnomon.core.answers import Reveal, ShadowAnswers
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Population

N, M, C = 12, 4, 3


def shadows(paired: bool = False) -> ShadowAnswers:
    rng = np.random.default_rng(0)
    raw = rng.dirichlet(np.ones(C), size=(M, N)).astype(np.float32)
    member = rng.random((M, N)) < 0.5
    labels = rng.integers(0, C, N)
    return ShadowAnswers(np.log(raw), np.arange(N), labels, member, np.ones((M, N), bool), paired=paired)


@pytest.fixture
def evidence() -> Evidence:
    s = shadows()
    population = Population(s.labels, s.of_shadow(0), s)
    return Evidence(s.labels, C, s.of_shadow(1), s, s, population, x=np.zeros((N, 2)))


def test_a_view_holds_only_what_was_declared(evidence: Evidence) -> None:
    view = evidence.view(frozenset({"answers"}))
    assert view.answers is evidence.answers
    assert (view.shadows, view.pool, view.population, view.x, view.query) == (None,) * 5


def test_an_offline_view_hides_what_members_answered(evidence: Evidence) -> None:
    view = evidence.view(frozenset({"shadows_out"}))
    assert view.shadows is not None
    assert evidence.shadows is not None
    signal = view.shadows.signal(lambda logs, labels: logs[:, 0])
    np.testing.assert_array_equal(np.isnan(signal), evidence.shadows.member)
    for part, block in view.shadows.blocks():
        np.testing.assert_array_equal(np.isnan(block).all(axis=2), evidence.shadows.member[:, part])


def test_what_is_missing_is_said(evidence: Evidence) -> None:
    assert evidence.missing(frozenset({"answers", "shadows"})) is None
    assert "further queries" in str(evidence.missing(frozenset({"query"})))
    offline = Evidence(evidence.labels, C, evidence.answers, shadows=None)
    assert "shadow models" in str(offline.missing(frozenset({"shadows_out"})))


def test_a_rehearsal_knows_its_truth_and_leaves_the_player_out(evidence: Evidence) -> None:
    rehearsal, member = evidence.rehearse(2)
    assert evidence.pool is not None
    np.testing.assert_array_equal(member, evidence.pool.member[2])
    np.testing.assert_array_equal(rehearsal.answers, evidence.pool.of_shadow(2))
    assert rehearsal.shadows is not None
    assert rehearsal.shadows.n_shadows == M - 1
    assert rehearsal.population is not None
    assert len(rehearsal.population.labels) == int((~evidence.pool.member[2]).sum())


def test_a_rehearsal_of_paired_shadows_leaves_the_partner_out() -> None:
    s = shadows(paired=True)
    rehearsal, _ = Evidence(s.labels, C, s.of_shadow(0), s, s).rehearse(1)
    assert rehearsal.shadows is not None
    np.testing.assert_array_equal(rehearsal.shadows.member, s.member[2:])


def test_one_shadow_cannot_rehearse(evidence: Evidence) -> None:
    assert evidence.pool is not None
    alone = Evidence(evidence.labels, C, evidence.answers, pool=evidence.pool.first(1))
    assert not alone.can_rehearse
    with pytest.raises(UsageError, match="at least 2 shadow models"):
        alone.rehearse(0)


def test_a_lesser_reveal_goes_through_shadows_and_population_too(evidence: Evidence) -> None:
    less = evidence.through(Reveal("labels"))
    assert less.answers is not None
    assert less.shadows is not None
    assert less.population is not None
    for answers in (less.answers, less.shadows.of_shadow(0), less.population.answers):
        assert set(np.unique(answers).tolist()) == {0.0, -np.inf}


def test_some_rows_are_the_same_rows_everywhere(evidence: Evidence) -> None:
    rows = np.array([5, 1, 7])
    part = replace(evidence, observed={"inside": np.arange(N)[:, None] * 1.0}, variants=(evidence,)).at(rows)
    assert part.answers is not None and part.shadows is not None and evidence.answers is not None
    np.testing.assert_array_equal(part.labels, evidence.labels[rows])
    for one in part.queries:
        np.testing.assert_array_equal(one.require("answers"), evidence.answers[rows])
        np.testing.assert_array_equal(one.require("shadows").member, evidence.require("shadows").member[:, rows])
    np.testing.assert_array_equal(part.require("inside")[:, 0], rows)
    assert part.pool is evidence.pool and part.population is evidence.population


@pytest.mark.parametrize(
    ("part", "words"),
    [("answers", "the target's answers"), ("shadows", "shadow models"), ("insider", "the membership of half")],
)
def test_what_was_declared_and_is_not_there_is_named(part: str, words: str) -> None:
    bare = Evidence(np.zeros(3, dtype=np.int64), 2)
    with pytest.raises(UsageError, match=f"the evidence lacks {words}"):
        bare.require(part)  # type: ignore[call-overload]
