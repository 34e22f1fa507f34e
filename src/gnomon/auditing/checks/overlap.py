"""Rows that stand among members and non-members: a mistake, or what rows of few categories do by nature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.inputs.roles import RowSplit
from gnomon.core.arrays import Bools, Ints, Rows, row_digests, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Finding
from gnomon.core.errors import DataError
from gnomon.core.seeds import Seeds

OVERLAP_ERROR_SHARE = 0.01  # of the audited non-members; below it, duplicates are likelier than a mistake
DRAWS = 399  # of the sides of rows that have equals
CHANCE = 0.005  # so seldom would a split at random put as many equal rows on both sides


@dataclass(frozen=True)
class Overlap:
    """Equal rows on both sides.

    Attributes:
        same: (k,) which non-members equal a member.
        expected: how many would if all rows had been put on their sides at random.
        p_value: probability of as many or more.
        distinct: distinct rows among all audited ones.
    """

    same: Bools
    expected: float
    p_value: float
    distinct: int


def find_overlap(x: Rows, member: Bools, rng: np.random.Generator) -> Overlap:
    """How many non-members equal a member, and how many would by chance.

    A split at random parts the copies of a row that repeats by nature; a file of non-members that holds members parts
    all of them. So the number is held against that of permuted sides.

    Args:
        x: n rows.
        member: (n,) their sides.
        rng: permutes.

    >>> x = np.arange(100)[:, None] % 10  # ten distinct rows
    >>> found = find_overlap(x, np.arange(100) < 50, np.random.default_rng(0))
    >>> int(found.same.sum()), found.p_value > 0.05
    (50, True)
    """
    _, cell = np.unique(row_digests(x).astype("S12"), return_inverse=True)
    repeated = np.flatnonzero((np.bincount(cell) > 1)[cell])
    own, k = np.unique(cell[repeated], return_inverse=True)[1], len(repeated)

    def overlapping(inside: Bools) -> Bools:
        found: Bools = (np.bincount(own, inside, minlength=1) > 0)[own] & ~inside
        return found

    there = overlapping(member[repeated]) if k else np.zeros(0, dtype=bool)
    same = np.zeros(len(member), dtype=bool)
    same[repeated[there]] = True
    draws = [int(overlapping(rng.permutation(member)[:k]).sum()) for _ in range(DRAWS)] if k else [0]
    reached = sum(drawn >= int(there.sum()) for drawn in draws)
    return Overlap(same[~member], float(np.mean(draws)), (1 + reached) / (1 + len(draws)), int(cell.max()) + 1)


def check_shared_rows(data: Dataset, roles: Roles, seeds: Seeds) -> Finding | None:
    """Non-members that equal a member: an error where they are more than rows that repeat by nature explain."""
    if data.bare:
        return None
    rng = seeds.child("preflight", "overlap").generator()
    found = find_overlap(take_rows(data.x, roles.audited), np.isin(roles.audited, roles.members), rng)
    count, n = int(found.same.sum()), len(found.same)
    if not count:
        return None
    first = data.ids[roles.nonmembers][int(found.same.argmax())]
    title = f"{count:,} of {n:,} non-members also stand among the members (e.g. {first})"
    if found.p_value > CHANCE:
        return Finding(
            code="rows-repeat",
            title=f"{title}, about as many as a split at random explains ({found.expected:,.0f})",
            severity="warning",
            explanation=f"The {len(roles.audited):,} audited rows hold {found.distinct:,} distinct ones: such rows "
            "repeat by nature, and their copies come to stand on both sides. No attack can tell copies apart, so what "
            "is measured is less than what rows that stand on one side only leak.",
            remedy="Leave out what stands on both sides: --drop-overlap, or data.drop_overlap = true.",
        )
    return Finding(
        code="members-overlap",
        title=f"{title}; a split at random explains {found.expected:,.0f}",
        severity="error" if count > OVERLAP_ERROR_SHARE * n else "warning",
        explanation="The model was trained on these rows, so an attack that finds them is counted as wrong: the audit "
        "would call a leaking model harmless.",
        remedy="Remove the members from the non-members, deduplicate before you split, or leave out what stands on "
        "both sides (--drop-overlap, data.drop_overlap = true).",
    )


@dataclass(frozen=True)
class Parted:
    """Rows that stand on one side only, and how many were left out for that."""

    split: RowSplit
    members: int
    nonmembers: int

    @property
    def finding(self) -> Finding | None:
        """What was left out, for the record."""
        if not self.members:
            return None
        return Finding(
            code="overlap-dropped",
            title=f"{self.members:,} members and {self.nonmembers:,} non-members that equal each other are not audited",
            severity="note",
            explanation="Left out as asked (data.drop_overlap). The target was trained on these members all the same; "
            "nothing is said of how much they leak.",
            remedy="",
        )


def drop_overlap(split: RowSplit, data: Dataset, *, own_ids: bool) -> Parted:
    """Members and non-members without the rows, or the ids, that stand among both.

    Both copies are left out: without the non-members alone, a row of a common kind would be a member for sure.

    Args:
        split: known members and non-members.
        data: all rows.
        own_ids: the ids were given by the user, so equal ids are equal records.

    Raises:
        DataError: nothing is left of a side.
    """
    sides = [split.members, split.nonmembers]
    gone = [np.zeros(len(side), dtype=bool) for side in sides]
    keys: list[NDArray[np.str_] | NDArray[np.bytes_]] = [] if data.bare else [row_digests(data.x).astype("S12")]
    for key in [*keys, *([data.ids.astype(str)] if own_ids else [])]:
        both = np.intersect1d(key[sides[0]], key[sides[1]])
        gone = [lost | np.isin(key[side], both) for lost, side in zip(gone, sides, strict=True)]
    if any(lost.all() for lost in gone):
        raise DataError(
            "data.drop_overlap: every row of a side also stands on the other, so nothing is left to audit; give "
            "non-members that are no members"
        )
    kept: list[Ints] = [side[~lost] for side, lost in zip(sides, gone, strict=True)]
    parted = RowSplit(kept[0], kept[1], split.extra, np.concatenate([split.unaudited, sides[0][gone[0]]]))
    return Parted(parted, int(gone[0].sum()), int(gone[1].sum()))
