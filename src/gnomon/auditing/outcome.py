"""What an audit ends in: the record, and the tables of rows that lie next to it."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.documents.record import Record


@dataclass(frozen=True)
class RiskTable:
    """Probability of membership of each audited row, at a prior of one half; all (n,), in the order of the ids."""

    ids: list[str]
    labels: list[str]
    groups: list[str] | None
    member: Bools
    score: Floats
    probability: Floats
    low: Floats
    high: Floats
    when_trained: Floats  # mean probability in rehearsals that were trained on the row; NaN if there were none
    trainings: Ints  # how many these were


@dataclass(frozen=True)
class CanaryTable:
    """Every canary with its coin and its score; all (m,)."""

    ids: list[str]
    labels: list[str]
    included: Bools
    score: Floats  # natural log of the probability of the canary's label; higher = guessed in


@dataclass(frozen=True)
class Outcome:
    """An audit's record, and the scores that belong to it: attack name -> (n,) in the order of ``ids``."""

    record: Record
    scores: dict[str, Floats]
    ids: list[str]  # (n,) row ids of the audited rows
    member: list[bool]  # (n,) the truth
    risk: RiskTable | None = None
    canaries: CanaryTable | None = None
    groups: list[str] | None = None  # (n,) the person or household of each audited row
    exposure: Floats | None = None  # (n,) how much a record is worth to an attacker; see `results.vulnerability`
