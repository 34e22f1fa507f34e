"""Who is who: drawn from the root seed, before anything is trained, the target's members first and apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Ints, row_digests
from gnomon.core.data.dataset import Dataset, Roles, View
from gnomon.core.documents.record import Finding
from gnomon.core.errors import DataError, PlanError, UsageError
from gnomon.core.plan import DataPlan, Plan
from gnomon.core.seeds import Seeds

POOL_PER_SHADOW = 1.5  # rows in the pool for one row of a shadow: half a training set is left to test it
LEAST_APART = 100  # audited non-members below which keeping them apart from the pool is not worth it
POPULATION_SHARE = 0.2  # of the non-members, set aside for the attacker in the auditor's view
POPULATION_MOST = 2500
LEAST_NONMEMBERS_FOR_POPULATION = 1000
LARGEST_SHADOW_SHARE = 0.75  # of the auditor's pool, so that every row is OUT of enough shadows


@dataclass(frozen=True)
class RowSplit:
    """Positions in one data set before roles are drawn: known members, known non-members, further rows.

    Attributes:
        members: that may be audited.
        nonmembers: that may be audited.
        extra: further rows.
        unaudited: members that the target is trained on, too, and that are not audited.
    """

    members: Ints
    nonmembers: Ints
    extra: Ints
    unaudited: Ints = field(default_factory=lambda: np.empty(0, np.int64))


def draw_training_rows(n: int, plan: DataPlan, seeds: Seeds, groups: NDArray[Any] | None = None) -> RowSplit:
    """A target to be trained here: its members are drawn at random, the rest are non-members.

    Args:
        n: rows of the data set.
        plan: the table [data]; ``rows`` limits the rows in play, ``train_size`` sets the target's; default half.
        seeds: the audit's root.
        groups: (n,) group ids; with ``data.split_by_group`` a group's rows are members together or not at all.

    Raises:
        UsageError: the rows do not suffice for what the plan asks.
        PlanError: a split by group of rows without groups.
    """
    order = seeds.child("roles", "train").generator().permutation(n).astype(np.int64)
    rows = plan.rows or n
    if rows > n:
        raise UsageError(f"data.rows: {rows} rows wanted, the data set has {n}")
    size = plan.train_size or rows // 2
    if size >= rows:
        raise UsageError(f"data.train_size: {size} of {rows} rows leave no non-members; ask for fewer")
    if plan.split_by_group:
        if groups is None:
            raise PlanError("data.split_by_group: the data set has no groups; name their column in data.group")
        return _whole_parts(by_group(order, groups), groups, size, rows)
    return RowSplit(members=order[:size], nonmembers=order[size:rows], extra=order[rows:])


def by_group(order: Ints, groups: NDArray[Any]) -> Ints:
    """Shuffled rows with every group's rows together; groups stand in the order of their first rows."""
    _, first, group = np.unique(groups[order], return_index=True, return_inverse=True)
    return order[np.argsort(first[group], kind="stable")]


def _whole_parts(order: Ints, groups: NDArray[Any], size: int, rows: int) -> RowSplit:
    """Whole groups for members (up to ``size`` rows) and for non-members (up to ``rows`` altogether)."""
    starts = np.flatnonzero(np.concatenate([[True], groups[order][1:] != groups[order][:-1]]))
    parts: tuple[list[Ints], list[Ints], list[Ints]] = ([], [], [])
    room = [size, rows - size]
    for chunk in np.split(order, starts[1:]):
        fits = next((i for i in (0, 1) if len(chunk) <= room[i]), 2)
        parts[fits].append(chunk)
        if fits < 2:
            room[fits] -= len(chunk)
    members, nonmembers, extra = (np.concatenate([np.empty(0, np.int64), *part]) for part in parts)
    if len(members) == 0 or len(nonmembers) == 0:
        raise UsageError(
            f"data.split_by_group: groups are too large for {size} members among {rows} rows; ask for other sizes"
        )
    return RowSplit(members, nonmembers, extra)


