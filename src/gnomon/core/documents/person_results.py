"""The parts of a record that speak of people and of other trainings: persons, slices, risk, accusations, repeats."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gnomon.core.documents.schema import Estimate, Part, TprAtFpr


class RatePoint(Part):
    """A true-positive rate at a false-positive rate, without an interval."""

    fpr: float  # false-positive rate
    tpr: float  # true-positive rate


class Rehearsal(Part):
    """How an attack did against a shadow model that played the target: what another training may look like."""

    auc: float  # area under the ROC curve
    tpr_at_fpr: list[RatePoint] = Field(default_factory=list)  # true-positive rates that its rows resolve


class FdrAccusations(Part):
    """Who is accused if at most a share ``fdr`` of the accusations may be false, in expectation."""

    fdr: float  # share of the accusations that may be false
    accused: int  # records that are accused
    members: int  # of those accused
    persons: int | None = None  # whose records the accused ones are, where groups are given
    candidates: int  # records that could have been accused
    calibration: int  # known non-members that the rule was calibrated on
    least: int | None = None  # the calibration sample resolves no fewer accusations than this
    reason: str | None = None  # why nobody could have been accused


class RepeatSpread(Part):
    """One figure over repeated targets; ``fpr`` None: the AUC."""

    fpr: float | None  # at which the true-positive rate is taken; null: the value is the AUC
    values: list[float]  # the audited target first
    mean: Estimate | None  # over targets, with its interval
    deviation: float | None  # standard deviation over targets
    lowest: float  # the smallest value
    highest: float  # the largest value


class Repeats(Part):
    """One attack against several targets of one recipe, the audited one among them."""

    targets: int  # how many were trained and attacked
    auc: RepeatSpread  # over the targets
    tpr_at_fpr: list[RepeatSpread] = Field(default_factory=list)  # over the targets, rate by rate


class GroupResult(Part):
    """One attack on persons or households: their records' evidence put together."""

    rule: str  # how scores were combined, in words
    members: int  # groups of which every audited row is a member
    nonmembers: int  # groups of which no row was trained on
    mixed: int  # groups that are neither, left out
    rows: float  # audited rows a group, mean
    auc: Estimate  # area under the ROC curve of persons
    tpr_at_fpr: list[TprAtFpr] = Field(default_factory=list)  # true-positive rates of persons


class SliceResult(Part):
    """Leakage of one part of the audited rows."""

    name: str  # the class, or the value or range of the column
    members: int  # audited members in it
    nonmembers: int  # audited non-members in it
    auc: Estimate | None  # None: too few rows
    tpr: TprAtFpr | None = None  # true-positive rate at the lowest rate that its rows resolve
    recall: float | None = None  # members found by one threshold for all slices
    fpr: float | None = None  # non-members wrongly accused by it


class Slicing(Part):
    """The headline attack, slice by slice."""

    name: str  # as in the plan: "age:4"
    attack: str  # name of the headline attack
    level: float  # confidence of each slice's intervals, so that all of them hold together (Bonferroni)
    intervals: int  # how many intervals share the error
    slices: list[SliceResult]  # one by one
    most: str | None = None  # slices with the largest and the smallest AUC
    least: str | None = None  # slice with the smallest AUC
    disparity: Estimate | None = None  # difference of their AUCs; holds although they were chosen by looking


class RiskBand(Part):
    """Audited rows whose stated probability lies in [low, high)."""

    low: float  # lower end of the band
    high: float  # upper end of the band
    members: int  # members in it
    nonmembers: int  # non-members in it
    stated: float | None  # mean probability, members and non-members in equal weight
    true: float | None  # share of members, in equal weight


class RiskFacts(Part):
    """Probabilities of membership, record by record; the table lies next to the record."""

    attack: str  # whose scores the probabilities are made of
    rehearsals: int  # shadow models that it was learned on
    basis: Literal["shadows", "audited records", "withheld"]  # what the stated probabilities were learned on
    reason: str | None = None  # why not on shadow models, or why nothing is stated
    calibration_error: Estimate | None  # of what is stated; each record's truth was not used to learn its probability
    mean_members: float | None  # mean stated probability of members
    mean_nonmembers: float | None  # mean stated probability of non-members
    bands: list[RiskBand] = Field(default_factory=list)  # what was stated, and what was true
    shadow_error: Estimate  # of what shadow models alone would have stated
    shadow_p_value: float  # that this agrees with the audited records
    # what shadow models alone would have stated, and what was true
    shadow_bands: list[RiskBand] = Field(default_factory=list)
    stable_pairs: float | None = None  # rank correlation of a member's probability between two trainings
    stable_records: int = 0  # records that this rests on
    file: str | None = None  # the table of records, next to the record
