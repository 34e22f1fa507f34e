"""The parts of a record that speak of people and of other trainings: persons, slices, risk, accusations, repeats."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnomon.core.documents.schema import Estimate, Part, TprAtFpr


class RatePoint(Part):
    """A true-positive rate at a false-positive rate, without an interval."""

    fpr: float
    tpr: float


class Rehearsal(Part):
    """How an attack did against a shadow model that played the target: what another training may look like."""

    auc: float
    tpr_at_fpr: list[RatePoint] = Field(default_factory=list)


class FdrAccusations(Part):
    """Who is accused if at most a share ``fdr`` of the accusations may be false, in expectation."""

    fdr: float
    accused: int
    members: int  # of those accused
    persons: int | None = None  # whose records the accused ones are, where groups are given
    candidates: int
    calibration: int  # known non-members that the rule was calibrated on
    least: int | None = None  # the calibration sample resolves no fewer accusations than this
    reason: str | None = None  # why nobody could have been accused


class RepeatSpread(Part):
    """One figure over repeated targets; ``fpr`` None: the AUC."""

    fpr: float | None
    values: list[float]  # the audited target first
    mean: Estimate | None
    deviation: float | None
    lowest: float
    highest: float


class Repeats(Part):
    """One attack against several targets of one recipe, the audited one among them."""

    targets: int
    auc: RepeatSpread
    tpr_at_fpr: list[RepeatSpread] = Field(default_factory=list)


class GroupResult(Part):
    """One attack on persons or households: their records' evidence put together."""

    rule: str  # how scores were combined, in words
    members: int  # groups of which every audited row is a member
    nonmembers: int  # groups of which no row was trained on
    mixed: int  # groups that are neither, left out
    rows: float  # audited rows a group, mean
    auc: Estimate
    tpr_at_fpr: list[TprAtFpr] = Field(default_factory=list)


class SliceResult(Part):
    """Leakage of one part of the audited rows."""

    name: str
    members: int
    nonmembers: int
    auc: Estimate | None  # None: too few rows
    tpr: TprAtFpr | None = None
    recall: float | None = None  # members found by one threshold for all slices
    fpr: float | None = None  # non-members wrongly accused by it


class Slicing(Part):
    """The headline attack, slice by slice."""

    name: str  # as in the plan: "age:4"
    attack: str
    level: float  # confidence of each slice's intervals, so that all of them hold together (Bonferroni)
    intervals: int  # how many intervals share the error
    slices: list[SliceResult]
    most: str | None = None  # slices with the largest and the smallest AUC
    least: str | None = None
    disparity: Estimate | None = None  # difference of their AUCs; holds although they were chosen by looking


class RiskBand(Part):
    """Audited rows whose stated probability lies in [low, high)."""

    low: float
    high: float
    members: int
    nonmembers: int
    stated: float | None  # mean probability, members and non-members in equal weight
    true: float | None  # share of members, in equal weight


class RiskFacts(Part):
    """Probabilities of membership, record by record; the table lies next to the record."""

    attack: str
    rehearsals: int
    basis: Literal["shadows", "audited records", "withheld"]  # what the stated probabilities were learned on
    reason: str | None = None  # why not on shadow models, or why nothing is stated
    calibration_error: Estimate | None  # of what is stated; each record's truth was not used to learn its probability
    mean_members: float | None
    mean_nonmembers: float | None
    bands: list[RiskBand] = Field(default_factory=list)
    shadow_error: Estimate  # of what shadow models alone would have stated
    shadow_p_value: float  # that this agrees with the audited records
    shadow_bands: list[RiskBand] = Field(default_factory=list)
    stable_pairs: float | None = None  # rank correlation of a member's probability between two trainings
    stable_records: int = 0  # records that this rests on
    file: str | None = None
