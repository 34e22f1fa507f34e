"""How far a result rests on one attack and on the number of shadow models.

Do attacks name the same records? The overlap of the rows that each ranks highest says so. Would more shadow models
help? The likelihood-ratio attack with 2, 4, 8, ... of those that there are says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks import make_attack
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.results.figures import estimate, rank_auc, tpr_points
from gnomon.auditing.results.scoring import Scored, score_attack
from gnomon.core.arrays import Bools, Floats
from gnomon.core.documents.record import Agreement, ByShadows, ShadowGain, ShadowPoint
from gnomon.core.evidence import Evidence
from gnomon.core.seeds import Seeds
from gnomon.stats.clusters import split_groups
from gnomon.stats.comparison import auc_difference, tpr_difference
from gnomon.stats.roc import auc

TOP_SHARE = 0.01  # of the audited rows
LEAST_TOP = 10  # fewer say nothing
MOST_ATTACKS = 6


def agree(scored: Sequence[Scored], headline: str | None, case: AuditCase) -> Agreement | None:
    """Jaccard overlaps of the top 1 % between the headline attack and the five best others by AUC.

    An attack whose scores tie so widely that it names no top (correctness gives two values) is left out.

    Args:
        scored: all attacks.
        headline: name of the headline attack, which comes first.
        case: the audited rows.

    Returns:
        None with fewer than two such attacks, or fewer than 100 rows.
    """
    n = len(case.member)
    top = max(LEAST_TOP, round(TOP_SHARE * n))
    if n < 10 * LEAST_TOP:
        return None
    found = [(s.name, s.scores, _top_rows(s.scores, top)) for s in scored if s.scores is not None]
    named = [(name, scores, rows) for name, scores, rows in found if rows is not None]
    named.sort(key=lambda f: (f[0] != headline, -rank_auc(f[1], case.member)))
    named = named[:MOST_ATTACKS]
    if len(named) < 2:
        return None
    masks = [rows for _, _, rows in named]
    return Agreement(
        top=top,
        rows=n,
        attacks=[name for name, _, _ in named],
        overlap=[[jaccard(a, b) for b in masks] for a in masks],
        member_share=[float(case.member[rows].mean()) for rows in masks],
        chance=top / (2 * n - top),
    )


def jaccard(a: Bools, b: Bools) -> float:
    """Rows in both over rows in either.

    >>> jaccard(np.array([True, True, False]), np.array([False, True, True]))
    0.3333333333333333
    """
    return float((a & b).sum() / (a | b).sum())


def _top_rows(scores: Floats, top: int) -> Bools | None:
    """Mask (n,) of the highest rows, ties at the cut included; None where ties would more than double their number."""
    cut = np.partition(scores, len(scores) - top)[len(scores) - top]
    rows: Bools = scores >= cut
    return rows if rows.sum() <= 2 * top else None


MOST_ROWS = 50_000  # audited rows beyond which a random part will do


def shadow_counts(m: int) -> list[int]:
    """2, 4, 8, ... and m; the last step is at least half as many again.

    >>> shadow_counts(16), shadow_counts(60), shadow_counts(9), shadow_counts(2)
    ([2, 4, 8, 16], [2, 4, 8, 16, 32, 60], [2, 4, 9], [2])
    """
    powers = [2**i for i in range(1, max(m, 1).bit_length() + 1) if 3 * 2**i <= 2 * m]
    return [*powers, m]


def by_shadows(
    case: AuditCase, options: Mapping[str, dict[str, Any]], level: float, seeds: Seeds, fpr: float
) -> ByShadows | None:
    """LiRA (online where it can run, otherwise offline) against the number of shadow models.

    Args:
        case: the audited rows.
        options: of attacks, by name.
        level: of the intervals.
        seeds: the audit's root.
        fpr: the false-positive rate that is told.

    Returns:
        None with fewer than 4 shadow models, or if the attack can't run.
    """
    shadows = case.evidence.shadows
    name = "lira" if case.evidence.missing(make_attack("lira").needs) is None else "lira_offline"
    attack = make_attack(name, options.get(name, {}))
    if shadows is None or case.evidence.answers is None or shadows.n_shadows < 4:
        return None
    evidence, member, persons = _part(case, seeds)
    counts, found = shadow_counts(shadows.n_shadows), []
    for count in counts:
        scores = score_attack(attack, _first(evidence, count), seeds).scores
        if scores is None:
            return None
        found.append(scores)
    groups, wider = split_groups(persons, member), case.judging.wider(attack.needs)
    return ByShadows(
        attack=name,
        attack_title=attack.title,
        fpr=fpr,
        rows=len(member),
        points=[
            ShadowPoint(
                count=count,
                auc=estimate(auc(s[member], s[~member], confidence=level, groups=groups, wider=wider)),
                tpr=tpr_points(s[member], s[~member], [fpr], level, groups, wider)[0],
            )
            for count, s in zip(counts, found, strict=True)
        ],
        gain=_gain(counts, found, member, persons, fpr, level, wider, seeds),
    )


def _gain(
    counts: list[int],
    found: list[Floats],
    member: Bools,
    persons: NDArray[Any] | None,
    fpr: float,
    level: float,
    wider: float,
    seeds: Seeds,
) -> ShadowGain:
    rng = seeds.child("ladder", "gain").generator()
    pair = found[-1], found[-2], member
    rates = tpr_difference(*pair, fpr, rng=rng, confidence=level, groups=persons, wider=wider).result
    return ShadowGain(
        before=counts[-2],
        after=counts[-1],
        auc=estimate(auc_difference(*pair, confidence=level, groups=persons, wider=wider).difference),
        tpr=None if rates is None else estimate(rates.difference),
    )


def _part(case: AuditCase, seeds: Seeds) -> tuple[Evidence, Bools, NDArray[Any] | None]:
    """What the attack reads, the truth and the units of chance, on all audited rows or a random part of them."""
    evidence, n = case.evidence, len(case.member)
    rows = np.arange(n)
    if n > MOST_ROWS:
        rows = np.sort(seeds.child("ladder", "audited").generator().choice(n, MOST_ROWS, replace=False))
    return evidence.at(rows), case.member[rows], None if case.units is None else case.units[rows]


def _first(evidence: Evidence, count: int) -> Evidence:
    """The same with the first shadow models only."""
    assert evidence.shadows is not None
    variants = tuple(_first(v, count) for v in evidence.variants)
    return replace(evidence, shadows=evidence.shadows.first(count), variants=variants)
