"""Record: what came out, as one versioned JSON document. A report is a view of it and computes nothing.

Fields are only ever added, so that an old record renders with a newer gnomon.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from pydantic import Field

from gnomon.core.documents.notebook import attack_frame, summary_html
from gnomon.core.documents.record_parts import (
    CanaryFacts,
    Decision,
    EndpointFacts,
    FdrAccusations,
    GroupResult,
    RatePoint,
    Rehearsal,
    Repeats,
    RiskFacts,
    Slicing,
    StructureFacts,
)
from gnomon.core.documents.schema import Estimate as Estimate
from gnomon.core.documents.schema import Finding as Finding
from gnomon.core.documents.schema import Part as Part
from gnomon.core.documents.schema import Severity as Severity
from gnomon.core.documents.schema import TprAtFpr as TprAtFpr
from gnomon.core.errors import expect

Status = Literal["ok", "skipped", "failed"]
Skipped = Literal["plan", "evidence", "unfit"]
Level = Literal["leaks", "leaks_some", "undecided", "none_found", "invalid"]


class AtThreshold(Part):
    """Rates of one decision rule. ``calibrated``: who chose the threshold."""

    threshold: float | None  # the score from which a record is accused
    calibrated: Literal["shadow", "attack", "oracle"]  # who chose the threshold
    accuracy: Estimate  # on members and non-members in equal weight (balanced)
    precision: Estimate | None  # None when nobody is accused
    recall: Estimate  # members that are found
    fpr: Estimate  # non-members that are accused wrongly


class ClassResult(Part):
    """One class under one attack, at the attack's threshold."""

    name: str  # of the class
    members: int  # audited members of the class
    nonmembers: int  # audited non-members of the class
    precision: float | None  # of those accused, how many are members
    recall: float | None  # of the members, how many are accused
    auc: float | None  # within the class


class Percentiles(Part):
    """Percentiles over classes (Shokri et al. 2017 present theirs so)."""

    p10: float  # tenth percentile
    p25: float  # lower quartile
    p50: float  # median
    p75: float  # upper quartile
    p90: float  # ninetieth percentile


class Curve(Part):
    """A thinned ROC curve with a pointwise band; all lists have one length."""

    fpr: list[float]  # false-positive rates, ascending
    tpr: list[float]  # true-positive rates
    low: list[float]  # lower end of the band
    high: list[float]  # upper end of the band


class Histogram(Part):
    """Scores of members and non-members in common bins; ``edges`` has one entry more."""

    edges: list[float]  # of the bins, ascending
    members: list[int]  # members in each bin
    nonmembers: list[int]  # non-members in each bin


class PrecisionAtPrior(Part):
    """Of those accused, how many are members, if this share of the candidates are."""

    prior: float  # share of members among the candidates
    fpr: float  # of the rule that accuses
    precision: Estimate | None  # of those accused, how many are members; null: nobody is accused


class AttackResult(Part):
    """One attack: status, figures, curves."""

    name: str  # as in a plan
    title: str  # what a report calls it
    paper: str  # authors and year
    status: Status  # ok, skipped or failed
    reason: str | None = None  # why skipped, or the error's line
    skipped: Skipped | None = None  # kept out by the plan, evidence is wanting, or it does not apply to such records
    traceback: str | None = None  # of a failed attack
    needs: list[str] = Field(default_factory=list)  # what evidence it reads
    options: dict[str, Any] = Field(default_factory=dict)  # its hyper-parameters
    seconds: float = 0.0  # that it took
    queries: int = 0  # further queries to the target
    auc: Estimate | None = None  # area under the ROC curve: how often a member scores above a non-member
    advantage: Estimate | None = None  # largest TPR - FPR at a threshold that shadows chose
    tpr_at_fpr: list[TprAtFpr] = Field(default_factory=list)  # true-positive rates at low false-positive rates
    at_threshold: AtThreshold | None = None  # rates at a threshold that an attacker could have chosen
    oracle: AtThreshold | None = None  # rates at the best threshold on the audited rows themselves
    # precision where members are rarer than here
    precision_at_prior: list[PrecisionAtPrior] = Field(default_factory=list)
    roc: Curve | None = None  # the ROC curve, thinned
    histogram: Histogram | None = None  # of the scores
    classes: list[ClassResult] = Field(default_factory=list)  # class by class, at the attack's threshold
    class_precision: Percentiles | None = None  # percentiles over classes
    class_recall: Percentiles | None = None  # percentiles over classes
    tied_share: float = 0.0  # share of audited rows whose score another row has too
    notes: list[str] = Field(default_factory=list)  # what the reader of its values must know
    # how many times wider its AUC varies than records on their own show, because audited records judge each other
    wider: float = 1.0
    accusations: list[FdrAccusations] = Field(default_factory=list)  # who is accused at a bounded false-discovery rate
    groups: GroupResult | None = None  # persons or households, where groups are given
    repeats: Repeats | None = None  # against several targets of one recipe
    rehearsals: list[Rehearsal] = Field(default_factory=list)  # against shadow models that played the target
    scores_file: str | None = None  # next to the record: float64 (n,), in the order of audited.ids


