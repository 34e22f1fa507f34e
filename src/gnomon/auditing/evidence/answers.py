"""A world: the target's and the shadows' answers for one source of shadow rows, put together as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gnomon.auditing.evidence.assemble import (
    Case,
    TargetAnswers,
    asked_rows,
    assemble,
    found_by_pool,
    model_facts,
    shadow_facts,
)
from gnomon.auditing.evidence.augmented import AskedAugmentation, ask_given, asked_augmentations, count_queries
from gnomon.auditing.evidence.mitigations import (
    Mitigations,
    make_owner,
    mitigate_answers,
    mitigate_model,
    random_records,
)
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import POOL_PER_SHADOW, shadow_size
from gnomon.auditing.inputs.shadow_rows import ShadowData
from gnomon.auditing.progress import Progress
from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats, Ints, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.data.labels import unknown_label
from gnomon.core.documents.record import ModelFacts, ShadowFacts
from gnomon.core.errors import DataError, PlanError
from gnomon.core.plan import Plan
from gnomon.core.protocols import Model, Observation
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine
from gnomon.models import NETWORK_TRAINERS
from gnomon.models.mitigated import MitigatedModel, RandomRecords, ask
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import Target
from gnomon.shadow.masks import ShadowRows, draw_shadows
from gnomon.shadow.mitigated import mitigate_pool
from gnomon.shadow.pool import PoolAnswers, ShadowPool
from gnomon.store.arrays import ArrayStore


@dataclass(frozen=True)
class AuditContext:
    """What all worlds of an audit share."""

    plan: Plan
    subject: AuditInputs
    store: ArrayStore
    engine: Engine
    progress: Progress
    seeds: Seeds
    reveal: Reveal
    mitigations: Mitigations = field(default_factory=Mitigations)
    observations: tuple[Observation, ...] = ()  # what attackers see of target and shadows beside their answers


@dataclass(frozen=True)
class QueryPlan:
    """What all models are asked, and what is kept of them.

    Attributes:
        asked: (a,) positions of rows, sorted.
        versions: of each of these rows.
        random: records that nobody holds, for mitigations; None where they are not needed.
        others: what attackers see beside answers.
    """

    asked: Ints
    versions: tuple[AskedAugmentation, ...]
    random: RandomRecords | None
    others: tuple[Observation, ...]

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Everything that is kept of a model beside its answers on the rows."""
        return (*self.versions, *(() if self.random is None else (self.random,)), *self.others)


@dataclass(frozen=True)
class AnswerSet:
    """The evidence of one source of shadow rows, and what the owner knows beside it."""

    case: Case
    target: ModelFacts
    target_answers: Floats  # (n, c) full answers on the audited rows, in the case's order
    shadows: ShadowFacts | None
    losses: tuple[float, float] | None  # the shadows' mean training and test loss
    asking: QueryPlan
    pool: tuple[ShadowRows, PoolAnswers] | None  # the shadows' rows and their answers on them
    queries: int = 0  # what the versions cost
    said: Mapping[str, Any] = field(default_factory=dict)  # what a target that was trained here says of itself


