"""Whether a model leaks, by one joint test that hears all attacks, and how much, in the words of which figure.

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
from gnomon.auditing.results.figures import Truth, combine, where_to_count
from gnomon.auditing.results.scoring import Attempt, choose, with_scores
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.record import AttackResult, Estimate, JointResult, TprAtFpr
from gnomon.core.documents.record_parts import FdrAccusations
from gnomon.core.evidence import INSIDE
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine, LocalEngine, Task, in_order
from gnomon.stats.comparison import auc_difference
from gnomon.stats.intervals import clopper_pearson, worth_of
from gnomon.stats.permutation.joint import LEVEL, JointTest, joint_test
from gnomon.stats.roc import auc

CLEAR_RATIO = 5.0  # a true-positive rate that is surely this many times the false-positive rate is a clear leak
CLEAR_AUC = 0.6  # ... and so is an AUC that is surely above this
FEWEST_ACCUSED = 5  # accusations that hold are a clear leak from so many on
TOLERATED = 2.0  # times the wanted share of false accusations, which one sample of them may pass by chance

Speaks = Literal["persons", "rate", "auc", "accusations", "tail", "nothing"]


def rounded_up(area: float) -> str:
    """An AUC that an audit finds, with two digits: no smaller one than the true one is promised.

    >>> rounded_up(0.741), rounded_up(1.0)
    ('0.75', '1.00')
    """
    return f"{min(1.0, -(-area * 100 // 1) / 100):.2f}"


@dataclass(frozen=True)
class Size:
    """What the figures of a found attack show."""

    clear: tuple[Speaks, ...]  # the figures that show a clear leak, the most telling first
    auc: Estimate  # above 0.5 = the direction that was found
    persons: Estimate | None  # the same by person
    point: TprAtFpr | None
    person_point: TprAtFpr | None  # the same by person
    accused: FdrAccusations | None  # accusations that hold

    @property
    def by_person(self) -> bool:
        """Whether persons, not records, are what the headline speaks of."""
        return bool(self.clear) and self.clear[0] == "persons"

    @property
    def spoken(self) -> TprAtFpr | None:
        """The rate that the headline speaks of, or the sentences below it."""
        return self.person_point if self.by_person and self.person_point is not None else self.point

    @property
    def rank(self) -> int:
        """2: a clear leak, 1: some leak."""
        return 2 if self.clear else 1


def leak_size(result: AttackResult, tested: JointResult) -> Size:
    """What an attack that was found shows.

    Args:
        result: its figures.
        tested: what the joint test says of it; where members stand below others, a rate of the usual direction speaks
            only if it shows a clear leak all the same (of the few that the model knows by heart).
    """
    assert result.auc is not None
    area = result.auc.turned if tested.reversed else result.auc
    persons = None if result.groups is None else result.groups.auc
    persons = persons.turned if persons is not None and tested.reversed else persons
    point, accused = headline_point(result.tpr_at_fpr), _held(result)
    sure = point is not None and is_clear(point)
    point = None if tested.reversed and not sure else point
    whole = [] if tested.reversed or result.groups is None else result.groups.tpr_at_fpr
    told: dict[Speaks, bool] = {
        "persons": persons is not None and persons.low > CLEAR_AUC,
        "rate": sure,
        "auc": area.low > CLEAR_AUC,
        "accusations": accused is not None,
        "tail": _clear_tail(tested),
    }
    return Size(
        tuple(name for name, is_clear in told.items() if is_clear), area, persons, point, headline_point(whole), accused
    )


def headline_point(points: Sequence[TprAtFpr]) -> TprAtFpr | None:
    """The lowest false-positive rate at which the attack surely does much better than guessing.

    If there is none, the lowest at which the sample gives a true-positive rate at all.
    """
    known = sorted((p for p in points if p.tpr is not None), key=lambda p: p.fpr)
    sure = [p for p in known if is_clear(p)]
    return next(iter([*sure, *known]), None)


def is_clear(point: TprAtFpr) -> bool:
    """Whether a true-positive rate is significantly more than `CLEAR_RATIO` times its false-positive rate."""
    return point.tpr is not None and point.tpr.low > CLEAR_RATIO * point.fpr


def _held(result: AttackResult) -> FdrAccusations | None:
    """Accusations that came true as promised: the most of them."""
    held = [
        one
        for one in result.accusations
        if (one.accused if one.persons is None else one.persons) >= FEWEST_ACCUSED
        and one.accused - one.members <= TOLERATED * one.fdr * one.accused
    ]
    return max(held, key=lambda one: one.members, default=None)


def _clear_tail(tested: JointResult) -> bool:
    """Members are surely `CLEAR_RATIO` times as frequent, against others, as among rows that are drawn at random.

    Records of one person are counted as one observation.
    """
    if tested.rows is None or tested.members is None or not tested.expected:
        return False
    low = float(clopper_pearson(*worth_of(tested.members, tested.rows, tested.worth))[0])
    base = tested.expected / tested.rows
    return low / max(1 - low, 1e-12) > CLEAR_RATIO * base / (1 - base)


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

    @property
    def among(self) -> int:
        """Of how many attacks the audited rows chose the speaker; 1 where rehearsals did."""
        return len(self.tested) if self.chosen_on == "audited rows" else 1

    def of(self, name: str | None) -> JointResult | None:
        """What the test says of one attack."""
        return next((one for one in self.tested if one.name == name), None)


def hear(
    attempts: Sequence[Attempt],
    results: Sequence[AttackResult],
    case: AuditCase,
    fpr: float,
    seeds: Seeds,
    engine: Engine = LocalEngine(1),  # noqa: B008 - frozen
) -> Heard:
    """Tests all attacks together and chooses who speaks.

    Args:
        attempts: all attacks, with their rehearsals.
        results: their figures, in the same order.
        case: the audited rows and the truth.
        fpr: the lowest false-positive rate that the audited rows resolve; rehearsals choose by it.
        seeds: the audit's root.
        engine: where the tests of attacks that see answers, and of those that see more, are carried out.
    """
    scored = with_scores(attempts)
    outside = [a for a in scored if not INSIDE & set(a.scored.needs)]
    speaking, rest = (outside, [a for a in scored if a not in outside]) if outside else (scored, [])
    if not speaking:
        return Heard()
    truth, names = Truth.of(case), [("joint test",), ("joint test", "inside")]
    families = [speaking, rest] if rest else [speaking]
    tasks = [
        Task(" ".join(name), _tested, (some, truth, seeds.child(*name)))
        for name, some in zip(names, families, strict=False)
    ]
    (test, tested), *further = in_order(where_to_count(scored, engine), tasks)
    inside = further[0][1] if further else []
    rehearsed = choose({a.scored.name: a.rehearsed for a in speaking}, fpr)
    heard = Heard(None, None, rehearsed, tested, inside, test)
    speaker = _speaker(heard, {r.name: r for r in results}, speaking, case)
    return Heard(speaker, "shadows" if speaker == rehearsed else "audited rows", rehearsed, tested, inside, test)


def _tested(attempts: Sequence[Attempt], truth: Truth, seeds: Seeds) -> tuple[JointTest, list[JointResult]]:
    scores = np.stack([a.scores for a in attempts])
    persons = None
    if truth.groups is not None and truth.trained is not None:
        known = truth.groups, truth.member, truth.trained
        persons = np.stack([combine(a.scores, a.rehearsed, *known) for a in attempts])
    wider = [truth.judging.wider(a.scored.needs) for a in attempts]
    rng = seeds.generator()
    test = joint_test(scores, truth.member, rng=rng, groups=truth.units, person_scores=persons, wider=wider)
    named = zip(attempts, test.attacks, strict=True)
    return test, [JointResult(name=attempt.scored.name, found=one.p <= LEVEL, **vars(one)) for attempt, one in named]


def _speaker(
    heard: Heard,
    results: dict[str, AttackResult],
    attempts: Sequence[Attempt],
    case: AuditCase,
) -> str | None:
    """The rehearsed attack, unless another that was found is significantly stronger; without either, the best AUC."""
    scores, member = {a.scored.name: a.scores for a in attempts}, case.member
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
