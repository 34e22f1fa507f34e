"""DefenceReport: what mitigations cost and what they buy, as one versioned JSON document that is only rendered."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gnomon.core.documents.comparison import AttackChange, Change
from gnomon.core.documents.record import Provenance
from gnomon.core.documents.schema import Estimate, Part, TprAtFpr, rate_at


class Leak(Part):
    """One attack on one model: the figures of all audited records."""

    attack: str  # its name in a plan
    title: str  # what a report calls the attack
    label_only: bool  # it reads nothing but predicted labels
    auc: Estimate | None = None  # area under the ROC curve
    advantage: Estimate | None = None  # largest difference of true- and false-positive rate
    tpr_at_fpr: list[TprAtFpr] = Field(default_factory=list)  # true-positive rates at low false-positive rates
    reason: str | None = None  # why there are no figures

    def at(self, fpr: float | None) -> Estimate | None:
        """The true-positive rate at a false-positive rate, or without one the AUC."""
        return self.auc if fpr is None else rate_at(self.tpr_at_fpr, fpr)


class Strongest(Part):
    """The strongest attack on one model, and who chose it."""

    leak: Leak  # what it finds
    chosen_on: Literal["shadows", "audited rows"]  # who chose the attack
    plain_shadows: bool = False  # shadow models without the mitigation served the attacker better
    exposed: Leak | None = None  # the same attack: members of the most exposed tenth against all non-members


class Utility(Part):
    """What the model is still good for, on audited non-members."""

    accuracy: Estimate  # on audited non-members
    train_accuracy: float | None  # on audited members
    change: Estimate | None = None  # accuracy minus the plain model's, on the same rows
    calibration_error: float | None = None  # expected, of the answers on audited non-members
    answer_size: float | None = None  # probabilities above 0 in an answer, on average


class Cost(Part):
    """Training time of one model; None where nothing was noted."""

    retrains: bool  # False: works on the model that is there
    seconds: float | None  # training time of one model
    times: float | None  # of the plain model's


class Guarantee(Part):
    """What an accountant proves, next to what attacks find."""

    epsilon: float  # what the accountant promises
    delta: float | None  # the probability that the promise does not cover


class MitigationResult(Part):
    """One mitigation (or none: the first row of the report), audited by an attacker who knows it."""

    label: str  # "top3", "none"
    title: str  # what a report calls it
    paper: str  # authors and year
    acts_on: Literal["nothing", "answers", "training", "both"]  # the answers, the training or nothing
    status: Literal["ok", "not applicable", "failed"]  # whether its audits ended
    reason: str | None = None  # why there are no values
    folder: str | None = None  # of the whole audit, next to the report
    strongest: Strongest | None = None  # the adaptive attack, unless the naive one is surely stronger
    adaptive: Strongest | None = None  # shadow models are trained with the mitigation, and answer through it
    label_only: Leak | None = None  # the strongest attack that reads labels alone, by AUC
    attacks: list[Leak] = Field(default_factory=list)  # every attack's values
    naive: Strongest | None = None  # shadow models are plain
    naive_change: AttackChange | None = None  # from the naive attack to the adaptive one
    change: AttackChange | None = None  # from the plain model to this one, both under their strongest attack
    effect: Change | None = None  # "better": leaks surely less than the plain model, to either attack
    utility: Utility | None = None  # of the mitigated model
    cost: Cost | None = None  # in time
    guarantee: Guarantee | None = None  # of differentially private training
    facts: dict[str, Any] = Field(default_factory=dict)  # that the trained model says of its mitigations
    curves: dict[str, list[float]] = Field(default_factory=dict)  # over its training: a game's two losses
    frontier: bool = False  # no other row has both a better accuracy and a lower leakage
    meets: bool | None = None  # the wanted leakage; None where none was asked for

    def leakage(self, fpr: float | None) -> float:
        """The strongest attack's value, as `Leak.at` has it; 1 where there is none."""
        found = self.strongest.leak.at(fpr) if self.strongest else None
        return 1.0 if found is None else found.value


class StrengthTrial(Part):
    """One strength that was tried for a wanted leakage."""

    label: str  # the mitigation with its strength
    value: float | None  # the largest upper end that the limit is held against; None where there is none
    accuracy: float | None  # on audited non-members
    meets: bool  # whether the wanted leakage is met
    reason: str | None = None  # why there are no values


class Search(Part):
    """The search over the strengths of one mitigation."""

    name: str  # of the mitigation
    low: float  # lower end of the range
    high: float  # upper end of the range
    limit: str  # the wanted leakage, in the words of a gate
    chosen: str | None  # None: no strength that was tried meets the limit
    trials: list[StrengthTrial]  # every strength that was tried, in their order


class ExposedRows(Part):
    """Which records count as the most exposed, and who chose them."""

    rows: int  # how many records these are
    members: int  # how many of them are members
    chosen_by: str  # a sentence


Answer = Literal[
    "helps", "helps at a price", "target missed", "none helps", "no difference", "nothing to lower", "nothing audited"
]


class Advice(Part):
    """The recommendation; follows from the intervals."""

    answer: Answer  # in a word, for a badge
    choice: str | None  # label of a row
    headline: str  # one sentence in plain words
    sentences: list[str]  # why it is recommended


class DefenceReport(Part):
    """Mitigations of one model."""

    version: Literal[1] = 1  # of this document
    name: str  # of the report
    plan: dict[str, Any]  # without mitigations, as it was resolved
    tried: list[str]  # as given
    fpr: float | None  # at which the sentences and the frontier give the true-positive rate; None: they give the AUC
    confidence: float  # of every interval
    compared: int  # mitigations that share the error rate of a false "better"
    members: int  # audited members
    nonmembers: int  # audited non-members
    classes: int  # number of classes
    data: str  # name of the data set
    view: Literal["adversary", "auditor"]  # the attacker's point of view
    shadows: int  # shadow models of each audit
    exposed: ExposedRows | None  # the most exposed records, without any mitigation
    results: list[MitigationResult]  # the first is the plain model
    searches: list[Search] = Field(default_factory=list)  # searches for a strength
    advice: Advice  # what is recommended
    provenance: Provenance  # where the report comes from
