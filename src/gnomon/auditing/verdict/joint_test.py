"""All attacks are heard: one joint test says which of them tell members from others, and which speaks of the size.

The attack that was chosen in rehearsals on shadow models speaks as long as no other is significantly stronger, or it
finds more at a low false-positive rate; its figures owe nothing to a choice on the audited rows. Otherwise the
strongest of the attacks that the test found speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.results.figures import combine
from gnomon.auditing.results.scoring import Attempt, choose
from gnomon.auditing.verdict.leak_size import Size, leak_size
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.record import AttackResult, JointResult
from gnomon.core.evidence import INSIDE
from gnomon.core.seeds import Seeds
from gnomon.stats.comparison import auc_difference
from gnomon.stats.permutation.joint import LEVEL, JointTest, joint_test
from gnomon.stats.roc import auc

ChosenOn = Literal["shadows", "audited rows"]


@dataclass(frozen=True)
class Heard:
    """What the joint test says of all attacks, and which of them speaks."""

    speaker: str | None = None
    chosen_on: ChosenOn | None = None
    rehearsed: str | None = None  # chosen in rehearsals, whether it speaks or not
    tested: list[JointResult] = field(default_factory=list)  # those that speak in the headline
    inside: list[JointResult] = field(default_factory=list)  # those that see more than answers
    test: JointTest | None = None  # of the first

    @property
    def found(self) -> list[JointResult]:
        """Attacks that tell members from others, their number paid for."""
        return [one for one in self.tested if one.found]

    def of(self, name: str | None) -> JointResult | None:
        """What the test says of one attack."""
        return next((one for one in self.tested if one.name == name), None)


def hear(
    attempts: Sequence[Attempt],
    results: Sequence[AttackResult],
    case: AuditCase,
    fpr: float,
    seeds: Seeds,
) -> Heard:
    """Tests all attacks together and chooses who speaks.

    Args:
        attempts: all attacks, with their rehearsals.
        results: their figures, in the same order.
        case: the audited rows and the truth.
        fpr: the lowest false-positive rate that the audited rows resolve; rehearsals choose by it.
        seeds: the audit's root.
    """
    scored = [a for a in attempts if a.scored.scores is not None]
    outside = [a for a in scored if not INSIDE & set(a.scored.needs)]
    speaking, rest = (outside, [a for a in scored if a not in outside]) if outside else (scored, [])
    if not speaking:
        return Heard()
    test, tested = _tested(speaking, case, seeds.child("joint test"))
    _, inside = _tested(rest, case, seeds.child("joint test", "inside")) if rest else (None, [])
    rehearsed = choose({a.scored.name: a.rehearsed for a in speaking}, fpr)
    heard = Heard(None, None, rehearsed, tested, inside, test)
    speaker = _speaker(heard, {r.name: r for r in results}, speaking, case)
    return Heard(speaker, "shadows" if speaker == rehearsed else "audited rows", rehearsed, tested, inside, test)


def _tested(attempts: Sequence[Attempt], case: AuditCase, seeds: Seeds) -> tuple[JointTest, list[JointResult]]:
    scores = np.stack([_scores(a) for a in attempts])
    persons = None
    if case.groups is not None and case.trained is not None:
        known = case.groups, case.member, case.trained
        persons = np.stack([combine(_scores(a), a.rehearsed, *known) for a in attempts])
    wider = [case.judging.wider(a.scored.needs) for a in attempts]
    rng = seeds.generator()
    test = joint_test(scores, case.member, rng=rng, groups=case.units, person_scores=persons, wider=wider)
    named = zip(attempts, test.attacks, strict=True)
    return test, [
        JointResult(
            name=attempt.scored.name,
            p=one.p,
            found=one.p <= LEVEL,
            by=one.by,
            reversed=one.reversed,
            rows=one.rows,
            members=one.members,
            expected=one.expected,
            worth=one.worth,
        )
        for attempt, one in named
    ]


def _scores(attempt: Attempt) -> Floats:
    assert attempt.scored.scores is not None
    return attempt.scored.scores


def _speaker(
    heard: Heard,
    results: dict[str, AttackResult],
    attempts: Sequence[Attempt],
    case: AuditCase,
) -> str | None:
    """The rehearsed attack, unless another that was found is significantly stronger; without either, the best AUC."""
    scores, member = {a.scored.name: _scores(a) for a in attempts}, case.member
    if not heard.found:
        return heard.rehearsed or max(scores, key=lambda name: _distance(scores[name], member))
    sizes = {one.name: leak_size(results[one.name], one) for one in heard.found}
    strongest = max(heard.found, key=lambda one: (sizes[one.name].rank, _distance(scores[one.name], member)))
    own = heard.of(heard.rehearsed)
    if own is None or own.name == strongest.name:
        return strongest.name
    keeps = own.found and own.reversed == strongest.reversed and sizes[own.name].rank >= sizes[strongest.name].rank
    if not keeps:
        return strongest.name
    if "rate" in sizes[own.name].clear and _rate(sizes[own.name]) >= _rate(sizes[strongest.name]):
        return own.name
    sign = -1.0 if own.reversed else 1.0
    pair = sign * scores[own.name], sign * scores[strongest.name]
    wider, level = max(results[one.name].wider for one in (own, strongest)), 1 - LEVEL / len(heard.found)
    change = auc_difference(*pair, member, confidence=level, groups=case.units, wider=wider).change
    return strongest.name if change == "lower" else own.name


def _distance(scores: Floats, member: Bools) -> float:
    return abs(auc(scores[member], scores[~member]).value - 0.5)


def _rate(size: Size) -> float:
    """How many times a true-positive rate passes its false-positive rate."""
    return 0.0 if size.point is None or size.point.tpr is None else size.point.tpr.value / size.point.fpr