class ModelFacts(Part):
    """The target's size and quality; shadows have the same facts as means and spreads."""

    train_size: int  # rows that it was trained on
    train_accuracy: float | None  # on rows that it was trained on
    test_accuracy: float | None  # on rows that it never saw
    train_loss: float | None  # mean cross-entropy on them, in nats
    test_loss: float | None  # mean cross-entropy on them, in nats
    calibration_error: float | None = None  # expected, of what is revealed of audited non-members (Guo et al. 2017)
    answer_size: float | None = None  # probabilities above 0 in an answer that is revealed, on average


class ShadowFacts(Part):
    """The pool of shadow models."""

    count: int  # how many there are
    size: int  # rows that each was trained on
    source: str  # where their rows come from
    train_accuracy: Estimate | None = None  # mean and range over shadows
    test_accuracy: Estimate | None = None  # mean and range, on rows that they never saw
    stacked: int = 1  # models trained at once
    trained: int = 0  # in this run
    reused: int = 0  # found in the store
    remade: list[str] = Field(default_factory=list)  # damaged answers that were discarded and made again
    note: str | None = None  # whether they were trained as one stack, and why
    seconds: float = 0.0  # training time, summed over processes
    redrawn: int = 0  # models that failed and were drawn again with rare classes and categories kept
    left_out: int = 0  # models that could not be used, and their partners
    failures: list[str] = Field(default_factory=list)  # why, the first few different reasons
    seconds_each: float | None = None  # training time of one model, whenever that was; None where it was not noted


class SourceAttack(Part):
    """One attack trained on shadows of one source."""

    name: str  # of the attack
    auc: Estimate  # area under the ROC curve
    accuracy: Estimate  # at its threshold
    precision: Estimate | None  # of those accused, how many are members
    recall: Estimate  # of the members, how many are accused
    unreached_precision: float | None = None  # mean over the classes that the source gave no record of


class ShadowSourceFacts(Part):
    """One source of shadow data: what it cost the attacker, and what attacks trained on it achieve."""

    source: str  # as in a plan
    rows: int  # records that shadows could be trained on
    queries: int = 0  # to the target, for making and labelling them
    queries_per_record: float | None = None  # of the target
    unreached: list[str] = Field(default_factory=list)  # classes without a record
    notes: list[str] = Field(default_factory=list)  # what the reader must know of it
    seconds: float = 0.0  # that making the records took
    shadow_test_accuracy: float | None = None  # of shadow models, on rows that they never saw
    attacks: list[SourceAttack] = Field(default_factory=list)  # those that learn from the source


class Rung(Part):
    """A step of the ladder: what an attacker achieves who knows this much, and no more."""

    key: str  # labels, queries, top:3, rounded:1, answers, offline, online, gradients, checkpoints
    title: str  # what the attacker knows more than on the rung below
    attack: str  # name of the best attack of this rung
    attack_title: str  # what a report calls it
    chosen_on: Literal["shadows", "audited rows", "no choice"]  # who chose it among the attacks of this rung
    auc: Estimate  # that it achieves
    tpr: TprAtFpr  # at the lowest false-positive rate that the audited rows resolve


class Agreement(Part):
    """How far attacks name the same records: Jaccard overlap of the rows that each ranks highest."""

    top: int  # rows that each attack names; a few more where scores tie
    rows: int  # audited rows
    attacks: list[str]  # their names, in the order of all lists here
    overlap: list[list[float]]  # in [0, 1], symmetric, in the order of attacks
    member_share: list[float]  # of the rows that each attack names
    chance: float  # overlap of two attacks that name rows at random


class ShadowPoint(Part):
    """What LiRA achieves with so many shadow models."""

    count: int  # number of shadow models
    auc: Estimate  # with so many
    tpr: TprAtFpr  # with so many