def build_answers(rows: ShadowData, model: Model | None, query: Target | None, setting: AuditContext) -> AnswerSet:
    """Trains what is missing, asks everybody, and puts the evidence together.

    Args:
        rows: the data set with the attacker's rows, and the roles.
        model: the target if there is one to ask; None: its answers are given, or it is trained with the shadows.
        query: for further queries.
        setting: plan, subject, store, engine.
    """
    plan, subject, seeds = setting.plan, setting.subject, setting.seeds
    data, roles = rows.data, rows.roles
    drawn = None
    size = shadow_size(roles, plan)
    if rows.facts.source != "real":  # classes that could not be made leave fewer rows than were asked for
        size = min(size, max(1, int(len(roles.pool) / POOL_PER_SHADOW)))
    if plan.shadow.count > 0 and subject.shadow_trainer is not None:
        whole = data.groups[roles.pool] if plan.data.split_by_group and data.groups is not None else None
        drawn = draw_shadows(roles.pool, plan.shadow.count, size, seeds.child("shadow", "rows").generator(), whole)
    random = random_records(setting.mitigations, data.features, plan, seeds)
    asking = QueryPlan(asked_rows(roles), asked_augmentations(plan, data, seeds), random, setting.observations)
    queries = count_queries(asking.versions, roles, plan, query)
    target, shadows = _answers(rows, asking, drawn, model, setting)
    case = assemble(
        data,
        roles,
        asking.asked,
        target,
        shadows,
        reveal=setting.reveal,
        query=query,
        seeds=seeds,
        versions=[v.name for v in asking.versions],
    )
    own = target.answers[np.searchsorted(asking.asked, case.audited)]
    facts = model_facts(own, case.evidence.labels, case.member, len(roles.train), case.evidence.answers)
    if shadows is None:
        return AnswerSet(case, facts, own, None, None, asking, None, queries, target.said)
    pool_facts, losses = shadow_facts(data, asking.asked, shadows, rows.facts.source, _stack_note(subject, data))
    return AnswerSet(case, facts, own, pool_facts, losses, asking, shadows, queries, target.said)


def train_target(data: Dataset, roles: Roles, setting: AuditContext) -> Model:
    """The target that the pool would train, as a model that can be asked; same rows, same seed."""
    trainer = setting.subject.trainer
    if trainer is None:
        raise PlanError("nothing to query: give a model, or a recipe in [trainer]")
    seed = setting.seeds.child("target").integer()
    return trainer.train(data.x, data.y, data.n_classes, [roles.train], [seed])[0]


def make_target(model: Model | None, data: Dataset, roles: Roles, setting: AuditContext) -> Target | None:
    """The target as an attacker may ask it: behind its mitigations, revealing what it reveals, counted."""
    if model is None:
        return None
    random = random_records(setting.mitigations, data.features, setting.plan, setting.seeds)
    shown = mitigate_model(model, setting.mitigations, data, roles, random, setting.seeds)
    return Target(shown, setting.reveal, setting.plan.target.query_budget)


def _answers(
    rows: ShadowData, asking: QueryPlan, drawn: ShadowRows | None, model: Model | None, setting: AuditContext
) -> tuple[TargetAnswers, tuple[ShadowRows, PoolAnswers] | None]:
    """What is seen of the target and of the shadows; a target of the shadows' recipe is trained in one go with them."""
    subject, seeds = setting.subject, setting.seeds
    data, trainer, recipe = rows.data, subject.trainer, subject.shadow_trainer
    parts = [] if drawn is None else drawn.train
    shadow_seeds = [seeds.child("shadow", i).integer() for i in range(len(parts))]
    given = _given(rows, asking, model, setting)
    if given is None and trainer is None:
        raise PlanError("nothing to audit: give a model, its answers, or a recipe in [trainer]")
    can_be_asked = subject.model is None and model is not None  # trained here twice: to be asked, and observed
    own = [] if given is not None and not (can_be_asked and asking.others) else [rows.roles.train]
    own_seeds = [seeds.child("target").integer()] * len(own)
    advance = setting.progress.stage("models", len(own) + len(parts))
    asked, kept = asking.asked, asking.observations
    if own and trainer is not None and recipe is not trainer:
        pool = ShadowPool(setting.store, setting.engine, trainer)
        alone = apply_output_mitigations(
            pool.answers(data, own, asked, own_seeds, advance, kept), own, own_seeds, rows, asking, setting
        )
        given = _same_answers(found_by_pool(alone, 0), given)
        own, own_seeds = [], []
    found = None
    if recipe is not None and (own or parts):
        pool = ShadowPool(setting.store, setting.engine, recipe)
        found = pool.answers(data, [*own, *parts], asked, [*own_seeds, *shadow_seeds], advance, kept)
        if own:
            first = apply_output_mitigations(found.first(1), own, own_seeds, rows, asking, setting)
            given = _same_answers(found_by_pool(first, 0), given)
        found = found.after(len(own))
        known = setting.plan.shadow.mitigated
        found = (
            apply_output_mitigations(found, parts, shadow_seeds, rows, asking, setting)
            if known
            else _forget_random(found)
        )
    assert given is not None
    return given, None if drawn is None or found is None else (drawn, found)


