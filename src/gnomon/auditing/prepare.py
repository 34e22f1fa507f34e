"""What an audit, `gnomon synth` and `gnomon defend --apply` share: a plan in which nothing is left to decide.

All three must meet the very same target: same rows, same seeds, same mitigations. So who is who, the recipes and what
attacks may see are settled here, once, before anything is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gnomon.auditing.evidence.access import needs_of, observations_for, queried_rows, refuse
from gnomon.auditing.evidence.mitigations import (
    Mitigations,
    mitigate_model,
    mitigate_training,
    random_records,
    read_mitigations,
)
from gnomon.auditing.inputs.given_answers import revealed_by
from gnomon.auditing.inputs.loading import AuditInputs, load_inputs
from gnomon.auditing.inputs.roles import Parted, RowSplit, draw_roles, draw_training_rows, drop_overlap
from gnomon.auditing.settings import NOTHING, Noting, Progress, Silent, Trust
from gnomon.core.answers import Reveal
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Finding
from gnomon.core.errors import PlanError, UsageError
from gnomon.core.evidence import Need
from gnomon.core.plan import Plan
from gnomon.core.protocols import Attack, Model, ModelAbilities, Observation, Told, Trainer, TrainerAbilities
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine, LocalEngine, one_thread
from gnomon.models.observations import RandomRecords
from gnomon.models.target import Target, parse_reveal
from gnomon.store.arrays import ArrayStore


@dataclass(frozen=True)
class Prepared:
    """A plan that is ready to be carried out.

    Attributes:
        plan: as it was given.
        inputs: what is audited, with trainers that mitigate where the plan says so.
        split: members, non-members and further rows before roles were drawn.
        left_out: rows that are not audited because they stand on both sides; None where none are.
        roles: who is who.
        mitigations: those of the plan.
        random: records that nobody holds, for mitigations that need answers to such; None where they are not needed.
        attacks: those that the plan names, or all.
        refused: attacks that the plan lets neither query nor look inside: name -> why.
        needs: what the other attacks read.
        observations: what attackers see of target and shadow models next to their answers.
        reveal: what the target reveals of an answer.
        seeds: the root of all random streams.
        store: where models' answers are kept.
        engine: where models are trained.
        progress: who is told.
    """

    plan: Plan
    inputs: AuditInputs
    split: RowSplit
    left_out: Finding | None
    roles: Roles
    mitigations: Mitigations
    random: RandomRecords | None
    attacks: tuple[Attack, ...]
    refused: Mapping[str, str]
    needs: frozenset[Need]
    observations: tuple[Observation, ...]
    reveal: Reveal
    seeds: Seeds
    store: ArrayStore
    engine: Engine
    progress: Progress

    @property
    def data(self) -> Dataset:
        """All rows."""
        return self.inputs.data


def prepare(
    plan: Plan, inputs: AuditInputs, store: ArrayStore, engine: Engine | None = None, progress: Progress | None = None
) -> Prepared:
    """Settles everything that a plan leaves open; trains and queries nothing.

    Args:
        plan: what to do.
        inputs: what to do it to.
        store: where models' answers are kept.
        engine: where models are trained; by default one process a core.
        progress: who is told.

    Raises:
        UsageError: rows that do not suffice, or a mitigation that can't be put on this target.
        GnomonError: other bad input, in one line.
    """
    if plan.target.reveals == "full":
        plan = plan.model_copy(update={"target": plan.target.model_copy(update={"reveals": _revealed(inputs)})})
    told = progress or Silent()
    inputs = _remembering(inputs, store.root, told)
    data, seeds, reveal = inputs.data, Seeds(plan.seed), _reveal(plan.target.reveals, inputs)
    mitigations = read_mitigations(plan.mitigations, plan.data.reference_size, inputs.plugins.mitigations)
    attacks = inputs.plugins.selected(plan.attacks)
    if reveal.kind == "labels" and not mitigations.of_answers:
        inputs = _deciding(inputs)
    split = inputs.parts or draw_training_rows(len(data), plan.data, seeds, data.groups)
    parted = drop_overlap(split, data, own_ids=inputs.own_ids) if plan.data.drop_overlap else Parted(split, 0, 0)
    split = parted.split
    roles = draw_roles(split, plan, seeds, data.groups)
    inputs = mitigate_training(inputs, mitigations, roles, shadows=plan.shadow.mitigated)
    refused = refuse(attacks, plan.attacks, plan.target, plan.view, inputs)
    needs = needs_of(attacks, refused)
    return Prepared(
        plan=plan,
        inputs=inputs,
        split=split,
        left_out=parted.finding,
        roles=roles,
        mitigations=mitigations,
        random=random_records(mitigations, data.features, plan.data.reference_size, seeds),
        attacks=attacks,
        refused=refused,
        needs=needs,
        observations=observations_for(needs, plan.target, inputs, with_shadows=plan.shadow.count > 0),
        reveal=reveal,
        seeds=seeds,
        store=store,
        engine=engine or LocalEngine(),
        progress=told,
    )


def _reveal(said: str, inputs: AuditInputs) -> Reveal:
    return replace(parse_reveal(said), margins=inputs.gives == "margins")


def _revealed(inputs: AuditInputs) -> str:
    """What the target's answers show, where the plan leaves it open."""
    shown = ModelAbilities.of(inputs.model).shown
    if inputs.tables:
        return revealed_by(inputs.tables)
    if shown is not None:
        return shown.reveals
    return "labels" if inputs.gives == "labels" else "full"


