"""Leakage by person: the evidence of all records of a person or household, put together.

An attacker who asks "was this household in the training data?" holds all its records, not one. He adds up each record's
log odds of membership, learned on shadow models that played the target; where there were none, the normal scores of the
records' ranks stand for them. The sum was chosen among sum, mean and largest on shopping baskets by household (665
households of 18 baskets, LiRA): AUC 0.998, 0.996 and 0.922, for 0.908 by single basket.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gnomon.auditing.evidence.assemble import Case
from gnomon.auditing.results.estimates import estimate, tpr_point
from gnomon.auditing.results.rehearsal import Rehearsed
from gnomon.auditing.results.scoring import Scored
from gnomon.core.arrays import Bools, Floats
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.person_results import GroupResult
from gnomon.core.documents.record import Finding
from gnomon.core.plan import Plan
from gnomon.stats.risk import log_odds
from gnomon.stats.roc import auc

STEP = 2.0**-20
LEAST_GROUPS = 10  # of each kind; fewer say nothing about people
LOG_ODDS = "sum of the records' log odds of membership, learned on shadow models that played the target"
RANKS = "sum of the normal scores of the records' ranks (there were no rehearsals to learn odds on)"


def measure_groups(
    scored: Scored, rehearsed: Rehearsed, case: Case, data: Dataset, roles: Roles, plan: Plan
) -> GroupResult | None:
    """One attack on groups that are wholly members against groups that are wholly not; None where there are too few."""
    if scored.scores is None or data.groups is None:
        return None
    of_row = data.groups[case.audited]
    _, index = np.unique(of_row, return_inverse=True)
    rows = np.bincount(index)
    inside, outside = _sides(of_row, case.member, data.groups[roles.train])
    if min(int(inside.sum()), int(outside.sum())) < LEAST_GROUPS or rows[inside | outside].max() == 1:
        return None
    combined = combine(scored.scores, rehearsed, of_row, case.member, data.groups[roles.train])
    sides: tuple[Floats, Floats] = (combined[inside], combined[outside])
    level = plan.statistics.confidence
    return GroupResult(
        rule=LOG_ODDS if rehearsed.played else RANKS,
        members=int(inside.sum()),
        nonmembers=int(outside.sum()),
        mixed=int((~inside & ~outside).sum()),
        rows=float(rows[inside | outside].mean()),
        auc=estimate(auc(*sides, confidence=level)),
        tpr_at_fpr=[tpr_point(*sides, fpr, level) for fpr in plan.statistics.fprs],
    )


def combine(scores: Floats, rehearsed: Rehearsed, of_row: NDArray[Any], member: Bools, trained: NDArray[Any]) -> Floats:
    """Scores (g,) of persons, in the order of ``np.unique(of_row)``; NaN for a person who stands on both sides.

    Args:
        scores: of the audited rows (n,).
        rehearsed: what shadows playing the target taught about the attack.
        of_row: persons of the audited rows (n,).
        member: the truth (n,).
        trained: persons of the rows that the target was trained on.
    """
    _, index = np.unique(of_row, return_inverse=True)
    inside, outside = _sides(of_row, member, trained)
    combined: Floats = np.where(inside | outside, np.bincount(index, _additive(scores, rehearsed)), np.nan)
    return combined


def _sides(of_row: NDArray[Any], member: Bools, trained: NDArray[Any]) -> tuple[Bools, Bools]:
    """Persons (g,) of whom every audited row is a member, and persons of whom no row was trained on."""
    groups, index = np.unique(of_row, return_inverse=True)
    inside: Bools = np.bincount(index, member) == np.bincount(index)
    outside: Bools = ~np.isin(groups, trained)
    return inside, outside


def _additive(scores: Floats, rehearsed: Rehearsed) -> Floats:
    """Scores (n,) that may be added up over a person's records: 0 says nothing.

    They are rounded to steps that add up exactly: persons whose records score alike tie, in whatever order the records
    stand, and the last bits of a sum (which depend on how many threads made it) break no tie.
    """
    from scipy.stats import rankdata

    if rehearsed.played:
        return _stepped(log_odds([(p.scores, p.member) for p in rehearsed.played], scores))
    return _stepped(ndtri((rankdata(scores) - 0.5) / len(scores)))


def _stepped(values: Floats) -> Floats:
    stepped: Floats = np.round(values / STEP) * STEP
    return stepped


def check_groups(data: Dataset, roles: Roles) -> Finding | None:
    """Whether persons stand on both sides, so that leakage by person can't be measured well."""
    if data.groups is None:
        return None
    mixed = _mixed(data.groups, roles)
    concerned = int(mixed.sum())
    if concerned <= 0.5 * len(mixed):
        return None
    return Finding(
        code="groups-mixed",
        title=f"{concerned:,} of {len(mixed):,} persons or households have both members and non-members",
        severity="note",
        explanation="Records of one person resemble each other, so a non-member may look like a member because a "
        "sibling record was trained on; and how much a whole person leaks can be measured on few persons only.",
        remedy="Set data.split_by_group = true (a target that is trained here), or split by person before training.",
    )


def _mixed(groups: NDArray[Any], roles: Roles) -> Bools:
    """Which of the audited groups have members and non-members."""
    audited = np.unique(groups[roles.audited])
    inside, outside = np.unique(groups[roles.train]), np.unique(groups[roles.nonmembers])
    both: Bools = np.isin(audited, inside) & np.isin(audited, outside)
    return both
