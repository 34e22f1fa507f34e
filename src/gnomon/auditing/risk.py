"""Per-record risk: how probable it is, after the headline attack, that a record was trained on.

The probabilities are learned on shadow models that played the target, and checked on the audited rows, whose truth was
not used. Where shadows were trained on audited rows, they also tell whether a record is exposed whenever it is trained
on, or was only unlucky this once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from gnomon.auditing.assemble import Case
from gnomon.auditing.outcome import RiskTable
from gnomon.auditing.rehearsal import Played
from gnomon.auditing.scoring import Attempt
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.data import Dataset, Roles
from gnomon.core.people import RiskBand, RiskFacts
from gnomon.core.plan import Plan
from gnomon.core.seeds import Seeds
from gnomon.stats.risk import RiskCurve, calibration_error, fit_risk

BANDS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
LEAST_COMMON = 50  # rows that two rehearsals were both trained on, for a rank correlation


@dataclass(frozen=True)
class Risk:
    """What the record says, and the table that lies beside it."""

    facts: RiskFacts
    table: RiskTable


def assess_risk(
    headline: str | None,
    attempts: Sequence[Attempt],
    case: Case,
    data: Dataset,
    roles: Roles,
    plan: Plan,
    seeds: Seeds,
) -> Risk | None:
    """The risk of every audited row; None without a headline attack or without rehearsals.

    Args:
        headline: name of the attack.
        attempts: all attacks with their rehearsals.
        case: the audited rows and the truth.
        data: where their ids, labels and groups stand.
        roles: who is who; the pool's order is that of the rehearsals' rows.
        plan: the confidence of the intervals.
        seeds: the audit's root.
    """
    found = next((a for a in attempts if a.scored.name == headline), None)
    if found is None or found.scored.scores is None or not found.rehearsed.played:
        return None
    scores, played = found.scored.scores, found.rehearsed.played
    curve = fit_risk(
        [(p.scores, p.member) for p in played],
        rng=seeds.child("risk").generator(),
        confidence=plan.statistics.confidence,
    )
    probability, low, high = curve.at(scores)
    seen = _again(played, curve, case.audited, roles.pool)
    times = np.isfinite(seen).sum(axis=0).astype(np.int64)
    mean = np.where(times > 0, np.nansum(seen, axis=0) / np.maximum(times, 1), np.nan)
    stability, records = _stability(seen)
    member = case.member
    facts = RiskFacts(
        attack=found.scored.name,
        rehearsals=len(played),
        calibration_error=calibration_error(probability, member),
        mean_members=float(probability[member].mean()),
        mean_nonmembers=float(probability[~member].mean()),
        bands=_bands(probability, member),
        stable_pairs=stability,
        stable_records=records,
        file="risk.csv",
    )
    table = RiskTable(
        ids=[str(i) for i in data.ids[case.audited]],
        labels=[data.classes[c] for c in data.y[case.audited]],
        groups=None if data.groups is None else [str(g) for g in data.groups[case.audited]],
        member=member,
        score=scores,
        probability=probability,
        low=low,
        high=high,
        when_trained=mean,
        trainings=times,
    )
    return Risk(facts, table)


def _again(played: Sequence[Played], curve: RiskCurve, audited: Ints, pool: Ints) -> Floats:
    """Probabilities (rehearsals, n) of audited rows in models that were trained on them too, else NaN."""
    result = np.full((len(played), len(audited)), np.nan)
    order = np.argsort(audited)
    for row, one in zip(result, played, strict=True):
        rows = pool[one.rows[one.member]]
        place = np.minimum(np.searchsorted(audited, rows, sorter=order), len(audited) - 1)
        there = audited[order[place]] == rows
        row[order[place[there]]] = curve.at(one.scores[one.member][there])[0] if there.any() else np.nan
    return result


def _stability(seen: Floats) -> tuple[float | None, int]:
    """Mean rank correlation of the probabilities of rows that two models were both trained on."""
    from scipy.stats import spearmanr

    found, rows = [], 0
    for one, other in combinations(seen, 2):
        both = np.isfinite(one) & np.isfinite(other)
        if both.sum() >= LEAST_COMMON and np.ptp(one[both]) > 0 and np.ptp(other[both]) > 0:
            found.append(float(spearmanr(one[both], other[both]).statistic))
            rows += int(both.sum())
    return (float(np.mean(found)), rows) if found else (None, 0)


def _bands(probability: Floats, member: Bools) -> list[RiskBand]:
    weight = np.where(member, 0.5 / member.sum(), 0.5 / (~member).sum())
    bands = []
    for low, high in pairwise(BANDS):
        here = (probability >= low) & ((probability < high) | (high == BANDS[-1]))
        total = float(weight[here].sum())
        bands.append(
            RiskBand(
                low=low,
                high=high,
                members=int((here & member).sum()),
                nonmembers=int((here & ~member).sum()),
                stated=float((weight * probability)[here].sum()) / total if total else None,
                true=float(weight[here & member].sum()) / total if total else None,
            )
        )
    return bands