def _deciding(inputs: AuditInputs) -> AuditInputs:
    """The inputs with models whose labels follow a rule of their own (a threshold), where they have one."""
    trainer = TrainerAbilities.of(inputs.trainer).deciding() or inputs.trainer
    guessed = TrainerAbilities.of(inputs.shadow_trainer).deciding() or inputs.shadow_trainer
    return replace(
        inputs,
        model=ModelAbilities.of(inputs.model).deciding() or inputs.model,
        trainer=trainer,
        shadow_trainer=trainer if inputs.shadow_trainer is inputs.trainer else guessed,
    )


def _remembering(inputs: AuditInputs, folder: Path, told: Progress) -> AuditInputs:
    """The inputs whose model and trainers keep in a folder what costs something elsewhere."""
    notes = Told(told.stage, told.note) if isinstance(told, Noting) else Told(told.stage)
    model = ModelAbilities.of(inputs.model).remembering(folder, notes) or inputs.model
    trainer = TrainerAbilities.of(inputs.trainer).remembering(folder) or inputs.trainer
    shadow_trainer = trainer
    if inputs.shadow_trainer is not inputs.trainer:
        shadow_trainer = TrainerAbilities.of(inputs.shadow_trainer).remembering(folder) or inputs.shadow_trainer
    return replace(inputs, model=model, trainer=trainer, shadow_trainer=shadow_trainer)


def train_target(prepared: Prepared) -> Model:
    """The target that the shadow pool would train, as a model that can be queried; same rows, same seed."""
    trainer, data = prepared.inputs.trainer, prepared.data
    if trainer is None:
        raise PlanError("nothing to query: give a model, or a recipe in [trainer]")
    seed = prepared.seeds.child("target").integer()
    return trainer.train(data.x, data.y, data.n_classes, [prepared.roles.train], [seed])[0]


def mitigated_target(model: Model, prepared: Prepared) -> Model:
    """The target behind the mitigations of its answers, which are fitted to what its owner holds."""
    return mitigate_model(model, prepared.mitigations, prepared.data, prepared.roles, prepared.random, prepared.seeds)


def make_target(model: Model | None, prepared: Prepared) -> Target | None:
    """The target as an attacker may query it: behind its mitigations, revealing what it reveals, counted."""
    if model is None:
        return None
    plan, budget = prepared.plan.target, prepared.plan.target.query_budget
    if budget is not None and plan.endpoint is not None:  # there it holds for the audited records as well
        budget = max(0, budget - len(queried_rows(prepared.roles)) - plan.requests.twice)
    return Target(mitigated_target(model, prepared), prepared.reveal, budget)


def find_model(prepared: Prepared, *, needed: bool) -> Model | None:
    """The target that was given, or else, if it is needed, the one that is trained here; None if there is neither."""
    inputs = prepared.inputs
    if inputs.model is not None or inputs.answers is not None or not needed:
        return inputs.model
    return train_target(prepared)


@dataclass(frozen=True)
class Owned:
    """The model of a plan as its owner has it, not yet queried by anybody.

    Attributes:
        prepared: the rows, the roles and the mitigations.
        plain: the model that was given, or trained with the mitigations in training.
        model: the same behind the mitigations of its answers.
    """

    prepared: Prepared
    plain: Model
    model: Model

    @property
    def trainer(self) -> Trainer | None:
        """What it was trained by; None for a model that was given."""
        return self.prepared.inputs.trainer if self.prepared.inputs.model is None else None


def make_owned(
    plan: Plan,
    trusted: Trust = NOTHING,
    *,
    progress: Progress | None = None,
) -> Owned:
    """The very model that an audit of this plan attacks.

    Args:
        plan: with its mitigations.
        trusted: what the user trusts.
        progress: who is told.

    Raises:
        UsageError: only answers of the model are given, or a mitigation that can't be put on it.
        GnomonError: bad input, in one line.
    """
    told = progress or Silent()
    if plan.target.endpoint is not None:
        raise UsageError("a mitigation needs the model itself, but the plan gives an endpoint, which can't be changed")
    with one_thread():  # as in the audit, whose target must come out the same
        inputs = load_inputs(plan, trusted)
        if inputs.answers is not None:
            raise UsageError("a mitigation needs the model itself, but the plan gives only its answers")
        prepared = prepare(plan, inputs, ArrayStore(Path()), LocalEngine(1), told)
        advance = told.stage("target", 1)
        plain = inputs.model if inputs.model is not None else train_target(prepared)
        advance(1)
        return Owned(prepared, plain, mitigated_target(plain, prepared))
