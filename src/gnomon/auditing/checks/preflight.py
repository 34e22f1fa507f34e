"""Preflight: what would make the verdict false, found before it is spoken.

Each check returns a `Finding` or None. A finding of severity "error" stops the audit unless the plan overrides it by
its code, and the override stands in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.checks.near_duplicates import check_near_duplicates
from gnomon.auditing.checks.shift import check_blind
from gnomon.auditing.prepare import Prepared
from gnomon.auditing.settings import Progress, Silent
from gnomon.core.arrays import Bools, Ints, Rows, row_digests, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Finding
from gnomon.core.errors import PreflightError
from gnomon.core.seeds import Seeds

ACCIDENT = 1e-3  # probability of one-sided classes in a random split, below which they are no accident
OVERLAP_ERROR_SHARE = 0.01  # of the audited non-members; below it, duplicates are likelier than a mistake
DRAWS = 399  # of the sides of rows that have equals
CHANCE = 0.005  # so seldom would a split at random put as many equal rows on both sides


def check_data(
    data: Dataset, roles: Roles, *, own_ids: bool, seeds: Seeds, progress: Progress | None = None
) -> list[Finding]:
    """Findings on the rows alone, before any model is looked at.

    Args:
        data: the rows.
        roles: who is who.
        own_ids: the ids were given by the user, so equal ids are equal records.
        seeds: the audit's root.
        progress: who is told.
    """
    checks: list[Callable[[], Finding | None]] = [
        lambda: _shared_ids(data, roles) if own_ids else None,
        lambda: check_shared_rows(data, roles, seeds),
        lambda: _one_sided_classes(data, roles),
        lambda: _pool_overlap(roles),
        lambda: check_blind(data, roles, seeds),
        lambda: check_near_duplicates(data, roles, seeds),
        lambda: groups_mixed(data, roles),
    ]
    advance, found = (progress or Silent()).stage("rows checked", len(checks)), []
    for check in checks:
        found.append(check())
        advance(1)
    return [finding for finding in found if finding is not None]


def _shared_ids(data: Dataset, roles: Roles) -> Finding | None:
    shared = np.intersect1d(data.ids[roles.members], data.ids[roles.nonmembers])
    if not len(shared):
        return None
    return Finding(
        code="members-overlap",
        title=f"{len(shared)} record ids stand among the members and the non-members (e.g. {shared[0]})",
        severity="error",
        explanation="A record cannot be both; every value would be false, and would look reassuring.",
        remedy="Remove the members from the file of non-members, or leave such records out (--drop-overlap).",
    )


def _one_sided_classes(data: Dataset, roles: Roles) -> Finding | None:
    inside, outside = (
        np.bincount(data.y[part], minlength=data.n_classes) for part in (roles.members, roles.nonmembers)
    )
    one_sided = (inside > 0) != (outside > 0)
    if not one_sided.any():
        return None
    lone, side, others = one_sided & (inside > 0), "members", "non-members"
    if not lone.any():
        lone, side, others = one_sided, others, side
    names = [str(data.classes[c]) for c in np.flatnonzero(lone)]
    size = int((inside + outside)[lone].sum())
    small = size <= max(1, 0.001 * len(roles.audited))
    by_chance = _split_by_chance(data, roles, one_sided)
    why = "Classes of so few rows do so in a random split. " if by_chance and not small else ""
    return Finding(
        code="one-sided-class",
        title=f"only {side} have {'class' if len(names) == 1 else 'classes'} {', '.join(names[:5])}"
        + (f" and {len(names) - 5} more" if len(names) > 5 else ""),
        severity="note" if small or by_chance else "error",
        explanation=f"{why}The class alone would reveal {side} from {others}, whatever the model gives away "
        f"({len(names) / data.n_classes:.0%} of the classes, {size} rows).",
        remedy=f"Split members and non-members at random from one source, or give {others} of these classes.",
    )


def _split_by_chance(data: Dataset, roles: Roles, one_sided: Bools) -> bool:
    """Whether a random split of the units would leave as many classes, and as large ones, on one side only.

    A class of m units falls on one side with probability p^m + q^m. No single class may be unlikely (after Bonferroni),
    nor their number (Poisson, which is wider than a sum of such events).
    """
    from scipy.stats import poisson

    counts = [
        np.bincount(
            data.y[part] if data.groups is None else data.y[part][_first_of_each(data.groups[part], data.y[part])],
            minlength=data.n_classes,
        )
        for part in (roles.members, roles.nonmembers)
    ]
    units = counts[0] + counts[1]
    share = counts[0].sum() / units.sum()
    chance = np.where(units > 0, share**units + (1 - share) ** units, 0.0)
    rarest = float(chance[one_sided].min()) * data.n_classes
    many = float(poisson.sf(one_sided.sum() - 1, chance.sum()))
    return bool(rarest > ACCIDENT and many > ACCIDENT)


def _first_of_each(groups: NDArray[Any], labels: Ints) -> Ints:
    """The first row of each group and class."""
    _, group = np.unique(groups, return_inverse=True)
    _, first = np.unique(np.stack([group.ravel(), labels]), axis=1, return_index=True)
    return np.asarray(first)


def _pool_overlap(roles: Roles) -> Finding | None:
    if roles.view == "auditor":
        return None
    shared = np.intersect1d(roles.nonmembers, roles.pool)
    if not len(shared):
        return None
    return Finding(
        code="pool-overlap",
        title=f"{len(shared)} of {len(roles.nonmembers)} audited non-members also stand in the attacker's pool",
        severity="warning",
        explanation="Some shadow models were trained on records that are audited as non-members. An attack that learns "
        "from the pool has seen them, which can help or hurt it; no member is concerned. Such records judge each "
        "other, so chance moves values more. Intervals and the verdict's test allow for that (the record's `wider`), "
        "but not wholly where models learn next to nothing: with two numbers, intervals of 95 % hold in 85 to 93 % of "
        "such audits, with one in 57 to 86 %.",
        remedy="Set data.keep_apart = true with a smaller data.nonmember_size or shadow.size, or give more rows.",
    )


def groups_mixed(data: Dataset, roles: Roles) -> Finding | None:
    """Whether persons stand on both sides, so that leakage by person can't be measured well."""
    if data.groups is None:
        return None
    mixed = roles.mixed(data.groups)
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


def check_rows(prepared: Prepared, own_ids: bool) -> list[Finding]:
    """Findings on the rows of an audit that is prepared, and what was left out of them."""
    known = prepared.data, prepared.roles
    found = check_data(*known, own_ids=own_ids, seeds=prepared.seeds, progress=prepared.progress)
    return found if prepared.left_out is None else [*found, prepared.left_out]


def stop_on_errors(findings: Sequence[Finding], override: Sequence[str]) -> list[Finding]:
    """The findings with overrides marked.

    Raises:
        PreflightError: an error that the plan does not override.
    """
    marked = with_overrides(findings, override)
    for finding in marked:
        if finding.severity == "error" and not finding.overridden:
            raise PreflightError(
                f'{finding.title}. {finding.remedy} (to go on all the same: preflight.override = ["{finding.code}"])'
            )
    return marked


def with_overrides(findings: Sequence[Finding], override: Sequence[str]) -> list[Finding]:
    """The findings, the errors among them marked that the plan overrides."""
    return [f.model_copy(update={"overridden": f.severity == "error" and f.code in override}) for f in findings]


def overlap(roles: Roles) -> int:
    """Audited non-members that also stand in the adversary's pool."""
    return 0 if roles.view == "auditor" else len(np.intersect1d(roles.nonmembers, roles.pool))


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
