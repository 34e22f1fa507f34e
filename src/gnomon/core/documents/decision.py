"""Decision: what an officer is asked, who is exposed, how strong the evidence is, what to do now; the annex."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnomon.core.documents.comparison import Change
from gnomon.core.documents.record_parts import StructureFacts
from gnomon.core.documents.schema import Estimate, Finding, Part, PlanTable, TprAtFpr

Context = Literal["public-weights", "api-scores", "api-labels", "internal"]
Unit = Literal["person", "record"]


class ReleasePlan(PlanTable):
    """[release]: what the model is to be released for; reports hold the audit against it."""

    context: Context | None = Field(
        None,
        description="who will reach the model: public-weights (its file is handed out), api-scores (answers with "
        "probabilities), api-labels (answers with labels), internal (people of the house, who may look inside)",
    )
    purpose: str | None = Field(None, description="what the model is for, in a sentence; shown in the annex")
    unit: Unit | None = Field(
        None, description="whose privacy counts: person or record; default person where groups are given"
    )


class MostExposed(Part):
    """The few records or persons that the headline attack ranks highest, held to the truth."""

    unit: Unit  # what was ranked
    first: str  # id of the first of them that is a member; "" if none is
    ranked: int  # so many were taken from the top
    members: int  # ... of which so many are members
    right: Estimate  # share of members among them, were half of all candidates members
    level: float  # confidence of that interval; all numbers that were tried hold together
    tried: list[int]  # numbers that were taken from the top


class Measured(Part):
    """What a mitigation achieved on this plan."""

    label: str  # of the mitigation, as a plan writes it
    effect: Change | None  # null: it could not be audited
    before: Estimate | None  # the strongest attack on the plain model: TPR at ``fpr``, or AUC
    after: Estimate | None  # the strongest attack on the mitigated model
    fpr: float | None  # the false-positive rate; null: the AUC is compared
    accuracy: Estimate | None  # change, in shares


class ToDo(Part):
    """One thing to do."""

    code: str  # of the rule in advice.md
    title: str  # what was found
    meaning: str  # the values that it rests on
    remedy: str  # what would help
    evidence: str  # what measures, or has measured, by how much it helps
    tries: list[str] = Field(default_factory=list)  # mitigations that `gnomon defend --try` can measure
    measured: list[Measured] = Field(default_factory=list)  # by a bench of the same plan
    limit: str  # what makes a gate or an appetite catch its return
    source: str  # who showed it


class Decision(Part):
    """What the first screen of a report says below the verdict."""

    asked: str  # the question that is put to whoever decides
    exposed: list[str]  # who is exposed, in sentences
    strength: Literal["none", "weak", "limited", "strong"]  # of the evidence
    evidence: str  # why it is as strong as that, in a sentence
    flags: list[str] = Field(default_factory=list)  # where the audit is weaker than the declared release
    most_exposed: MostExposed | None = None  # by the headline attack; null: too few were ranked
    to_do: list[ToDo] = Field(default_factory=list)  # at most five, the heaviest first


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
