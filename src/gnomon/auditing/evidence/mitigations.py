"""A plan's mitigations in an audit: trainers that mitigate, answers that are mitigated, and who knows of it.

An attacker who knows the mitigations (the default) trains their shadow models with them, and has each shadow answer
through mitigations that are fitted to that shadow's own rows. With ``shadow.mitigated = false`` they are naive: the
target is mitigated, their shadows are not. White-box attacks look inside the network, behind any mitigation of its
answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.core.arrays import Floats, Ints, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.data.features import FeatureSpace
from gnomon.core.documents.record import MitigationFacts
from gnomon.core.errors import UsageError
from gnomon.core.mitigations import (
    AnswerMitigation,
    InOrder,
    Known,
    Mitigation,
    Reference,
    TrainingMitigation,
    fit_in_order,
)
from gnomon.core.plan import ShadowPlan
from gnomon.core.protocols import Model, Trainer
from gnomon.core.seeds import Seeds
from gnomon.mitigations import apply_in_training, make_mitigation
from gnomon.models.observations import RandomRecords, draw_records
from gnomon.models.target import MitigatedModel, ask
from gnomon.shadow.mitigated import Owner, let_through

RANDOM_RECORDS = 1000
IN_TRAINING = "in training"  # of facts that belong to no mitigation, or to several


@dataclass(frozen=True)
class Mitigations:
    """What a plan names, by what it acts on, each in the plan's order."""

    in_training: tuple[TrainingMitigation, ...] = ()
    of_answers: tuple[AnswerMitigation, ...] = ()

    @property
    def named(self) -> tuple[Mitigation, ...]:
        """All of them, those in training first."""
        return (*self.in_training, *self.of_answers)

    def __bool__(self) -> bool:
        return bool(self.named)


def read_mitigations(
    names: Sequence[str],
    reference_size: int | None,
    foreign: Mapping[str, AnswerMitigation | TrainingMitigation] = MappingProxyType({}),
) -> Mitigations:
    """The mitigations of these names.

    Args:
        names: as a plan has them.
        reference_size: rows that are held out for them.
        foreign: those of other packages, by what the plan has for them.

    Raises:
        UsageError: no such mitigation, a strength that it can't have, or rows set aside are needed and there are none.
    """
    made = [foreign[text] if text in foreign else make_mitigation(text) for text in names]
    for mitigation in made:
        if "reference" in mitigation.needs and reference_size is None:
            raise UsageError(f'mitigation "{mitigation.label}" needs rows that are held out: give data.reference_size')
    return Mitigations(
        tuple(m for m in made if m.acts_on == "training"),  # type: ignore[misc] # acts_on tells the two apart
        tuple(m for m in made if m.acts_on == "answers"),  # type: ignore[misc]
    )


def mitigate_training(inputs: AuditInputs, mitigations: Mitigations, roles: Roles, *, shadows: bool) -> AuditInputs:
    """The inputs with trainers that mitigate: the target's, and with ``shadows`` the attacker's, who knows of it.

    Raises:
        UsageError: the target is given, or nobody knows its recipe, or the trainer can't do what is asked, or answers
            of so many classes can't be mitigated so.
    """
    c = inputs.data.n_classes
    for simple in mitigations.of_answers:
        if not simple.needs:  # fitted to nothing, so a strength that can't be is refused before anything is trained
            simple.fit(_nothing_known(c), c, 0)
    if not mitigations.in_training:
        return inputs
    names = ", ".join(f'"{m.label}"' for m in mitigations.in_training)
    if inputs.model is not None or inputs.answers is not None or inputs.trainer is None:
        raise UsageError(
            f"mitigations: {names} act in training, but the target is not trained here; set target.train_again to "
            "audit what its recipe makes with them, or name mitigations of answers"
        )
    x, y = inputs.data.x, inputs.data.y
    reference = Reference(take_rows(x, roles.reference), y[roles.reference]) if len(roles.reference) else None

    def mitigated(trainer: Trainer) -> Trainer:
        for mitigation in mitigations.in_training:
            trainer = apply_in_training(mitigation, trainer, reference)
        return trainer

    own = mitigated(inputs.trainer)
    if not shadows or inputs.shadow_trainer is None:
        return replace(inputs, trainer=own)
    same = inputs.shadow_trainer is inputs.trainer
    return replace(inputs, trainer=own, shadow_trainer=own if same else mitigated(inputs.shadow_trainer))


def _nothing_known(n_classes: int) -> Known:
    answers, labels = np.empty((0, n_classes), np.float32), np.empty(0, np.int64)
    return Known(answers, labels, answers, labels, answers)