def draw_roles(parts: RowSplit, plan: Plan, seeds: Seeds, groups: NDArray[Any] | None = None) -> Roles:
    """Audited rows, pool and population of the plan's view.

    Args:
        parts: known members, known non-members, further rows.
        plan: what is asked.
        seeds: the audit's root.
        groups: (n,) group ids of all rows. Where most non-members are of groups without members, non-members are parted
            by whole groups: of a person who lost rows to the attacker, fewer would be audited than of a member.

    Raises:
        UsageError: the rows do not suffice for what the plan asks.
    """
    if len(parts.members) == 0 or len(parts.nonmembers) == 0:
        raise DataError("expected members and non-members, got none of one of them; an audit compares the two")
    whole = groups if groups is not None and _stand_apart(parts, groups) else None
    parts, reference = _set_aside(parts, plan.data, seeds, whole)
    rest = _shuffled(parts.nonmembers, seeds.child("roles", "parts").generator(), whole)
    if plan.view == "auditor":
        return replace(_draw_auditor(parts, rest, plan.data), reference=reference)
    trained = len(parts.members) + len(parts.unaudited)
    size = None if plan.shadow.count == 0 else plan.shadow.size or trained
    return replace(_draw_adversary(parts, rest, plan.data, size), reference=reference)


def _stand_apart(parts: RowSplit, groups: NDArray[Any]) -> bool:
    """Whether most non-members are of groups without members."""
    trained = np.concatenate([parts.members, parts.unaudited])
    return float(np.isin(groups[parts.nonmembers], groups[trained]).mean()) < 0.5


def _shuffled(rows: Ints, rng: np.random.Generator, groups: NDArray[Any] | None) -> Ints:
    """Rows in another order; with groups (n,), those of a group stand together."""
    order: Ints = rng.permutation(rows)
    return order if groups is None else by_group(order, groups)


@dataclass(frozen=True)
class ToGive:
    """What it takes to audit so many non-members."""

    nonmembers: int  # to be given; more than are audited where some are held out for the attacker
    nonmember_size: int | None  # to be put into the plan; None: nothing is


