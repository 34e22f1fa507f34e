"""A world: the target's and the shadows' answers for one source of shadow rows, put together as evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.auditing.assemble import Case, Seen, asked_rows, assemble, found_by_pool, model_facts, shadow_facts
from gnomon.auditing.progress import Progress
from gnomon.auditing.roles import POOL_PER_SHADOW, shadow_size
from gnomon.auditing.shadow_data import ShadowData
from gnomon.auditing.subject import Subject
from gnomon.auditing.versions import AskedVersion, ask_given, asked_versions, count_queries
from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats, Ints, check_log_probs, take_rows
from gnomon.core.data import Dataset, Roles
from gnomon.core.errors import DataError, PlanError
from gnomon.core.plan import Plan
from gnomon.core.protocols import Model, Observation
from gnomon.core.record import ModelFacts, ShadowFacts
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import Target
from gnomon.models.torch_dp import DPTrainer
from gnomon.models.torch_trainer import TorchTrainer
from gnomon.shadow.masks import ShadowRows, draw_shadows
from gnomon.shadow.pool import PoolAnswers, ShadowPool
from gnomon.store.arrays import ArrayStore


@dataclass(frozen=True)
class Setting:
    """What all worlds of an audit share."""

    plan: Plan
    subject: Subject
    store: ArrayStore
    engine: Engine
    progress: Progress
    seeds: Seeds
    reveal: Reveal
    observations: tuple[Observation, ...] = ()  # what attackers see of target and shadows beside their answers


@dataclass(frozen=True)
class World:
    """The evidence of one source of shadow rows, and what the owner knows beside it."""

    case: Case
    target: ModelFacts
    target_answers: Floats  # (n, c) full answers on the audited rows, in the case's order
    shadows: ShadowFacts | None
    losses: tuple[float, float] | None  # the shadows' mean training and test loss
    asked: Ints  # (a,) positions of the rows that all models were asked, sorted
    pool: tuple[ShadowRows, PoolAnswers] | None  # the shadows' rows and their answers on them
    versions: tuple[AskedVersion, ...] = ()  # of each record, that all models were also asked
    queries: int = 0  # what the versions cost
    observations: tuple[Observation, ...] = ()  # what is kept of every model beside its answers, versions included


def build_world(rows: ShadowData, model: Model | None, query: Target | None, setting: Setting) -> World:
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
    asked, versions = asked_rows(roles), asked_versions(plan, data, seeds)
    queries = count_queries(versions, roles, plan, query)
    target, shadows = _answers(rows, asked, drawn, model, setting, versions)
    case = assemble(
        data,
        roles,
        asked,
        target,
        shadows,
        reveal=setting.reveal,
        query=query,
        seeds=seeds,
        versions=[v.name for v in versions],
    )
    own = target.answers[np.searchsorted(asked, case.audited)]
    facts = model_facts(own, case.evidence.labels, case.member, len(roles.train), case.evidence.answers)
    kept = (*versions, *setting.observations)
    if shadows is None:
        return World(case, facts, own, None, None, asked, None, versions, queries, kept)
    pool_facts, losses = shadow_facts(data, asked, shadows, rows.facts.source, _stack_note(subject, data))
    return World(case, facts, own, pool_facts, losses, asked, shadows, versions, queries, kept)


def train_target(data: Dataset, roles: Roles, setting: Setting) -> Model:
    """The target that the pool would train, as a model that can be asked; same rows, same seed."""
    trainer = setting.subject.trainer
    if trainer is None:
        raise PlanError("nothing to ask: give a model, or a recipe in [trainer]")
    seed = setting.seeds.child("target").integer()
    return trainer.train(data.x, data.y, data.n_classes, [roles.train], [seed])[0]


def _answers(
    rows: ShadowData,
    asked: Ints,
    drawn: ShadowRows | None,
    model: Model | None,
    setting: Setting,
    versions: tuple[AskedVersion, ...],
) -> tuple[Seen, tuple[ShadowRows, PoolAnswers] | None]:
    """What is seen of the target and of the shadows; a target of the shadows' recipe is trained in one go with them."""
    subject, seeds = setting.subject, setting.seeds
    data, trainer, recipe = rows.data, subject.trainer, subject.shadow_trainer
    parts = [] if drawn is None else drawn.train
    shadow_seeds = [seeds.child("shadow", i).integer() for i in range(len(parts))]
    given, kept = _given(rows, asked, model, setting, versions), (*versions, *setting.observations)
    if given is None and trainer is None:
        raise PlanError("nothing to audit: give a model, its answers, or a recipe in [trainer]")
    can_be_asked = subject.model is None and model is not None  # trained here twice: to be asked, and observed
    own = [] if given is not None and not (can_be_asked and setting.observations) else [rows.roles.train]
    own_seeds = [seeds.child("target").integer()] * len(own)
    advance = setting.progress.stage("models", len(own) + len(parts))
    if own and trainer is not None and recipe is not trainer:
        pool = ShadowPool(setting.store, setting.engine, trainer)
        given = _same_answers(found_by_pool(pool.answers(data, own, asked, own_seeds, advance, kept), 0), given)
        own, own_seeds = [], []
    found = None
    if recipe is not None and (own or parts):
        pool = ShadowPool(setting.store, setting.engine, recipe)
        found = pool.answers(data, [*own, *parts], asked, [*own_seeds, *shadow_seeds], advance, kept)
        if own:
            given = _same_answers(found_by_pool(found, 0), given)
    assert given is not None
    return given, None if drawn is None or found is None else (drawn, found.after(len(own)))


def _same_answers(found: Seen, given: Seen | None) -> Seen:
    """What the pool saw of the target; where it can be asked, its answers are those that it gives when it is asked."""
    return found if given is None else Seen(given.answers, {**found.observed, **given.observed})


def _given(
    rows: ShadowData, asked: Ints, model: Model | None, setting: Setting, versions: tuple[AskedVersion, ...]
) -> Seen | None:
    """What is seen of a target that can be asked, or whose answers are given."""
    data, subject = rows.data, setting.subject
    if subject.answers is not None:
        if versions:
            raise PlanError("attacks.queries asks the target about versions of the records: give the model itself")
        return Seen(subject.answers[asked])
    if model is None:
        return None
    if isinstance(model, SklearnModel):
        _check_known_labels(model, data)
    x, labels = take_rows(data.x, asked), data.y[asked]
    answers = check_log_probs(model.log_probs(x), rows=len(asked), classes=data.n_classes, source="target")
    observed = {v.name: ask_given(model, data, rows.roles, asked, v) for v in versions}
    if subject.model is not None:
        observed |= {o.name: o.of(model, x, labels) for o in setting.observations}
    return Seen(answers, observed)


def _check_known_labels(model: SklearnModel, data: Dataset) -> None:
    strange = np.setdiff1d(data.y, model.columns)
    if len(strange):
        row = int(np.isin(data.y, strange).argmax())
        known = ", ".join(data.classes[c] for c in model.columns[:8])
        raise DataError(
            f'{data.name}: row {data.ids[row]} has the label "{data.classes[data.y[row]]}", which the model does not '
            f"know (it knows {known}); correct the label or drop the row"
        )


def _stack_note(subject: Subject, data: Dataset) -> str | None:
    trainer = subject.shadow_trainer
    return trainer.stacking(data.x, data.n_classes).reason if isinstance(trainer, (TorchTrainer, DPTrainer)) else None