def random_records(
    mitigations: Mitigations, features: FeatureSpace, reference_size: int | None, seeds: Seeds
) -> RandomRecords | None:
    """Records that all models are asked for mitigations that need such answers.

    With ``data.reference_size`` they are asked in any case: audits that try several mitigations then share all models.
    """
    needed = any("random" in mitigation.needs for mitigation in mitigations.of_answers)
    if not needed and reference_size is None:
        return None
    return draw_records(features, RANDOM_RECORDS, seeds.child("mitigation", "random").generator())


def make_owner(data: Dataset, roles: Roles, asked: Ints) -> Owner:
    """What the owners of target and shadows have in common: the rows set aside."""
    return Owner(data.y[asked], data.n_classes, np.searchsorted(asked, roles.reference).astype(np.int64))


def mitigate_model(
    model: Model, mitigations: Mitigations, data: Dataset, roles: Roles, random: RandomRecords | None, seeds: Seeds
) -> Model:
    """A target that can be asked, behind the mitigations of its answers; itself if there are none."""
    if not mitigations.of_answers:
        return model
    known = _nothing_known(data.n_classes)
    if any(m.needs for m in mitigations.of_answers):
        rows = [roles.train, roles.reference]
        sides = [ask(model, take_rows(data.x, r), classes=data.n_classes, source="target") for r in rows]
        others = known.random if random is None else random.of(model)
        known = Known(sides[0], data.y[rows[0]], sides[1], data.y[rows[1]], others)
    return MitigatedModel(model, fit_in_order(mitigations.of_answers, known, data.n_classes, _seed(seeds)))


def mitigate_answers(answers: Floats, mitigations: Mitigations, owner: Owner, members: Ints, seeds: Seeds) -> Floats:
    """Given answers (a, c) of a target that can't be asked, behind the mitigations; rows without an answer stay so.

    Raises:
        UsageError: a mitigation needs answers to random records.
    """
    for mitigation in mitigations.of_answers:
        if "random" in mitigation.needs:
            raise UsageError(
                f'mitigation "{mitigation.label}" queries the target: give the model, not only its answers'
            )
    if not mitigations.of_answers:
        return answers
    fitted: InOrder = fit_in_order(mitigations.of_answers, owner.known(answers, members), owner.n_classes, _seed(seeds))
    there = ~np.isnan(answers).any(axis=1)
    shown = answers.copy()
    shown[there] = let_through(fitted, answers[there])
    return shown


def _seed(seeds: Seeds) -> int:
    return seeds.child("target").integer()


def mitigation_facts(mitigations: Mitigations, facts: Mapping[str, Any]) -> list[MitigationFacts]:
    """What a record says of the mitigations, and what the trained target says of itself.

    Facts under a mitigation's own name are its own; all others belong to the mitigation in training if there is just
    one, and otherwise to the training as a whole.
    """
    rest = {name: value for name, value in facts.items() if name not in {m.name for m in mitigations.in_training}}
    alone = len(mitigations.in_training) == 1
    found = []
    for mitigation in mitigations.named:
        own = facts.get(mitigation.name, {}) if mitigation.acts_on == "training" else {}
        given = {**(rest if alone and mitigation.acts_on == "training" else {}), **own}
        found.append(_facts(mitigation.label, mitigation.title, mitigation.paper, mitigation.acts_on, given))
    if rest and not alone:
        found.insert(0, _facts(IN_TRAINING, "The target's training", "", "training", rest))
    return found


def _facts(label: str, title: str, paper: str, acts_on: Any, given: Mapping[str, Any]) -> MitigationFacts:
    curves = {name: [float(v) for v in value] for name, value in given.items() if _is_curve(value)}
    return MitigationFacts(
        label=label,
        title=title,
        paper=paper,
        acts_on=acts_on,
        facts={name: value for name, value in given.items() if name not in curves},
        curves=curves,
    )


def _is_curve(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) > 1 and all(isinstance(v, (int, float)) for v in value)


def mitigation_sentences(mitigations: Mitigations, shadow: ShadowPlan) -> list[str]:
    """The mitigations in a threat model's words; nothing without any."""
    if not mitigations:
        return []
    parts = (("trained", mitigations.in_training), ("answering", mitigations.of_answers))
    words = [f"{how} with {_listed(named)}" for how, named in parts if named]
    sentence = f"The model is mitigated: {' and '.join(words)}."
    if shadow.count == 0:
        return [sentence]
    if shadow.mitigated:
        return [sentence, "The attacker knows that, and mitigates each of their shadow models in the same way."]
    return [sentence, "The attacker does not know that (naive): their shadow models are not mitigated."]


def _listed(named: Sequence[Mitigation]) -> str:
    return ", ".join(f"{m.title} ({m.label})" for m in named)
