"""Rehearsals: shadow models play the target, with known membership.

What an attacker must choose (a threshold, the best attack) is chosen here, never on the audited rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gnomon.core.arrays import Bools, Floats
from gnomon.core.evidence import Attack, Evidence, Need
from gnomon.core.seeds import Seeds
from gnomon.stats.calibration import calibrate_threshold
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc

UNREHEARSABLE: frozenset[Need] = frozenset({"query", "gradients"})  # shadows keep answers, not weights
SECONDS_PER_ATTACK = 10.0  # a slow attack rehearses once


@dataclass(frozen=True)
class Rehearsed:
    """What shadows playing the target taught about one attack."""

    threshold: float | None = None
    auc: float | None = None  # mean over rehearsals
    tpr: dict[float, float] = field(default_factory=dict)  # by false-positive rate, mean over rehearsals
    count: int = 0


def rehearse(attack: Attack, evidence: Evidence, count: int, fprs: Sequence[float], seeds: Seeds) -> Rehearsed:
    """Lets up to ``count`` shadows play the target for one attack.

    A slow attack stops rehearsing after ten seconds; one that cannot be rehearsed returns an empty result.
    """
    if count == 0 or not evidence.can_rehearse or attack.needs & UNREHEARSABLE:
        return Rehearsed()
    assert evidence.pool is not None
    start = time.perf_counter()
    played: list[tuple[Floats, Bools]] = []
    for i in range(min(count, evidence.pool.n_shadows)):
        rehearsal, member = evidence.rehearse(i)
        if rehearsal.missing(attack.needs) is not None:
            return Rehearsed()
        rng = seeds.child("rehearsal", attack.name, i).generator()
        played.append((attack.score(rehearsal.view(attack.needs), rng), member))
        if time.perf_counter() - start > SECONDS_PER_ATTACK:
            break
    return Rehearsed(
        threshold=calibrate_threshold(*(np.concatenate(parts) for parts in zip(*played, strict=True))),
        auc=float(np.mean([auc(s[m], s[~m]).value for s, m in played])),
        tpr={f: float(np.mean(rates)) for f in fprs if (rates := _rates(played, f))},
        count=len(played),
    )


def _rates(played: Sequence[tuple[Floats, Bools]], fpr: float) -> list[float]:
    found = [tpr_at_fpr(s[m], s[~m], fpr).tpr for s, m in played]
    return [estimate.value for estimate in found if estimate is not None]


def choose(rehearsed: dict[str, Rehearsed], fpr: float) -> str | None:
    """The attack that finds most members at this false-positive rate in rehearsals; the AUC decides between equals."""
    known = {name: r for name, r in rehearsed.items() if r.auc is not None}
    return max(known, key=lambda name: (round(known[name].tpr.get(fpr, 0.0), 3), known[name].auc)) if known else None
