"""The contract suite catches attacks that break it: each mutant here breaks one clause."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from gnomon.core.errors import UsageError
from gnomon.core.protocols import Attack
from gnomon.stats.signals import scaled_logit
from gnomon.testing import World, yield_checks
from gnomon.testing.changes import arrays_of


@dataclass(frozen=True)
class Sound(Attack):
    """Ranks by the scaled logit of the true label."""

    name: ClassVar[str] = "sound"
    title: ClassVar[str] = "Sound"
    paper: ClassVar[str] = "Nobody 2020"
    needs: ClassVar[frozenset] = frozenset({"answers", "shadows_out"})
    threshold: ClassVar[float | None] = None

    def score(self, evidence, rng):
        """Scores (n,): log-odds."""
        if evidence.answers is None:
            raise UsageError("no answers")
        return scaled_logit(evidence.answers, evidence.labels)


def broken_clauses(attack, complete=None):
    found = set()
    for check in yield_checks(attack, complete=complete):
        try:
            check.run()
        except Exception:
            found.add(check.name)
    return found


def mutant(score=None, **attributes):
    """A sound attack with another method or attribute."""
    if score is not None:
        original = Sound.score

        def changed(self, evidence, rng):
            """Scores (n,)."""
            return score(original(self, evidence, rng), evidence)

        attributes["score"] = changed
    attributes = {"__doc__": Sound.__doc__, "name": "sound", **attributes}
    return dataclass(frozen=True)(type("Mutant", (Sound,), attributes))()


def test_a_sound_attack_passes():
    assert broken_clauses(Sound()) == set()


# local classes can't be pickled, so every mutant breaks that one as well
@pytest.mark.parametrize(
    ("clause", "score"),
    [
        ("right_sign", lambda s, _: -s),
        ("same_seed_same_scores", lambda s, _: s + np.random.default_rng().normal(size=s.shape)),
        ("odd_world", lambda s, _: s[:, None]),
        ("odd_world", lambda s, _: s > 0),
        ("odd_world", lambda s, _: list(s)),
        ("odd_world", lambda s, _: np.where(s == s.max(), np.nan, s)),
        ("order_of_rows", lambda s, _: s + np.arange(len(s))),
        ("order_of_shadows", lambda s, e: s + e.shadows.signal(scaled_logit)[0, 0]),
        ("zeros_and_ones", lambda s, _: np.where(s > 103, np.nan, s)),
        ("one_row", lambda s, _: s + np.nan if len(s) == 1 else s),
        ("reads_only_what_it_needs", lambda s, e: s + (0 if e.pool is None else e.pool.answers[0].mean())),
        ("reads_only_what_it_needs", lambda s, e: s + (0 if e.x is None else e.x.mean())),
        ("reads_only_what_it_needs", lambda s, e: s + (0 if e.population is None else np.nan)),
        ("leaves_evidence_alone", lambda s, e: (e.answers.sort(axis=1), s)[1]),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_broken_attack_is_caught(clause, score):
    assert clause in broken_clauses(mutant(score)) - {"picklable"}


def test_an_attack_that_reads_shadows_members_offline_is_caught():
    @dataclass(frozen=True)
    class Peeks(Sound):
        """Averages over all shadows, in or out."""

        def score(self, evidence, rng):
            """Scores (n,)."""
            return super().score(evidence, rng) - evidence.shadows.signal(scaled_logit).mean(axis=0)

    assert {"rows_in_all_or_no_shadow", "odd_world"} <= broken_clauses(Peeks())


def test_an_attack_that_learns_from_the_audited_rows_is_caught():
    @dataclass(frozen=True)
    class Centred(Sound):
        """Subtracts the mean of the rows that it was shown first."""

        def learn(self, evidence, rng):
            mean = super().score(evidence, rng).mean()
            return lambda audited: super(Centred, self).score(audited, rng) - mean

        def score(self, evidence, rng):
            """Scores (n,)."""
            return self.learn(evidence, rng)(evidence)

    assert "learns_from_the_pool_alone" in broken_clauses(Centred())


def test_an_attack_that_knows_the_truth_is_caught_on_noise():
    leaked = {}

    def remember(world: World) -> World:
        leaked[world.evidence.answers.tobytes()] = world.member
        return world

    clairvoyant = mutant(lambda s, e: s + 100.0 * leaked.get(e.answers.tobytes(), np.zeros(len(s))))
    assert {"chance_on_noise", "best_possible"} <= broken_clauses(clairvoyant, remember)


@dataclass(frozen=True)
class _KnowsItself(Sound):
    """Scores a row by its own membership, which an insider's attack must not see."""

    name: ClassVar[str] = "knows_itself"
    needs: ClassVar[frozenset] = frozenset({"answers", "membership_half"})

    def score(self, evidence, rng):
        """Scores (n,): log-odds, and more for members."""
        if evidence.insider is None:
            raise UsageError("no insider")
        scores = np.empty(len(evidence))
        for fold in (0, 1):
            rows, member = evidence.insider.told(fold)
            scores[rows] = 10.0 * member
        return scores + scaled_logit(evidence.answers, evidence.labels)


