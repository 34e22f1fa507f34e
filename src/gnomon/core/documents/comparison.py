"""Comparison: how two records differ, as one versioned JSON document. Like a record, it is only rendered.

Always the second run against the first: "worse" means that the second leaks more.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnomon.core.documents.schema import Estimate, Part

Change = Literal["better", "worse", "within noise", "mixed", "not comparable"]


class FigureChange(Part):
    """One figure of both runs. ``difference`` is second minus first; above 0, the second leaks more."""

    figure: str  # "AUC", "TPR at 1% FPR"
    first: float | None  # in the first run
    second: float | None  # in the second run
    difference: Estimate | None  # its interval covers the choice of records
    retrained: Estimate | None = None  # ... and that the same recipe, trained again, gives another model
    change: Change  # what the difference comes to
    refused: str | None = None  # why there is no difference


class AttackChange(Part):
    """One attack in both runs; ``change`` sums its figures up."""

    name: str  # of the attack, as in a plan
    title: str  # what a report calls it
    change: Change  # all of its values summed up
    figures: list[FigureChange]  # value by value
    reason: str | None = None  # why it can't be compared


class RunFacts(Part):
    """What a reader must know of one run."""

    name: str  # of the run
    created: str  # ISO 8601, UTC
    level: str  # of its verdict
    headline: str  # of its verdict
    attack: str | None  # title of the headline attack
    members: int  # audited members
    nonmembers: int  # audited non-members
    train_size: int  # rows that the target was trained on
    train_accuracy: float | None  # of the target, on audited members
    test_accuracy: float | None  # of the target, on audited non-members
    shadows: int  # shadow models


class Comparison(Part):
    """Two runs against each other."""

    version: Literal[1] = 1  # of this document
    change: Change  # what all attacks together come to
    headline: str  # one sentence in plain words
    sentences: list[str]  # what a report says of it
    first: RunFacts  # the run that is compared with
    second: RunFacts  # the run in question
    pairing: Literal["same rows", "common rows", "none"]  # which rows of the two runs are compared one by one
    paired_members: int  # members among the rows that are compared one by one
    paired_nonmembers: int  # non-members among them
    counted_by: Literal["record", "group"] = "record"  # what the intervals take to be independent of each other
    confidence: float  # of the whole comparison
    overall: AttackChange  # all attacks summed up, with the figures of the one that changed most clearly
    attacks: list[AttackChange]  # every attack of either run
    lost: list[str] = Field(
        default_factory=list
    )  # attacks of the first run that failed or lacked evidence in the second
    differences: list[str]  # what else is different between the runs, and may explain the change
