"""Would more shadow models help? The likelihood-ratio attack with 2, 4, 8, ... of those that there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks import make_attack
from gnomon.auditing.evidence.assemble import Case
from gnomon.auditing.results.estimates import estimate, tpr_point
from gnomon.auditing.results.scoring import score_attack
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.record import ByShadows, ShadowGain, ShadowPoint
from gnomon.core.evidence import Evidence
from gnomon.core.plan import Plan
from gnomon.core.seeds import Seeds
from gnomon.stats.clusters import split_groups
from gnomon.stats.comparison import auc_difference, tpr_difference
from gnomon.stats.roc import auc

MOST_ROWS = 50_000  # audited rows beyond which a random part will do


def shadow_counts(m: int) -> list[int]:
    """2, 4, 8, ... and m; the last step is at least half as many again.

    >>> shadow_counts(16), shadow_counts(60), shadow_counts(9), shadow_counts(2)
    ([2, 4, 8, 16], [2, 4, 8, 16, 32, 60], [2, 4, 9], [2])
    """
    powers = [2**i for i in range(1, max(m, 1).bit_length() + 1) if 3 * 2**i <= 2 * m]
    return [*powers, m]


def by_shadows(case: Case, plan: Plan, seeds: Seeds, fpr: float) -> ByShadows | None:
    """LiRA (online where it can run, otherwise offline) against the number of shadow models.

    Args:
        case: the audited rows.
        plan: the attack's options and the intervals' level.
        seeds: the audit's root.
        fpr: the false-positive rate that is told.

    Returns:
        None with fewer than 4 shadow models, or if the attack can't run.
    """
    shadows = case.evidence.shadows
    name = "lira" if case.evidence.missing(make_attack("lira").needs) is None else "lira_offline"
    attack = make_attack(name, plan.attacks.options.get(name, {}))
    if shadows is None or case.evidence.answers is None or shadows.n_shadows < 4:
        return None
    evidence, member, persons = _part(case, seeds)
    counts, found = shadow_counts(shadows.n_shadows), []
    for count in counts:
        scores = score_attack(attack, _first(evidence, count), seeds).scores
        if scores is None:
            return None
        found.append(scores)
    level, groups = plan.statistics.confidence, split_groups(persons, member)
    return ByShadows(
        attack=name,
        attack_title=attack.title,
        fpr=fpr,
        rows=len(member),
        points=[
            ShadowPoint(
                count=count,
                auc=estimate(auc(s[member], s[~member], confidence=level, groups=groups)),
                tpr=tpr_point(s[member], s[~member], fpr, level, groups),
            )
            for count, s in zip(counts, found, strict=True)
        ],
        gain=_gain(counts, found, member, persons, fpr, level, seeds),
    )


def _gain(
    counts: list[int],
    found: list[Floats],
    member: Bools,
    persons: NDArray[Any] | None,
    fpr: float,
    level: float,
    seeds: Seeds,
) -> ShadowGain:
    rng = seeds.child("ladder", "gain").generator()
    pair = found[-1], found[-2], member
    rates = tpr_difference(*pair, fpr, rng=rng, confidence=level, groups=persons).result
    return ShadowGain(
        before=counts[-2],
        after=counts[-1],
        auc=estimate(auc_difference(*pair, confidence=level, groups=persons).difference),
        tpr=None if rates is None else estimate(rates.difference),
    )


def _part(case: Case, seeds: Seeds) -> tuple[Evidence, Bools, NDArray[Any] | None]:
    """What the attack reads, the truth and the persons, on all audited rows or a random part of them."""
    evidence, n = case.evidence, len(case.member)
    rows = np.arange(n)
    if n > MOST_ROWS:
        rows = np.sort(seeds.child("ladder", "audited").generator().choice(n, MOST_ROWS, replace=False))
    return evidence.at(rows), case.member[rows], None if case.groups is None else case.groups[rows]


def _first(evidence: Evidence, count: int) -> Evidence:
    """The same with the first shadow models only."""
    assert evidence.shadows is not None
    variants = tuple(_first(v, count) for v in evidence.variants)
    return replace(evidence, shadows=evidence.shadows.first(count), variants=variants)
