"""Record: what came out, as one versioned JSON document. A report is a view of it and computes nothing.

Fields are only ever added, so that an old record renders with a newer gnomon.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

from pydantic import Field

from gnomon.core.documents.canaries import CanaryFacts
from gnomon.core.documents.notebook import attack_frame, summary_html
from gnomon.core.documents.person_results import (
    FdrAccusations,
    GroupResult,
    RatePoint,
    Rehearsal,
    Repeats,
    RiskFacts,
    Slicing,
)
from gnomon.core.documents.schema import Estimate as Estimate
from gnomon.core.documents.schema import Finding as Finding
from gnomon.core.documents.schema import Part as Part
from gnomon.core.documents.schema import Severity as Severity
from gnomon.core.documents.schema import TprAtFpr as TprAtFpr
from gnomon.core.documents.structure import StructureFacts
from gnomon.core.errors import expect

Status = Literal["ok", "skipped", "failed"]
Skipped = Literal["plan", "evidence", "unfit"]
Level = Literal["leaks", "leaks_some", "undecided", "none_found", "invalid"]


class AtThreshold(Part):
    """Rates of one decision rule. ``calibrated``: who chose the threshold."""

    threshold: float | None
    calibrated: Literal["shadow", "attack", "oracle"]
    accuracy: Estimate  # on members and non-members in equal weight (balanced)
    precision: Estimate | None  # None when nobody is accused
    recall: Estimate
    fpr: Estimate


class ClassResult(Part):
    """One class under one attack, at the attack's threshold."""

    name: str
    members: int
    nonmembers: int
    precision: float | None
    recall: float | None
    auc: float | None


class Percentiles(Part):
    """Percentiles over classes (Shokri et al. 2017 present theirs so)."""

    p10: float
    p25: float
    p50: float
    p75: float
    p90: float


class Curve(Part):
    """A thinned ROC curve with a pointwise band; all lists have one length."""

    fpr: list[float]
    tpr: list[float]
    low: list[float]
    high: list[float]


class Histogram(Part):
    """Scores of members and non-members in common bins; ``edges`` has one entry more."""

    edges: list[float]
    members: list[int]
    nonmembers: list[int]


class PrecisionAtPrior(Part):
    """Of those accused, how many are members, if this share of the candidates are."""

    prior: float
    fpr: float
    precision: Estimate | None


class AttackResult(Part):
    """One attack: status, figures, curves."""

    name: str
    title: str
    paper: str
    status: Status
    reason: str | None = None  # why skipped, or the error's line
    skipped: Skipped | None = None  # kept out by the plan, evidence is wanting, or it does not apply to such records
    traceback: str | None = None
    needs: list[str] = Field(default_factory=list)
    options: dict[str, Any] = Field(default_factory=dict)
    seconds: float = 0.0
    queries: int = 0
    auc: Estimate | None = None
    advantage: Estimate | None = None  # largest TPR - FPR at a threshold that shadows chose
    tpr_at_fpr: list[TprAtFpr] = Field(default_factory=list)
    at_threshold: AtThreshold | None = None
    oracle: AtThreshold | None = None
    precision_at_prior: list[PrecisionAtPrior] = Field(default_factory=list)
    roc: Curve | None = None
    histogram: Histogram | None = None
    classes: list[ClassResult] = Field(default_factory=list)
    class_precision: Percentiles | None = None
    class_recall: Percentiles | None = None
    tied_share: float = 0.0  # share of audited rows whose score another row has too
    notes: list[str] = Field(default_factory=list)
    accusations: list[FdrAccusations] = Field(default_factory=list)
    groups: GroupResult | None = None
    repeats: Repeats | None = None
    rehearsals: list[Rehearsal] = Field(default_factory=list)
    scores_file: str | None = None  # next to the record: float64 (n,), in the order of audited.ids


class ModelFacts(Part):
    """The target's size and quality; shadows have the same facts as means and spreads."""

    train_size: int
    train_accuracy: float | None
    test_accuracy: float | None
    train_loss: float | None
    test_loss: float | None
    calibration_error: float | None = None  # expected, of what is revealed of audited non-members (Guo et al. 2017)
    answer_size: float | None = None  # probabilities above 0 in an answer that is revealed, on average


class ShadowFacts(Part):
    """The pool of shadow models."""

    count: int
    size: int
    source: str
    train_accuracy: Estimate | None = None  # mean and range over shadows
    test_accuracy: Estimate | None = None
    stacked: int = 1  # models trained at once
    trained: int = 0  # in this run
    reused: int = 0  # found in the store
    remade: list[str] = Field(default_factory=list)  # damaged answers that were discarded and made again
    note: str | None = None
    seconds: float = 0.0
    redrawn: int = 0  # models that failed and were drawn again with rare classes and categories kept
    left_out: int = 0  # models that could not be used, and their partners
    failures: list[str] = Field(default_factory=list)  # why, the first few different reasons
    seconds_each: float | None = None  # training time of one model, whenever that was; None where it was not noted


class SourceAttack(Part):
    """One attack trained on shadows of one source."""

    name: str
    auc: Estimate
    accuracy: Estimate
    precision: Estimate | None
    recall: Estimate
    unreached_precision: float | None = None  # mean over the classes that the source gave no record of


class ShadowSourceFacts(Part):
    """One source of shadow data: what it cost the attacker, and what attacks trained on it achieve."""

    source: str
    rows: int  # records that shadows could be trained on
    queries: int = 0  # to the target, for making and labelling them
    queries_per_record: float | None = None
    unreached: list[str] = Field(default_factory=list)  # classes without a record
    notes: list[str] = Field(default_factory=list)
    seconds: float = 0.0
    shadow_test_accuracy: float | None = None
    attacks: list[SourceAttack] = Field(default_factory=list)


