"""A small audit whose people are known: rows in households, scores drawn from formulas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.results.scoring import Attempt, Played, Rehearsed, Scored
from gnomon.core.data.dataset import Dataset, Roles, make_dataset
from gnomon.core.evidence import Evidence
from gnomon.core.plan import Plan, make_plan


def case_of(evidence: Evidence, member: NDArray[np.bool_], groups: NDArray[np.int64] | None = None) -> AuditCase:
    """A case of these rows in their order, whose data set holds nothing but labels and groups."""
    n = len(member)
    data = make_dataset(np.zeros((n, 1)), np.arange(n) % 2, groups=groups)
    members, others = np.flatnonzero(member), np.flatnonzero(~member)
    return AuditCase(evidence, np.arange(n), data, Roles(members, others, members[:0], members[:0], members, "auditor"))


@dataclass(frozen=True)
class People:
    """An audit up to its scores."""

    data: Dataset
    roles: Roles
    case: AuditCase
    attempt: Attempt
    plan: Plan


def people(
    seed: int,
    *,
    households: int = 200,
    size: int = 5,
    gap: float = 1.0,
    rehearsals: int = 4,
    whole: bool = True,
    slices: tuple[str, ...] = (),
    strong: int = -1,
    trait: float = 0.0,
    alike: float = 0.0,
    shadow_gap: float | None = None,
) -> People:
    """Households of ``size`` rows; members score N(gap, 1), others N(0, 1).

    Args:
        seed: of everything.
        households: how many, half of them members where ``whole``.
        size: rows of each.
        gap: between members and others.
        rehearsals: models that played the target; each was trained on half of the rows.
        whole: whether households are members as a whole; otherwise row by row.
        slices: of the plan.
        strong: a class whose members score N(gap + 2, 1).
        trait: how far rows differ for good: a row that scores high once does so again.
        shadow_gap: the gap in models that played the target, where they are unlike it.
        alike: share of the scores' variance that a household's rows have in common.
    """
    rng = np.random.default_rng(seed)
    n = households * size
    groups = np.repeat(np.arange(households), size)
    x = np.column_stack([rng.integers(18, 90, n), rng.integers(0, 2, n), rng.normal(size=n)])
    data = make_dataset(x, rng.integers(0, 3, n), groups=groups, ids=[f"r{i}" for i in range(n)])
    chosen = rng.permutation(households)[: households // 2]
    inside = np.isin(groups, chosen) if whole else np.isin(np.arange(n), rng.permutation(n)[: n // 2])
    lasting = trait * rng.normal(size=n)

    def scores(member: np.ndarray, gap: float = gap) -> np.ndarray:
        shared = rng.normal(size=households)[groups] if alike else 0.0
        noise = np.sqrt(alike) * shared + np.sqrt(1 - alike) * rng.normal(size=n)
        return (gap + 2.0 * (data.y == strong)) * member + lasting + noise

    members, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    roles = Roles(members, others, np.arange(n), np.arange(0), members, "auditor")
    audited = rng.permutation(n)
    played = []
    for _ in range(rehearsals):
        mask = rng.random(n) < 0.5
        played.append(Played(np.arange(n), scores(mask, gap if shadow_gap is None else shadow_gap), mask, 0.5, {}))
    own = scores(inside)[audited]
    scored = Scored("loss", "Loss", "", [], {}, "ok", scores=own, threshold=gap / 2, calibrated="shadow")
    plan = make_plan({"data": {"source": "x"}, "statistics": {"slices": slices, "fprs": (0.1, 0.01)}})
    case = AuditCase(Evidence(labels=data.y[audited], n_classes=3), audited, data, roles)
    return People(data, roles, case, Attempt(scored, Rehearsed(played=tuple(played))), plan)
