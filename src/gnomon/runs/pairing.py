"""Which rows of two audits can be compared one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gnomon.auditing.outcome import Outcome
from gnomon.core.arrays import Ints

LEAST_SHARED = 0.5  # of each run's members and non-members; below it, pairs would leave too much out
SIDES_CHANGED = 0.05  # share of rows that are members here and non-members there, from which on errors may be opposed


COUNTED = re.compile(r"((members|nonmembers|pool):)?\d+")  # an id that is made where the user gives none


@dataclass(frozen=True)
class Pairs:
    """Positions of the rows that are compared: the same rows in the same role, or all rows of each run apart."""

    kind: Literal["same rows", "common rows", "none"]
    first: Ints
    second: Ints
    opposed: bool  # many rows are members in one run and non-members in the other


def pair_rows(first: Outcome, second: Outcome) -> Pairs:
    """Rows with equal ids and equal membership, if both runs have mostly these.

    Ids that only count rows say nothing of rows of other content: those of other files would be taken for the same.
    """
    everything = Pairs("none", np.arange(len(first.ids)), np.arange(len(second.ids)), False)
    if not first.ids or not second.ids or len(set(first.ids)) < len(first.ids):
        return everything
    data = first.record.data, second.record.data
    if len(set(second.ids)) < len(second.ids) or data[0].name != data[1].name:
        return everything
    if data[0].fingerprint != data[1].fingerprint and (_counted(first) or _counted(second)):
        return everything
    _, at_first, at_second = np.intersect1d(
        np.asarray(first.ids), np.asarray(second.ids), assume_unique=True, return_indices=True
    )
    roles = [np.asarray(first.member, dtype=bool), np.asarray(second.member, dtype=bool)]
    same = roles[0][at_first] == roles[1][at_second]
    opposed = bool((~same).sum() > SIDES_CHANGED * min(len(first.ids), len(second.ids)))
    shared = roles[0][at_first[same]]
    enough = all(
        side > 1 and side >= LEAST_SHARED * int((role == kind).sum())
        for role in roles
        for kind, side in ((True, int(shared.sum())), (False, int((~shared).sum())))
    )
    if not enough:
        return Pairs("none", everything.first, everything.second, opposed)
    whole = len(shared) == len(first.ids) == len(second.ids)
    return Pairs("same rows" if whole else "common rows", at_first[same], at_second[same], opposed)


def _counted(outcome: Outcome) -> bool:
    """Whether ids are the rows' numbers, and nobody said that they are more."""
    own = outcome.record.plan.get("data", {}).get("id") is not None
    return not own and all(COUNTED.fullmatch(one) for one in outcome.ids)