class Rung(Part):
    """A step of the ladder: what an attacker achieves who knows this much, and no more."""

    key: str  # labels, queries, top:3, rounded:1, answers, offline, online, gradients, checkpoints
    title: str
    attack: str
    attack_title: str
    chosen_on: Literal["shadows", "audited rows", "no choice"]  # who chose it among the attacks of this rung
    auc: Estimate
    tpr: TprAtFpr  # at the lowest false-positive rate that the audited rows resolve


class Agreement(Part):
    """How far attacks name the same records: Jaccard overlap of the rows that each ranks highest."""

    top: int  # rows that each attack names; a few more where scores tie
    rows: int  # audited rows
    attacks: list[str]
    overlap: list[list[float]]  # in [0, 1], symmetric, in the order of attacks
    member_share: list[float]  # of the rows that each attack names
    chance: float  # overlap of two attacks that name rows at random


class ShadowPoint(Part):
    """What LiRA achieves with so many shadow models."""

    count: int
    auc: Estimate
    tpr: TprAtFpr


class ShadowGain(Part):
    """What the last step to more shadow models brought, on the same rows."""

    before: int
    after: int
    auc: Estimate
    tpr: Estimate | None


class ByShadows(Part):
    """A curve over the number of shadow models: would more of them help?"""

    attack: str
    attack_title: str
    fpr: float
    rows: int  # audited rows; a random part of them where there are many
    points: list[ShadowPoint]
    gain: ShadowGain


class Exposed(Part):
    """One of the most exposed records: an audited member that the headline attack ranks highest."""

    id: str
    label: str
    score: float
    rank: int  # among all audited rows, 1 = most exposed
    nonmembers_above: int  # audited non-members with a score as high or higher


class AnswersMap(Part):
    """Which answer of the target belongs to which class; both lists are in the order of the class ids."""

    classes: list[str]  # names
    answers: list[str]  # what the target or its file calls the answer of each class
    rule: Literal["name", "name within", "number", "order", "position", "one column", "trained here"]
    sentence: str
    rows: Literal["ids", "assumed"] | None = None  # what files of answers were matched to rows by: ids, or their order


class DataFacts(Part):
    """The audited rows."""

    name: str
    note: str
    fingerprint: str
    rows: int
    features: int
    classes: int
    members: int
    nonmembers: int
    pool: int
    population: int
    overlap: int  # audited non-members that also stand in the attacker's pool
    groups: int | None = None  # persons or households of the audited rows; None where there are none


class MitigationFacts(Part):
    """One mitigation of the target, and what the trained target says of it."""

    label: str  # as the plan has it: "top3"
    title: str
    paper: str
    acts_on: Literal["answers", "training"]
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

    view: Literal["adversary", "auditor"]
    reveals: str
    knows_recipe: bool
    knows_mitigations: bool | None = None  # None: there are none, or there are no shadow models
    shadow_data: str
    sentences: list[str]
    queries: list[str] = Field(default_factory=list)  # versions that each record is also asked in
    queries_asked: int = 0  # what these versions cost


class Provenance(Part):
    """Where the record comes from."""

    created: str  # ISO 8601, UTC
    gnomon: str
    packages: dict[str, str]
    python: str
    machine: str
    cores: int
    seed: int
    seconds: dict[str, float]  # by stage
    peak_memory_mb: float | None = None
    fingerprints: dict[str, str] = Field(default_factory=dict)


class JointResult(Part):
    """One attack in the joint test of all attacks: whether it tells members from others, their number paid for."""

    name: str
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

    level: Level
    headline: str  # one sentence in plain words
    sentences: list[str]
    attack: str | None  # name of the headline attack
    unit: Literal["record", "person"] = "record"  # whose exposure the headline speaks of
    fpr: float | None = None  # the false-positive rate that headline and sentences speak of; None: nothing was found
    chosen_on: Literal["shadows", "audited rows"] | None = None
    rehearsed: str | None = None  # the attack that was chosen in rehearsals on shadow models
    tested: list[JointResult] = Field(default_factory=list)  # black-box attacks, one family
    inside: list[JointResult] = Field(default_factory=list)  # attacks that see more than answers, a family of their own
    detectable_auc: float | None = None  # smallest AUC that this audit finds in four of five cases
    detectable_tpr: RatePoint | None = None  # ... and the smallest true-positive rate at the headline's rate
    missing: list[str] = Field(default_factory=list)  # codes of what stands against "none found"


class Record(Part):
    """One audit."""

    version: Literal[1] = 1
    name: str
    plan_given: dict[str, Any]
    plan: dict[str, Any]
    verdict: Verdict
    data: DataFacts
    counted_by: Literal["record", "group"] = "record"  # what all intervals take to be independent of each other
    target: ModelFacts
    answers_map: AnswersMap | None = None
    shadows: ShadowFacts | None
    shadow_sources: list[ShadowSourceFacts] = Field(default_factory=list)  # the plan's, in its order
    threat_model: ThreatModel
    mitigations: list[MitigationFacts] = Field(default_factory=list)  # of the target; those in training first
    plugins: list[PlugInFacts] = Field(default_factory=list, description="what of other packages this audit used")
    findings: list[Finding]
    attacks: list[AttackResult]
    exposed: list[Exposed]
    slices: list[Slicing] = Field(default_factory=list)
    risk: RiskFacts | None = None
    canaries: CanaryFacts | None = None
    structure: StructureFacts | None = None  # None: nobody looked into the model
    not_tried: list[str]
    ladder: list[Rung] = Field(default_factory=list)
    agreement: Agreement | None = None
    by_shadows: ByShadows | None = None
    recipe: dict[str, Any]
    provenance: Provenance

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
