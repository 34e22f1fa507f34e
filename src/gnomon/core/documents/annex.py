"""Annex: what is filed and signed of one audit, as one versioned JSON document that is only rendered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnomon.core.documents.record_parts import MostExposed, ReleasePlan, StructureFacts, ToDo
from gnomon.core.documents.schema import Estimate, Finding, Part, TprAtFpr

AnnexKind = Literal["edpb", "tre"]


class Covered(Part):
    """One family of attacks."""

    family: str  # what such attacks find out
    status: Literal["run", "not run"]  # in this audit
    shown: str  # what was run, or that there is no evidence of resistance


class TestedAttacker(Part):
    """One attacker that was tested: what they reach, what they know, what it costs, what they achieve."""

    access: str  # what they see of the model
    knowledge: str  # what else they hold
    cost: str  # models to train, and queries
    attack: str  # the strongest of theirs, as chosen in rehearsals
    auc: Estimate  # what it achieves
    tpr: TprAtFpr  # at the lowest false-positive rate that the records resolve


class WorstSlice(Part):
    """The most exposed part of the records, by the lower end of its AUC."""

    division: str  # as the plan names it
    name: str  # of the slice
    auc: Estimate  # within the slice
    intervals: int  # that hold together
    level: float  # of each of them


class Measure(Part):
    """A measure that was taken, or tried in a bench of the same plan."""

    name: str  # of the mitigation
    taken: bool  # false: a bench tried it
    effect: str  # before and after, in words


class Annex(Part):
    """One to three pages on one audit, in the order in which they are read."""

    version: Literal[1] = 1  # of this document
    kind: AnnexKind  # for whom it is
    name: str  # of the run
    identity: dict[str, str]  # which model, which data, which versions, when
    release: ReleasePlan  # as the plan declares it
    decision: str  # one sentence
    level: str  # of the verdict
    asked: str  # the question that is put to whoever decides
    evidence: str  # how strong it is, and why
    coverage: list[Covered]  # over families of attacks
    attackers: list[TestedAttacker]  # from the least to the most knowing
    flags: list[str]  # where the audit is weaker than the declared release
    tests: dict[str, str]  # scope, frequency, quantity, quality
    results: list[str]  # in sentences
    most_exposed: MostExposed | None  # records or persons, under a simultaneous bound
    worst_slice: WorstSlice | None  # null: no slices were measured
    structure: StructureFacts | None  # null: nobody looked into the model
    measures: list[Measure]  # taken, or tried in a bench of the same plan
    to_do: list[ToDo]  # the heaviest first
    findings: list[Finding]  # errors and warnings of the audit
    limits: list[str]  # what the audit leaves open
    signatures: list[str]  # who signs; the boxes are empty
    ids_shown: bool = Field(description="whether ids of records or persons stand in this annex")
