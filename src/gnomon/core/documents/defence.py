"""DefenceReport: what mitigations cost and what they buy, as one versioned JSON document that is only rendered."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gnomon.core.documents.comparison import AttackChange, Change
from gnomon.core.documents.record import Provenance
from gnomon.core.documents.schema import Estimate, Part, TprAtFpr


class Leak(Part):
    """One attack on one model: the figures of all audited records."""

    attack: str
    title: str
    label_only: bool  # it reads nothing but predicted labels
    auc: Estimate | None = None
    advantage: Estimate | None = None
    tpr_at_fpr: list[TprAtFpr] = Field(default_factory=list)
    reason: str | None = None  # why there are no figures

    def at(self, fpr: float | None) -> Estimate | None:
        """The true-positive rate at a false-positive rate, or without one the AUC."""
        if fpr is None:
            return self.auc
        return next((p.tpr for p in self.tpr_at_fpr if abs(p.fpr - fpr) < 1e-12), None)


class Strongest(Part):
    """The strongest attack on one model, and who chose it."""

    leak: Leak
    chosen_on: Literal["shadows", "audited rows"]
    plain_shadows: bool = False  # shadow models without the mitigation served the attacker better
    exposed: Leak | None = None  # the same attack: members of the most exposed tenth against all non-members


class Utility(Part):
    """What the model is still good for, on audited non-members."""

    accuracy: Estimate
    train_accuracy: float | None
    change: Estimate | None = None  # accuracy minus the plain model's, on the same rows
    calibration_error: float | None = None
    answer_size: float | None = None  # probabilities above 0 in an answer, on average


class Cost(Part):
    """Training time of one model; None where nothing was noted."""

    retrains: bool  # False: works on the model that is there
    seconds: float | None
    times: float | None  # of the plain model's


class Guarantee(Part):
    """What an accountant proves, next to what attacks find."""

    epsilon: float
    delta: float | None


class MitigationResult(Part):
    """One mitigation (or none: the first row of the report), audited by an attacker who knows it."""

    label: str  # "top3", "none"
    title: str
    paper: str
    acts_on: Literal["nothing", "answers", "training", "both"]
    status: Literal["ok", "not applicable", "failed"]
    reason: str | None = None
    folder: str | None = None  # of the whole audit, next to the report
    strongest: Strongest | None = None  # the adaptive attack, unless the naive one is surely stronger
    adaptive: Strongest | None = None  # shadow models are trained with the mitigation, and answer through it
    label_only: Leak | None = None  # the strongest attack that reads labels alone, by AUC
    attacks: list[Leak] = Field(default_factory=list)
    naive: Strongest | None = None  # shadow models are plain
    naive_change: AttackChange | None = None  # from the naive attack to the adaptive one
    change: AttackChange | None = None  # from the plain model to this one, both under their strongest attack
    effect: Change | None = None  # "better": leaks surely less than the plain model, to either attack
    utility: Utility | None = None
    cost: Cost | None = None
    guarantee: Guarantee | None = None
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

    label: str
    value: float | None  # the largest upper end that the limit is held against; None where there is none
    accuracy: float | None
    meets: bool
    reason: str | None = None


class Search(Part):
    """The search over the strengths of one mitigation."""

    name: str
    low: float
    high: float
    limit: str
    chosen: str | None  # None: no strength that was tried meets the limit
    trials: list[StrengthTrial]


class ExposedRows(Part):
    """Which records count as the most exposed, and who chose them."""

    rows: int
    members: int
    chosen_by: str  # a sentence


class Advice(Part):
    """The recommendation; follows from the intervals."""

    choice: str | None  # label of a row
    headline: str
    sentences: list[str]


class DefenceReport(Part):
    """Mitigations of one model."""

    version: Literal[1] = 1
    name: str
    plan: dict[str, Any]
    tried: list[str]  # as given
    fpr: float | None  # at which the sentences and the frontier give the true-positive rate; None: they give the AUC
    confidence: float
    compared: int  # mitigations that share the error rate of a false "better"
    members: int
    nonmembers: int
    classes: int
    data: str
    view: Literal["adversary", "auditor"]
    shadows: int
    exposed: ExposedRows | None
    results: list[MitigationResult]  # the first is the plain model
    searches: list[Search] = Field(default_factory=list)
    advice: Advice
    provenance: Provenance
