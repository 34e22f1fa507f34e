"""Comparison: how two records differ, as one versioned JSON document. Like a record, it is only rendered.

Always the second run against the first: "worse" means that the second leaks more.
"""

from __future__ import annotations

from typing import Literal

from gnomon.core.documents.record import Estimate, Part

Change = Literal["better", "worse", "within noise", "mixed", "not comparable"]


class FigureChange(Part):
    """One figure of both runs. ``difference`` is second minus first; above 0, the second leaks more."""

    figure: str  # "AUC", "TPR at 1% FPR"
    first: float | None
    second: float | None
    difference: Estimate | None  # its interval covers the choice of records
    retrained: Estimate | None = None  # ... and that the same recipe, trained again, gives another model
    change: Change
    refused: str | None = None  # why there is no difference


class AttackChange(Part):
    """One attack in both runs; ``change`` sums its figures up."""

    name: str
    title: str
    change: Change
    figures: list[FigureChange]
    reason: str | None = None  # why it can't be compared


class RunFacts(Part):
    """What a reader must know of one run."""

    name: str
    created: str
    level: str
    headline: str
    attack: str | None  # title of the headline attack
    members: int
    nonmembers: int
    train_size: int
    train_accuracy: float | None
    test_accuracy: float | None
    shadows: int


class Comparison(Part):
    """Two runs against each other."""

    version: Literal[1] = 1
    change: Change
    headline: str  # one sentence in plain words
    sentences: list[str]
    first: RunFacts
    second: RunFacts
    pairing: Literal["same rows", "common rows", "none"]
    paired_members: int
    paired_nonmembers: int
    counted_by: Literal["record", "group"] = "record"  # what the intervals take to be independent of each other
    confidence: float
    overall: AttackChange  # all attacks summed up, with the figures of the one that changed most clearly
    attacks: list[AttackChange]
    differences: list[str]  # what else is different between the runs, and may explain the change
