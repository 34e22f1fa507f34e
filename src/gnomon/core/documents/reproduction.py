"""Reproduction: a paper's experiments run here, its figures next to ours, and whether each shape holds.

One versioned JSON document; a report of it computes nothing. Fields are only ever added.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnomon.core.documents.schema import Part
from gnomon.core.documents.study import Point, Study, StudyMachine

Holds = Literal["holds", "holds in part", "does not hold", "not shown"]


class Statement(Part):
    """A shape of the paper's results, and what our figures say of it."""

    says: str  # the claim in words
    verdict: Holds  # "in part": not every step is clear; "not shown": the intervals allow either, or too few seeds
    evidence: str  # the figures that it rests on, in words


class Compared(Part):
    """One figure of the paper next to ours."""

    label: str  # what is compared
    figure: str  # key of a study's figure
    paper: float  # the paper's value
    source: str  # "as recalled", "secondary source"
    ours: Point | None  # our value
    stand_in: bool = False  # ours is of other data than the paper's


class ExperimentResult(Part):
    """One experiment: what was run of it, what it says."""

    key: str  # short name
    title: str  # what a report calls it
    question: str  # what it asks
    status: Literal["run", "cut short", "left out", "no data"]  # whether it was carried out
    reason: str = ""  # why not, or not all of it
    wanted: str = ""  # what it would take
    cells: int  # wanted
    done: int  # audits that ended
    seconds: float  # that its cells took, those shared with an earlier experiment not counted
    estimate: float  # seconds for what is missing, on the machine that costs were measured on
    notes: list[str] = Field(default_factory=list)  # stand-ins, sizes that differ from the paper's
    show: list[str] = Field(default_factory=list)  # figures to draw
    group: str = ""  # its mark in the picture of precision against the gap; "": not in it
    study: Study | None = None  # its audits
    compared: list[Compared] = Field(default_factory=list)  # the paper's values next to ours
    statements: list[Statement] = Field(default_factory=list)  # the paper's claims, and whether they hold


class Reproduction(Part):
    """A paper's experiments, run here."""

    version: Literal[1] = 1  # of this document
    name: str  # of the paper, as in the command
    paper: str  # authors, year and title
    sources: dict[str, str]  # tag of a paper's figure -> what it means
    seeds: list[int]  # of each cell
    budget: float | None  # seconds
    spent: float  # seconds that all its cells took, whenever they were run
    stand_ins: bool  # whether other data may stand in for the paper's
    experiments: list[ExperimentResult]  # in the order of what they show
    made: StudyMachine  # when, and with what

    @property
    def failed(self) -> bool:
        """Whether a cell of some experiment could not be carried out."""
        return any(one.study is not None and one.study.failed for one in self.experiments)