def apply_output_mitigations(
    found: PoolAnswers,
    trained: Sequence[Ints],
    seeds: Sequence[int],
    rows: ShadowData,
    asking: QueryPlan,
    setting: AuditContext,
) -> PoolAnswers:
    """Models' answers behind the mitigations of answers, which are fitted to each model's own rows.

    Args:
        found: the models' own answers.
        trained: the rows that each was trained on.
        seeds: of each.
        rows: the data set with the attacker's rows, and the roles.
        asking: what all models were asked.
        setting: the mitigations, store and engine.
    """
    of_answers = setting.mitigations.of_answers
    if not of_answers or not found.answers:
        return _forget_random(found)
    advance = setting.progress.stage("mitigations", len(found.answers))
    members = [np.searchsorted(asking.asked, part).astype(np.int64) for part in trained]
    owner = replace(
        make_owner(rows.data, rows.roles, asking.asked),
        versions=tuple(version.name for version in asking.versions),
        random=None if asking.random is None else asking.random.name,
    )
    store, engine = setting.store, setting.engine
    return _forget_random(mitigate_pool(found, of_answers, owner, members, seeds, store, engine, advance))


def _forget_random(found: PoolAnswers) -> PoolAnswers:
    """Without the answers to random records, which are there for owners and no attacker sees."""
    return replace(found, observed={n: each for n, each in found.observed.items() if n != RandomRecords.name})


def _same_answers(found: TargetAnswers, given: TargetAnswers | None) -> TargetAnswers:
    """What the pool saw of the target; where it can be asked, its answers are those that it gives when it is asked."""
    return found if given is None else replace(given, observed={**found.observed, **given.observed})


def _given(rows: ShadowData, asking: QueryPlan, model: Model | None, setting: AuditContext) -> TargetAnswers | None:
    """What is seen of a target that can be asked, or whose answers are given."""
    data, roles, subject, asked = rows.data, rows.roles, setting.subject, asking.asked
    if subject.answers is not None:
        if asking.versions:
            raise PlanError("attacks.queries queries the target with changed records: give the model itself")
        owner, members = make_owner(data, roles, asked), np.searchsorted(asked, roles.train)
        return TargetAnswers(
            mitigate_answers(subject.answers[asked], setting.mitigations, owner, members, setting.seeds)
        )
    if model is None:
        return None
    inner = model.model if isinstance(model, MitigatedModel) else model
    if isinstance(inner, SklearnModel):
        _check_known_labels(inner, data)
    x, labels = take_rows(data.x, asked), data.y[asked]
    answers = ask(model, x, classes=data.n_classes, source="target")
    observed = {v.name: ask_given(model, data, roles, asked, v) for v in asking.versions}
    if subject.model is not None:
        observed |= {o.name: o.of(inner, x, labels) for o in asking.others}  # who sees these sees the model itself
    return TargetAnswers(answers, observed, getattr(inner, "facts", {}))


def _check_known_labels(model: SklearnModel, data: Dataset) -> None:
    strange = np.setdiff1d(data.y, model.columns)
    if len(strange):
        row = int(np.isin(data.y, strange).argmax())
        known = [data.classes[c] for c in model.columns]
        raise DataError(unknown_label(data.name, data.ids[row], data.classes[data.y[row]], known))


def _stack_note(subject: AuditInputs, data: Dataset) -> str | None:
    trainer = subject.shadow_trainer
    return trainer.stacking(data.x, data.n_classes).reason if isinstance(trainer, NETWORK_TRAINERS) else None
