"""Rehearsals: shadow models play the target, with known membership.

What an attacker must choose (a threshold, the best attack) is chosen here, never on the audited rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.evidence import REHEARSABLE, Evidence
from gnomon.core.protocols import Attack
from gnomon.core.seeds import Seeds
from gnomon.stats.calibration import calibrate_threshold
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc

SECONDS_PER_ATTACK = 10.0  # a slow attack rehearses once


@dataclass(frozen=True)
class Played:
    """One rehearsal of one attack: a shadow's rows in the target's place."""

    rows: Ints  # (n',) positions in the attacker's pool
    scores: Floats  # (n',) higher = member
    member: Bools  # (n',) the shadow was trained on the row
    auc: float
    tpr: dict[float, float]  # by false-positive rate, where the rows resolve it


@dataclass(frozen=True)
class Rehearsed:
    """What shadows playing the target taught about one attack."""

    threshold: float | None = None
    auc: float | None = None  # mean over rehearsals
    tpr: dict[float, float] = field(default_factory=dict)  # by false-positive rate, mean over rehearsals
    played: tuple[Played, ...] = ()


def rehearse(attack: Attack, evidence: Evidence, count: int, fprs: Sequence[float], seeds: Seeds) -> Rehearsed:
    """Lets up to ``count`` shadows play the target for one attack.

    A slow attack stops rehearsing after ten seconds; one that cannot be rehearsed returns an empty result.
    """
    if count == 0 or not evidence.can_rehearse or not attack.needs <= REHEARSABLE:
        return Rehearsed()
    assert evidence.pool is not None
    start = time.perf_counter()
    played: list[Played] = []
    for i in range(min(count, evidence.pool.n_shadows)):
        rehearsal, member = evidence.rehearse(i)
        if rehearsal.missing(attack.needs) is not None:
            return Rehearsed()
        rng = seeds.child("rehearsal", attack.name, i).generator()
        scores = np.asarray(attack.score(rehearsal.view(attack.needs), rng), dtype=np.float64)
        rows = np.flatnonzero(evidence.pool.usable[i])
        played.append(
            Played(rows, scores, member, auc(scores[member], scores[~member]).value, _rates(scores, member, fprs))
        )
        if time.perf_counter() - start > SECONDS_PER_ATTACK:
            break
    return Rehearsed(
        threshold=calibrate_threshold(
            np.concatenate([p.scores for p in played]), np.concatenate([p.member for p in played])
        ),
        auc=float(np.mean([p.auc for p in played])),
        tpr={f: float(np.mean(rates)) for f in fprs if (rates := [p.tpr[f] for p in played if f in p.tpr])},
        played=tuple(played),
    )


def _rates(scores: Floats, member: Bools, fprs: Sequence[float]) -> dict[float, float]:
    found = {f: tpr_at_fpr(scores[member], scores[~member], f).tpr for f in fprs}
    return {f: estimate.value for f, estimate in found.items() if estimate is not None}


def choose(rehearsed: dict[str, Rehearsed], fpr: float) -> str | None:
    """The attack that finds most members at this false-positive rate in rehearsals; the AUC decides between equals."""
    known = {name: r for name, r in rehearsed.items() if r.auc is not None}
    return max(known, key=lambda name: (round(known[name].tpr.get(fpr, 0.0), 3), known[name].auc)) if known else None
