"""Structure: what a model holds of its training rows, seen by looking into it, without any attack."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnomon.core.documents.schema import FileName, Finding, Part, PlanTable

StructureCode = Literal[
    "stored-rows",
    "small-leaves",
    "pure-leaves",
    "few-degrees-of-freedom",
    "unique-answers",
    "rare-words",
    "rare-categories",
    "risky-parameter",
]


class Appetite(PlanTable):
    """How much of its training rows a model may hold (``--appetite FILE``); the defaults are cautious."""

    stored_rows: int = Field(0, ge=0, description="training rows that may stand in the model itself")
    leaf_rows: int = Field(10, ge=1, description="fewest training rows that a leaf of a tree may stand for")
    pure_leaves: bool = Field(
        False, description="whether a leaf of a classification tree may stand for rows of one class only"
    )
    degrees_of_freedom: int = Field(
        10, description="fewest residual degrees of freedom: training rows less fitted parameters"
    )
    same_answers: int = Field(
        10, ge=1, description="fewest training rows that share one answer of the model (k-anonymity of its answers)"
    )
    word_rows: int = Field(
        10, ge=1, description="fewest training rows that a word or category kept in the model occurs in"
    )
    refuse: tuple[StructureCode, ...] = Field(
        ("stored-rows",), description="findings that are errors: such a model is not released; the others are warnings"
    )


class StructurePlan(PlanTable):
    """[structure]: checks that need no attack."""

    check: bool | None = Field(
        None,
        description="look into the model; default where the model itself is given. true also trains a target anew that "
        "is trained here, if nothing else needs it",
    )
    appetite: FileName | None = Field(
        None, description="TOML file of what a model may hold of its training rows (structure.md); default cautious"
    )


class StructureValue(Part):
    """One thing that was measured."""

    code: StructureCode  # short name
    title: str  # what a report calls it
    value: float  # what was measured
    limit: float | None = None  # of the appetite; None: there is none for a number
    at_least: bool = True  # the value must not be below the limit; else not above it
    met: bool  # whether it lies within the appetite


class StructureFacts(Part):
    """What a look into the model shows."""

    model: str  # classes of what answers, outermost first
    rows: int  # training rows that were compared
    values: list[StructureValue]  # what was measured of the model itself
    findings: list[Finding]  # what they come to
    not_read: list[str] = Field(default_factory=list)  # parts that hold what this version can't read
    appetite: Appetite  # the limits that values were held against