def test_an_insider_that_judges_what_it_was_told_is_caught():
    assert {"own_half_unseen", "chance_on_noise"} <= broken_clauses(_KnowsItself())


def test_claims_are_held():
    assert broken_clauses(mutant(optimal_in=frozenset({"gaussian", "gaussian_auditor"}))) == {"picklable"}
    claims_too_much = mutant(optimal_in=frozenset({"difficulty"}))
    assert broken_clauses(claims_too_much) == {"picklable", "best_possible"}


def test_exemptions_are_named_and_must_exist():
    names = [check.name for check in yield_checks(mutant(exempt=frozenset({"right_sign"})))]
    assert "right_sign" not in names
    with pytest.raises(AssertionError, match="right_sing"):
        list(yield_checks(mutant(exempt=frozenset({"right_sing"}))))


@pytest.mark.parametrize(
    "attributes",
    [
        {"name": "Sound"},
        {"title": " "},
        {"paper": "Nobody"},
        {"needs": frozenset({"answers", "luck"})},
        {"needs": frozenset()},
        {"threshold": float("nan")},
        {"__doc__": "Short."},
    ],
)
def test_poor_documents_are_caught(attributes):
    checks = {check.name: check for check in yield_checks(mutant(**attributes))}
    with pytest.raises(AssertionError):
        checks["documented"].run()


def test_an_attack_that_no_world_serves_is_told_so():
    def opaque(world):
        return world._replace(evidence=replace(world.evidence, gradients=None))

    checks = list(yield_checks(mutant(needs=frozenset({"answers", "gradients"})), complete=opaque))
    assert {check.name for check in checks} == {"documented", "picklable", "refuses_empty_evidence", "has_a_world"}
    with pytest.raises(AssertionError, match="give `complete`"):
        checks[-1].run()


def test_an_attack_that_makes_numbers_from_nothing_is_caught():
    assert "refuses_empty_evidence" in broken_clauses(_Nothing())


@dataclass(frozen=True)
class _Nothing(Sound):
    """Gives every row a zero whatever the evidence."""

    def score(self, evidence, rng):
        """Scores (n,): 0."""
        return np.zeros(len(evidence))


def test_arrays_are_found_wherever_they_stand():
    found = list(arrays_of({"a": [np.zeros(1), (np.ones(2),)], "b": 3}))
    assert [array.shape for array in found] == [(1,), (2,)]


@dataclass(frozen=True)
class _Peeks(Sound):
    """Declares labels and reads probabilities."""

    name: ClassVar[str] = "peeks"
    needs: ClassVar[frozenset] = frozenset({"labels"})


def test_an_attack_that_declares_labels_and_reads_probabilities_is_caught():
    assert "reads_only_what_it_needs" in broken_clauses(_Peeks())