class ShadowGain(Part):
    """What the last step to more shadow models brought, on the same rows."""

    before: int  # number of shadow models before
    after: int  # number of shadow models after
    auc: Estimate  # difference of the AUC
    tpr: Estimate | None  # difference of the true-positive rate


class ByShadows(Part):
    """A curve over the number of shadow models: would more of them help?"""

    attack: str  # its name
    attack_title: str  # what a report calls it
    fpr: float  # at which true-positive rates are taken
    rows: int  # audited rows; a random part of them where there are many
    points: list[ShadowPoint]  # by number of shadow models
    gain: ShadowGain  # from doubling the number at last


class Exposed(Part):
    """One of the most exposed records: an audited member that the headline attack singles out."""

    id: str  # row id
    label: str  # its class
    score: float  # of the headline attack
    rank: int  # among all audited rows, 1 = most exposed
    nonmembers_above: int  # audited non-members with a score as high or higher; where members stand below, as low


class AnswersMap(Part):
    """Which answer of the target belongs to which class; both lists are in the order of the class ids."""

    classes: list[str]  # names
    answers: list[str]  # what the target or its file calls the answer of each class
    # how columns of answers were matched with classes
    rule: Literal["name", "name within", "number", "order", "position", "one column", "trained here"]
    sentence: str  # the same in words
    rows: Literal["ids", "assumed"] | None = None  # what files of answers were matched to rows by: ids, or their order


class DataFacts(Part):
    """The audited rows."""

    name: str  # of the data set
    note: str  # where the data come from
    fingerprint: str  # digest of the rows' content
    rows: int  # all rows
    features: int  # number of features
    classes: int  # number of classes
    members: int  # audited members
    nonmembers: int  # audited non-members
    pool: int  # rows that shadow models may be trained on
    population: int  # known non-members of the attacker
    overlap: int  # audited non-members that also stand in the attacker's pool
    groups: int | None = None  # persons or households of the audited rows; None where there are none


class MitigationFacts(Part):
    """One mitigation of the target, and what the trained target says of it."""

    label: str  # as the plan has it: "top3"
    title: str  # what a report calls it
    paper: str  # authors and year
    acts_on: Literal["answers", "training"]  # the answers or the training
    facts: dict[str, Any] = Field(default_factory=dict)  # the accountant's epsilon, ...
    curves: dict[str, list[float]] = Field(default_factory=dict)  # over the training: a game's two losses, ...


class PlugInFacts(Part):
    """Something of another package that this audit used."""

    kind: Literal["attacks", "mitigations", "readers"] = Field(description="what it is")
    name: str = Field(description="what results call it; for a reader the ending of the files that it reads")
    path: str = Field(description="where it is written, as module:name")
    package: str | None = Field(None, description="the installed distribution that brings it")
    version: str | None = Field(None, description="of the distribution")
    source: str = Field(description="digest of its source, or of its package's version, and of its options")


class ThreatModel(Part):
    """What the attacker is assumed to have."""

    view: Literal["adversary", "auditor"]  # adversary: shadow models never see audited rows; auditor: they do
    reveals: str  # what the target shows of an answer
    knows_recipe: bool  # whether shadow models follow the target's recipe
    knows_mitigations: bool | None = None  # None: there are none, or there are no shadow models
    shadow_data: str  # where the rows of shadow models come from
    sentences: list[str]  # the same in words
    queries: list[str] = Field(default_factory=list)  # versions that each record is also asked in
    queries_asked: int = 0  # what these versions cost


class Provenance(Part):
    """Where the record comes from."""

    created: str  # ISO 8601, UTC
    gnomon: str  # version
    packages: dict[str, str]  # versions of what decides results
    python: str  # version
    machine: str  # system and processor
    cores: int  # that were available
    seed: int  # root of all random streams
    seconds: dict[str, float]  # by stage
    peak_memory_mb: float | None = None  # most memory that the process held, in MiB
    fingerprints: dict[str, str] = Field(default_factory=dict)  # digests of what was audited


class JointResult(Part):
    """One attack in the joint test of all attacks: whether it tells members from others, their number paid for."""

    name: str  # of the attack
    p: float  # chance of as strong a result in any attack of the family if none of them tells anything
    found: bool  # p is at or below the test's level
    by: Literal["auc", "top", "bottom", "persons"]  # the statistic that was strongest
    reversed: bool = False  # members stand below others
    rows: int | None = None  # "top", "bottom": so many records that the attack ranks highest or lowest
    members: int | None = None  # ... of which so many are members
    expected: float | None = None  # ... where guessing would give so many
    worth: float | None = None  # ... independent records that these are worth, where a person's are all alike


