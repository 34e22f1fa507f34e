"""How many records an attacker may accuse if at most a wanted share of his accusations may be false."""

from __future__ import annotations

import numpy as np

from gnomon.core.arrays import Bools, Floats
from gnomon.core.people import FdrAccusations
from gnomon.stats.accusations import accusations

FDRS = (0.1, 0.01)


def accuse(scores: Floats, member: Bools) -> list[FdrAccusations]:
    """Half of the non-members calibrate; the other half stand among the members, and must not be accused too often.

    Args:
        scores: of the audited rows ``(n,)``, in shuffled order, higher = more like a member.
        member: the truth ``(n,)``.
    """
    others = np.flatnonzero(~member)
    known, candidates = others[: len(others) // 2], np.concatenate([np.flatnonzero(member), others[len(others) // 2 :]])
    if len(known) == 0:
        return []
    found = [accusations(scores[candidates], scores[known], fdr) for fdr in FDRS]
    return [
        FdrAccusations(
            fdr=one.fdr,
            accused=one.count,
            members=int((one.accused & member[candidates]).sum()),
            candidates=len(candidates),
            calibration=len(known),
            least=one.least,
            reason=one.reason,
        )
        for one in found
    ]
