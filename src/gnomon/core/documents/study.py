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

    key: str
    title: str
    of: Literal["target", "attack"]  # who it belongs to
    shape: Shape = "share"
    chance: float | None = None  # what guessing achieves


class Axis(Part):
    """What is varied: a key of the plan, or a set of keys under one name."""

    key: str
    labels: list[str]
    numbers: list[float] | None = None  # where every value is a number


class CellAttack(Part):
    """One attack's figures in one cell; None: not measured, or refused."""

    name: str
    title: str
    status: Literal["ok", "skipped", "failed"]
    reason: str | None = None
    calibrated: str | None = None  # who chose the threshold of precision, recall and accuracy
    precision: Estimate | None = None
    recall: Estimate | None = None
    accuracy: Estimate | None = None
    auc: Estimate | None = None
    tpr_1: Estimate | None = None  # at a false-positive rate of 1 %
    tpr_01: Estimate | None = None  # ... of 0.1 %


class StudyCell(Part):
    """One audit of a study."""

    labels: dict[str, str]  # axis -> value
    seed: int
    status: Literal["ok", "failed"]
    reason: str | None = None
    run: str | None = None  # its folder, from the study's
    seconds: float = 0.0
    train_size: int | None = None
    train_accuracy: float | None = None
    test_accuracy: float | None = None
    gap: float | None = None
    attacks: list[CellAttack] = Field(default_factory=list)


class Point(Part):
    """A figure at one value of an axis, over repeats."""

    label: str
    repeats: int
    mean: Estimate | None  # None: no cell has the figure
    interval: Literal["student", "range", "audit", "none"]  # of three and more repeats, of two, of one, no interval
    values: list[float]  # by seed


class StudyCurve(Part):
    """One figure against one axis."""

    axis: str
    figure: str
    attack: str | None
    fixed: dict[str, str]  # the other axes' values
    averaged: list[str]  # the other axes that the figure is a mean over
    points: list[Point]


class Heat(Part):
    """One figure where two keys vary; ``cells[i][j]``: row i, column j."""

    rows: str
    columns: str
    figure: str
    attack: str | None
    averaged: list[str]
    cells: list[list[Point]]


class ClassPoint(Part):
    """One class of one combination, mean over repeats."""

    name: str
    share: float  # of the target's training rows
    precision: float | None
    recall: float | None


class ClassCloud(Part):
    """The classes of one combination under one attack."""

    labels: dict[str, str]
    attack: str
    classes: list[ClassPoint]


class StudyMachine(Part):
    """Where and with what a study was made."""

    created: str  # ISO 8601, UTC
    gnomon: str
    python: str
    machine: str
    cores: int
    packages: dict[str, str]
    seconds: float  # of this run
    reused: int  # cells that were finished before
    command: str = ""


class Study(Part):
    """Many audits, and what they say together."""

    version: Literal[1] = 1
    name: str
    title: str
    question: str = ""
    plan: dict[str, Any]  # what is common to all cells, as given
    axes: list[Axis]
    seeds: list[int]
    figures: list[FigureKind]
    attacks: dict[str, str]  # name -> title, in the plan's order
    headline: str | None  # the attack that heat tables and classes are of
    cells: list[StudyCell]
    curves: list[StudyCurve]
    heats: list[Heat] = Field(default_factory=list)
    classes: list[ClassCloud] = Field(default_factory=list)
    made: StudyMachine

    @property
    def failed(self) -> list[StudyCell]:
        """Cells that could not be carried out."""
        return [cell for cell in self.cells if cell.status == "failed"]