def nonmembers_to_give(audited: int, parts: RowSplit, plan: Plan) -> ToGive:
    """How many non-members must be given so that ``audited`` of them are audited, found by drawing roles.

    Args:
        audited: non-members that a figure needs.
        parts: what is given now.
        plan: what is asked now.
    """
    sized = plan.model_copy(update={"data": plan.data.model_copy(update={"nonmember_size": audited})})
    wanted = plan if plan.view == "auditor" and plan.data.nonmember_size is None else sized
    given = audited
    while True:
        first = len(parts.members) + len(parts.extra) + len(parts.unaudited)
        enough = replace(parts, nonmembers=np.arange(first, first + given))
        try:
            short = audited - len(draw_roles(enough, wanted, Seeds(plan.seed)).nonmembers)
        except UsageError:
            short = max(1, given // 20)
        if short <= 0:
            return ToGive(given, None if wanted is plan else audited)
        given += short


def _set_aside(parts: RowSplit, plan: DataPlan, seeds: Seeds, groups: NDArray[Any] | None) -> tuple[RowSplit, Ints]:
    """The parts without the rows that are set aside for mitigations, and these.

    They come from rows that are out of play as far as there are any, and then from the non-members. A file of further
    rows is the attacker's, so nothing is taken from there.
    """
    size = plan.reference_size or 0
    spare = parts.extra if plan.pool is None else parts.extra[:0]
    from_rest = max(0, size - len(spare))
    if from_rest >= len(parts.nonmembers):
        raise UsageError(
            f"data.reference_size: {size} rows wanted, but only {len(spare) + len(parts.nonmembers)} are no members, "
            "and some of these must be audited; ask for fewer"
        )
    rng = seeds.child("roles", "reference").generator()
    rest, spare = _shuffled(parts.nonmembers, rng, groups), rng.permutation(spare)
    taken = np.concatenate([spare[: size - from_rest], rest[:from_rest]])
    kept = replace(
        parts,
        nonmembers=parts.nonmembers[~np.isin(parts.nonmembers, taken)],
        extra=parts.extra[~np.isin(parts.extra, taken)],
    )
    return kept, np.sort(taken)


def _draw_adversary(parts: RowSplit, rest: Ints, plan: DataPlan, shadow: int | None) -> Roles:
    """The pool is disjoint from the target's members; audited non-members stay out of it wherever the data allow it.

    ``shadow`` is the number of rows of a shadow model, None without any. Rows beyond ``data.rows`` stay out of play:
    the plan says how much data the attacker's world holds.
    """
    k = len(parts.members)
    given = parts.extra if plan.pool is not None else np.empty(0, np.int64)
    if shadow is None:
        audited = rest[: _asked_nonmembers(plan, min(k, len(rest)), len(rest))]
        return _roles(parts, audited, np.setdiff1d(rest, audited), "adversary")
    spare = len(rest) + len(given) - int(np.ceil(POOL_PER_SHADOW * shadow))
    apart = plan.keep_apart
    if apart is None:
        wanted = plan.nonmember_size or min(LEAST_APART, k)
        apart = spare >= wanted
    if not apart:
        audited = rest[: _asked_nonmembers(plan, min(k, len(rest)), len(rest))]
        return _roles(parts, audited, np.concatenate([rest, given]), "adversary")
    size = plan.nonmember_size or min(k, max(1, spare), len(rest) - (1 if len(given) == 0 else 0))
    audited, pool = rest[:size], np.concatenate([rest[size:], given])
    if size > len(rest) or len(pool) <= shadow:
        raise UsageError(
            f"{len(rest) + len(given)} non-members cannot give {size} audited ones kept apart and shadows of {shadow} "
            "rows; lower data.nonmember_size or shadow.size, or set data.keep_apart = false"
        )
    return _roles(parts, audited, pool, "adversary")


def _draw_auditor(parts: RowSplit, rest: Ints, plan: DataPlan) -> Roles:
    """The pool holds the audited rows; a population of known non-members is set aside where there are enough."""
    population = _population_size(parts, rest, plan)
    from_extra = min(population, len(parts.extra))
    from_rest = population - from_extra
    limit = len(rest) - from_rest
    audited = rest[: _asked_nonmembers(plan, limit, limit)]
    aside = np.concatenate([parts.extra[:from_extra], rest[len(rest) - from_rest :]])
    return Roles(
        members=np.sort(parts.members),
        nonmembers=np.sort(audited),
        pool=np.sort(np.concatenate([parts.members, audited])),
        population=np.sort(aside),
        train=np.sort(np.concatenate([parts.members, parts.unaudited])),
        view="auditor",
    )


def _population_size(parts: RowSplit, rest: Ints, plan: DataPlan) -> int:
    asked = plan.population_size
    if asked is not None:
        if asked >= len(rest) + len(parts.extra):
            there = len(rest) + len(parts.extra)
            raise UsageError(f"data.population_size: {asked} known non-members wanted, but only {there} are there")
        return asked
    if len(parts.extra):
        return min(POPULATION_MOST, len(parts.extra))
    return (
        min(POPULATION_MOST, int(POPULATION_SHARE * len(rest))) if len(rest) >= LEAST_NONMEMBERS_FOR_POPULATION else 0
    )


def _asked_nonmembers(plan: DataPlan, default: int, most: int) -> int:
    asked = plan.nonmember_size
    if asked is not None and asked > most:
        raise UsageError(f"data.nonmember_size: {asked} audited non-members wanted, but only {most} are there")
    return asked or default


def _roles(parts: RowSplit, audited: Ints, pool: Ints, view: View) -> Roles:
    """Adversary's view: every row of the pool is known to be no member of the target, so it is the population too.

    Audited non-members are left out of the population even where they stand in the pool: an attack that learns how
    known non-members look would have been told the answer.
    """
    pool = np.sort(pool)
    return Roles(
        members=np.sort(parts.members),
        nonmembers=np.sort(audited),
        pool=pool,
        population=np.setdiff1d(pool, audited),
        train=np.sort(np.concatenate([parts.members, parts.unaudited])),
        view=view,
    )


def shadow_size(roles: Roles, size: int | None) -> int:
    """Rows a shadow is trained on: ``size`` (the plan's number), or the target's as far as the pool allows."""
    if size is not None:
        return size
    share = LARGEST_SHADOW_SHARE if roles.view == "auditor" else 1.0
    return min(len(roles.train), int(share * len(roles.pool)) if share < 1 else len(roles.train))


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
