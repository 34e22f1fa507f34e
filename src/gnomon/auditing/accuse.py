"""How many records an attacker may accuse if at most a wanted share of his accusations may be false."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnomon.auditing.roles import by_group
from gnomon.core.arrays import Bools, Floats
from gnomon.core.people import FdrAccusations
from gnomon.stats.accusations import accusations

FDRS = (0.1, 0.01)


def accuse(scores: Floats, member: Bools, groups: NDArray[Any] | None = None) -> list[FdrAccusations]:
    """Half of the non-members calibrate; the other half stand among the members, and must not be accused too often.

    A person's records calibrate together or not at all: no candidate is held against other records of their own.

    Args:
        scores: of the audited rows ``(n,)``, in shuffled order, higher = more like a member.
        member: the truth ``(n,)``.
        groups: the person or household of each row ``(n,)``.
    """
    others = np.flatnonzero(~member)
    half = len(others) // 2
    if groups is not None:
        others = by_group(others, groups)
        while half and groups[others[half - 1]] == groups[others[half]]:
            half -= 1
    known, candidates = others[:half], np.concatenate([np.flatnonzero(member), others[half:]])
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
