"""The parts of a record: persons, slices, risk, accusations, repeats, canaries, the model itself, queries, decision.

The tables [canaries], [structure] and [release] of a plan stand next to what the record says of them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gnomon.core.documents.comparison import Change
from gnomon.core.documents.schema import Estimate, FileName, Finding, Part, PlanTable, TprAtFpr


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


Kind = Literal["mislabelled", "random", "own"]


class CanariesPlan(PlanTable):
    """[canaries]: rows that fair coins put into one more training of the recipe, for a lower bound on epsilon."""

    kind: Kind = Field(
        "mislabelled",
        description="mislabelled: real rows that are not trained on, each with a wrong label; random: records drawn "
        "from the feature space, with a random label; own: rows of a file",
    )
    count: int | None = Field(None, ge=1, description="number of canaries m; default 500, own: all rows of the file")
    file: FileName | None = Field(None, description="own: file of labelled rows, with the columns of the data")
    guesses: int | tuple[int, ...] | None = Field(
        None,
        description="number of guesses r, fixed beforehand; several numbers share the error (Bonferroni); default 1, "
        "3, 10, 30 and 100 % of the canaries, as far as that makes 10 or more",
    )
    delta: float | None = Field(
        None, ge=0, lt=1, description="of the (epsilon, delta) that is refuted; default that of [trainer.dp], or 1e-5"
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="confidence of the bound")

    @model_validator(mode="after")
    def _file_of_own(self) -> CanariesPlan:
        if (self.kind == "own") != (self.file is not None):
            raise ValueError('canaries.file and kind = "own" belong together: give both or neither')
        if any(r < 1 for r in self.tried or (1,)):
            raise ValueError(f"canaries.guesses: expected 1 or more, got {min(self.tried or ())}")
        return self

    @property
    def tried(self) -> tuple[int, ...] | None:
        """The numbers of guesses that the plan names."""
        return (self.guesses,) if isinstance(self.guesses, int) else self.guesses


class CanaryTrial(Part):
    """One number of guesses, and the bound that it gives at its part of the error."""

    guesses: int  # canaries that were guessed
    right: int  # of these guessed rightly
    epsilon: float  # lower bound that these guesses give


class CanaryFacts(Part):
    """A lower bound on epsilon from one training with canaries (Steinke, Nasr & Jagielski, 2023)."""

    kind: Kind  # what canaries are made of
    canaries: int  # how many there are (m)
    included: int  # of them, by their coins
    guesses: int  # how many were guessed (r)
    right: int  # how many of these rightly (v)
    epsilon: float  # the bound; 0 = nothing shown
    ceiling: float  # the largest bound that these canaries could have shown
    delta: float  # for which epsilon is bounded
    confidence: float  # of the bounds
    trials: list[CanaryTrial]  # every number of guesses that was tried; the error is shared out evenly among them
    promised: float | None = None  # the accountant's epsilon at the same delta, where training was private
    train_size: int  # rows of this training, canaries among them
    test_accuracy: float | None = None  # of the model with canaries, on rows that it was not trained on
    tested: int = 0  # rows that this rests on
    reused: bool = False  # the model's answers were found in the store
    file: str | None = None  # next to the record: every canary with its coin and score


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


class EndpointFacts(Part):
    """What a target behind an endpoint was queried, in all runs that share the folder of answers."""

    address: str  # of the endpoint
    protocol: str  # how it was spoken to
    understood: list[str]  # what the first small query showed
    records: int  # different records with an answer
    queries: int  # records that were sent, those of further tries included
    requests: int  # that were sent
    retries: int  # requests after the first one of a batch
    bytes_sent: int  # in the bodies of requests
    bytes_received: int  # in the bodies of answers
    seconds: float  # that the audit waited for answers
    kept: int  # records whose answers were there before this run
    twice: int = 0  # records that were queried twice
    changed: int = 0  # records of these that were answered otherwise the second time
    change: float = 0.0  # largest difference between two answers to one record, in probability
