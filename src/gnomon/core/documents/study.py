"""Study: many audits of one plan with some keys varied, put together as one versioned JSON document.

A report of a study is a view of this document and computes nothing. Fields are only ever added.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gnomon.core.documents.schema import Estimate, Part

Shape = Literal["share", "area"]  # spelt as a percentage, or as a number


class FigureKind(Part):
    """One figure that a study draws: "precision", "tpr@0.01", "gap"."""

    key: str  # short name
    title: str  # what a report calls it
    of: Literal["target", "attack"]  # who it belongs to
    shape: Shape = "share"  # spelt as a percentage (share) or as a number (area)
    chance: float | None = None  # what guessing achieves


class Axis(Part):
    """What is varied: a key of the plan, or a set of keys under one name."""

    key: str  # of the plan that is varied
    labels: list[str]  # its values
    numbers: list[float] | None = None  # where every value is a number


class CellAttack(Part):
    """One attack's figures in one cell; None: not measured, or refused."""

    name: str  # as in a plan
    title: str  # what a report calls it
    status: Literal["ok", "skipped", "failed"]  # ok, skipped or failed
    reason: str | None = None  # why there are no values
    calibrated: str | None = None  # who chose the threshold of precision, recall and accuracy
    precision: Estimate | None = None  # of those accused, how many are members
    recall: Estimate | None = None  # of the members, how many are accused
    accuracy: Estimate | None = None  # at its threshold
    auc: Estimate | None = None  # area under the ROC curve
    tpr_1: Estimate | None = None  # at a false-positive rate of 1 %
    tpr_01: Estimate | None = None  # ... of 0.1 %


class StudyCell(Part):
    """One audit of a study."""

    labels: dict[str, str]  # axis -> value
    seed: int  # root of the audit's random streams
    status: Literal["ok", "failed"]  # whether the audit ended
    reason: str | None = None  # why there are no values
    run: str | None = None  # its folder, from the study's
    seconds: float = 0.0  # that the audit took
    train_size: int | None = None  # rows that it was trained on
    train_accuracy: float | None = None  # on rows that it was trained on
    test_accuracy: float | None = None  # on rows that the target never saw
    gap: float | None = None  # accuracy on training rows minus accuracy on others
    attacks: list[CellAttack] = Field(default_factory=list)  # their values


class Point(Part):
    """A figure at one value of an axis, over repeats."""

    label: str  # value of the key
    repeats: int  # how many seeds
    mean: Estimate | None  # None: no cell has the figure
    interval: Literal["student", "range", "audit", "none"]  # of three and more repeats, of two, of one, no interval
    values: list[float]  # by seed


class StudyCurve(Part):
    """One figure against one axis."""

    axis: str  # the key that is varied
    figure: str  # what is shown
    attack: str | None  # name of the attack
    fixed: dict[str, str]  # the other axes' values
    averaged: list[str]  # the other axes that the figure is a mean over
    points: list[Point]  # one a value of the key


class Heat(Part):
    """One figure where two keys vary; ``cells[i][j]``: row i, column j."""

    rows: str  # the key along a column
    columns: str  # the key along a row
    figure: str  # what is shown
    attack: str | None  # name of the attack
    averaged: list[str]  # keys that are averaged over
    cells: list[list[Point]]  # values, row by row


class ClassPoint(Part):
    """One class of one combination, mean over repeats."""

    name: str  # of the class
    share: float  # of the target's training rows
    precision: float | None  # of those accused, how many are members
    recall: float | None  # of the members, how many are accused


class ClassCloud(Part):
    """The classes of one combination under one attack."""

    labels: dict[str, str]  # values of the varied keys
    attack: str  # name of the attack
    classes: list[ClassPoint]  # one by one


class StudyMachine(Part):
    """Where and with what a study was made."""

    created: str  # ISO 8601, UTC
    gnomon: str  # version
    python: str  # version
    machine: str  # system and processor
    cores: int  # that were available
    packages: dict[str, str]  # versions of what decides results
    seconds: float  # of this run
    reused: int  # cells that were finished before
    command: str = ""  # that makes it again


class Study(Part):
    """Many audits, and what they say together."""

    version: Literal[1] = 1  # of this document
    name: str  # of the study
    title: str  # what a report calls it
    question: str = ""  # what it asks
    plan: dict[str, Any]  # what is common to all cells, as given
    axes: list[Axis]  # keys that are varied
    seeds: list[int]  # roots of the random streams
    figures: list[FigureKind]  # what is drawn
    attacks: dict[str, str]  # name -> title, in the plan's order
    headline: str | None  # the attack that heat tables and classes are of
    cells: list[StudyCell]  # audits, one a combination and seed
    curves: list[StudyCurve]  # values along a key
    heats: list[Heat] = Field(default_factory=list)  # values along two keys
    classes: list[ClassCloud] = Field(default_factory=list)  # precision and recall by class
    made: StudyMachine  # when, and with what

    @property
    def failed(self) -> list[StudyCell]:
        """Cells that could not be carried out."""
        return [cell for cell in self.cells if cell.status == "failed"]
