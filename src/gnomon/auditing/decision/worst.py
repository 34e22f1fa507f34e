"""The most exposed records or persons: how often an accusation of them is right, under a simultaneous bound.

A single record's membership is never measured: one audit holds it once, inside or outside. What can be measured is how
many of the few that an attack ranks highest are members. Several numbers of them are tried and share the error
(Bonferroni), so the interval holds although the most telling number was chosen by looking.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.results.figures import combine
from gnomon.auditing.results.scoring import Attempt
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.decision import MostExposed, Unit
from gnomon.core.documents.schema import Estimate
from gnomon.stats.intervals import clopper_pearson

SIZES = (8, 16, 32, 64, 128, 256)
SHARE = 0.25  # of all that are ranked; more are not "the most exposed"


def most_exposed_units(
    headline: str | None, attempts: Sequence[Attempt], case: AuditCase, confidence: float, *, reverse: bool = False
) -> MostExposed | None:
    """Who an attack exposes most: persons where groups are given, else records; None where too few are ranked.

    Args:
        headline: name of the attack.
        attempts: all attacks with their rehearsals.
        case: the audited rows and the truth.
        confidence: of the interval, for all numbers that are tried together.
        reverse: members stand below others.
    """
    found = next((a for a in attempts if a.scored.name == headline), None)
    if found is None or found.scored.scores is None:
        return None
    scores, member, names = _units(found, case)
    known = ~np.isnan(scores)
    unit: Unit = "record" if case.groups is None else "person"
    return rank(-scores[known] if reverse else scores[known], member[known], names[known], unit, confidence)


def _units(found: Attempt, case: AuditCase) -> tuple[Floats, Bools, np.ndarray]:
    scores = found.scored.scores
    assert scores is not None
    if case.groups is None or case.trained is None:
        kept = case.distinct
        return scores[kept], case.member[kept], case.data.ids[case.audited][kept]
    persons, first = np.unique(case.groups, return_index=True)
    whole = combine(scores, found.rehearsed, case.groups, case.member, case.trained)
    return whole, case.member[first], persons


def rank(scores: Floats, member: Bools, names: np.ndarray, unit: Unit, confidence: float) -> MostExposed | None:
    """The numbers from the top, and the one whose accusations are most surely right.

    Args:
        scores: (n,) higher = more like a member; ties in their order.
        member: (n,) the truth.
        names: (n,) ids.
        unit: what is ranked.
        confidence: of the interval.

    >>> scores, member = np.arange(100.0), np.arange(100) >= 84
    >>> found = rank(scores, member, np.arange(100), "record", 0.95)
    >>> found.ranked, found.members, found.right.low > 0.9, found.first
    (16, 16, True, '99')
    """
    sizes = [size for size in SIZES if size <= SHARE * len(scores)]
    inside, outside = int(member.sum()), int((~member).sum())
    if not sizes or not inside or not outside:
        return None
    order = np.argsort(-scores, kind="stable")
    level = 1 - (1 - confidence) / len(sizes)
    hits = np.cumsum(member[order])[np.array(sizes) - 1]
    low, high = clopper_pearson(hits, np.array(sizes), confidence=level)
    ends = [_even(share, outside / inside) for share in (hits / np.array(sizes), low, high)]
    best = int(np.argmax(ends[1]))
    firsts = names[order][member[order]]
    return MostExposed(
        unit=unit,
        first=str(firsts[0]),
        ranked=sizes[best],
        members=int(hits[best]),
        right=Estimate(value=float(ends[0][best]), low=float(ends[1][best]), high=float(ends[2][best])),
        level=confidence,
        tried=sizes,
    )


def _even(share: Floats, ratio: float) -> Floats:
    """A share of members as it were with as many members as others; ``ratio``: others to a member."""
    weighted: Floats = share * ratio / (share * ratio + 1 - share)
    return weighted