class Verdict(Part):
    """The first thing that a reader sees; follows from the figures below it."""

    level: Level  # leaks, leaks_some, undecided, none_found or invalid
    headline: str  # one sentence in plain words
    sentences: list[str]  # what it rests on
    attack: str | None  # name of the headline attack
    unit: Literal["record", "person"] = "record"  # whose exposure the headline speaks of
    fpr: float | None = None  # the false-positive rate that headline and sentences speak of; None: nothing was found
    chosen_on: Literal["shadows", "audited rows"] | None = None  # who chose the headline attack
    rehearsed: str | None = None  # the attack that was chosen in rehearsals on shadow models
    tested: list[JointResult] = Field(default_factory=list)  # black-box attacks, one family
    inside: list[JointResult] = Field(default_factory=list)  # attacks that see more than answers, a family of their own
    detectable_auc: float | None = None  # smallest AUC that this audit finds in four of five cases
    detectable_tpr: RatePoint | None = None  # ... and the smallest true-positive rate at the headline's rate
    missing: list[str] = Field(default_factory=list)  # codes of what stands against "none found"

    @property
    def members_below(self) -> bool:
        """Whether the headline attack finds members by scores below those of others."""
        return any(one.name == self.attack and one.found and one.reversed for one in self.tested)


class Record(Part):
    """One audit."""

    version: Literal[1] = 1  # of this document
    name: str  # of the run
    plan_given: dict[str, Any]  # as the user gave it
    plan: dict[str, Any]  # as it was resolved, with every default
    verdict: Verdict  # the conclusion
    data: DataFacts  # the audited rows
    counted_by: Literal["record", "group"] = "record"  # what all intervals take to be independent of each other
    target: ModelFacts  # size and quality of the target
    answers_map: AnswersMap | None = None  # how given answers were matched with classes
    shadows: ShadowFacts | None  # the shadow models; null: there were none
    shadow_sources: list[ShadowSourceFacts] = Field(default_factory=list)  # the plan's, in its order
    threat_model: ThreatModel  # what the attacker is assumed to have
    mitigations: list[MitigationFacts] = Field(default_factory=list)  # of the target; those in training first
    plugins: list[PlugInFacts] = Field(default_factory=list, description="what of other packages this audit used")
    findings: list[Finding]  # what would make the verdict false, or its reader must know
    attacks: list[AttackResult]  # every attack that was tried, with its values
    exposed: list[Exposed]  # members that the headline attack ranks highest
    slices: list[Slicing] = Field(default_factory=list)  # leakage by part of the data
    risk: RiskFacts | None = None  # probabilities of membership
    canaries: CanaryFacts | None = None  # a lower bound on epsilon
    decision: Decision | None = None  # what follows from all this for whoever decides
    structure: StructureFacts | None = None  # None: nobody looked into the model
    endpoint: EndpointFacts | None = None  # what queries to a target behind an endpoint have cost
    not_tried: list[str]  # attacks that were not tried, and why
    ladder: list[Rung] = Field(default_factory=list)  # what attackers gain who know more
    agreement: Agreement | None = None  # whether attacks point at the same records
    by_shadows: ByShadows | None = None  # whether more shadow models would help
    recipe: dict[str, Any]  # everything that decides what training makes
    provenance: Provenance  # where the record comes from

    def attack(self, name: str | None) -> AttackResult | None:
        """The attack of this name; None where it was not tried."""
        return next((attack for attack in self.attacks if attack.name == name), None)

    @property
    def headline(self) -> AttackResult | None:
        """The attack that the verdict speaks of."""
        return self.attack(self.verdict.attack)

    def to_frame(self) -> Any:
        """One row an attack, the largest AUC first, with its values and their intervals, as a data frame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return attack_frame(self.attacks)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return summary_html(self)


class Audited(Protocol):
    """What has a record: an audit's outcome."""

    @property
    def record(self) -> Record:
        """The record."""
        ...


def record_of(given: Record | Audited) -> Record:
    """The record itself, or the one of an audit's outcome.

    Raises:
        UsageError: neither.

    >>> record_of("runs/demo")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: record: expected a Record (read_record reads a run's) or an audit's outcome, got str
    """
    found = getattr(given, "record", given)
    expect("record", found, Record, "a Record (read_record reads a run's) or an audit's outcome")
    assert isinstance(found, Record)
    return found
