"""How large a leak is that the joint test has found: what makes it a clear one, in the words of which figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gnomon.core.documents.record import AttackResult, Estimate, JointResult, TprAtFpr
from gnomon.core.documents.record_parts import FdrAccusations
from gnomon.stats.intervals import clopper_pearson, worth_of

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
