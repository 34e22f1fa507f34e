"""A world: the target's and the shadows' answers for one source of shadow rows, put together as evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gnomon.auditing.assemble import Case, asked_rows, assemble, model_facts, shadow_facts
from gnomon.auditing.mitigation import Mitigations, make_owner, mitigate_answers, mitigate_model
from gnomon.auditing.progress import Progress
from gnomon.auditing.roles import POOL_PER_SHADOW, shadow_size
from gnomon.auditing.shadow_data import ShadowData
from gnomon.auditing.subject import Subject
from gnomon.core.answers import Reveal
from gnomon.core.arrays import Floats, Ints, take_rows
from gnomon.core.data import Dataset, Roles
from gnomon.core.errors import DataError, PlanError
from gnomon.core.evidence import QueryHandle
from gnomon.core.plan import Plan
from gnomon.core.protocols import Model
from gnomon.core.record import ModelFacts, ShadowFacts
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine
from gnomon.models.mitigated import MitigatedModel, ask
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import Target
from gnomon.models.torch_trainer import TorchTrainer
from gnomon.shadow.masks import ShadowRows, draw_shadows
from gnomon.shadow.mitigated import mitigate_pool
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
    mitigations: Mitigations = field(default_factory=Mitigations)


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
    said: Mapping[str, Any]  # what a target that was trained here says of itself


def build_world(rows: ShadowData, model: Model | None, query: QueryHandle | None, setting: Setting) -> World:
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
    asked = asked_rows(roles)
    own, shadows = _answers(rows, asked, drawn, model, setting)
    answers = own.answers
    case = assemble(data, roles, asked, answers, shadows, reveal=setting.reveal, query=query, seeds=seeds)
    shown = answers[np.searchsorted(asked, case.audited)]
    facts = model_facts(shown, case.evidence.labels, case.member, len(roles.train), case.evidence.answers)
    if shadows is None:
        return World(case, facts, shown, None, None, asked, None, own.said)
    pool_facts, losses = shadow_facts(data, asked, shadows, rows.facts.source, _stack_note(subject, data))
    return World(case, facts, shown, pool_facts, losses, asked, shadows, own.said)


def train_target(data: Dataset, roles: Roles, setting: Setting) -> Model:
    """The target that the pool would train, as a model that can be asked; same rows, same seed."""
    trainer = setting.subject.trainer
    if trainer is None:
        raise PlanError("nothing to ask: give a model, or a recipe in [trainer]")
    seed = setting.seeds.child("target").integer()
    return trainer.train(data.x, data.y, data.n_classes, [roles.train], [seed])[0]


def make_target(model: Model | None, data: Dataset, roles: Roles, setting: Setting) -> Target | None:
    """The target as an attacker may ask it: behind its mitigations, revealing what it reveals, counted."""
    if model is None:
        return None
    shown = mitigate_model(model, setting.mitigations, data, roles, setting.seeds)
    return Target(shown, setting.reveal, setting.plan.target.query_budget)


@dataclass(frozen=True)
class _Own:
    """The target's answers (a, c), behind its mitigations, and what it says of itself if it was trained here."""

    answers: Floats
    said: Mapping[str, Any] = field(default_factory=dict)


def _answers(
    rows: ShadowData, asked: Ints, drawn: ShadowRows | None, model: Model | None, setting: Setting
) -> tuple[_Own, tuple[ShadowRows, PoolAnswers] | None]:
    """The target's answers and the shadows'; a target of the shadows' recipe is trained in one go with them."""
    subject, seeds = setting.subject, setting.seeds
    data, trainer, recipe = rows.data, subject.trainer, subject.shadow_trainer
    parts = [] if drawn is None else drawn.train
    shadow_seeds = [seeds.child("shadow", i).integer() for i in range(len(parts))]
    given = _given(model, rows, asked, setting)
    if given is None and trainer is None:
        raise PlanError("nothing to audit: give a model, its answers, or a recipe in [trainer]")
    own = [] if given is not None else [rows.roles.train]
    own_seeds = [seeds.child("target").integer()] * len(own)
    advance = setting.progress.stage("models", len(own) + len(parts))
    mitigated = setting.plan.shadow.mitigated
    if own and trainer is not None and recipe is not trainer:
        pool = ShadowPool(setting.store, setting.engine, trainer)
        given = _first(behind(pool.answers(data, own, asked, own_seeds, advance), own, own_seeds, rows, asked, setting))
        own, own_seeds = [], []
    found = None
    if recipe is not None and (own or parts):
        pool = ShadowPool(setting.store, setting.engine, recipe)
        found = pool.answers(data, [*own, *parts], asked, [*own_seeds, *shadow_seeds], advance)
        if own:
            given = _first(behind(found.first(1), own, own_seeds, rows, asked, setting))
        found = found.after(len(own))
        found = behind(found, parts, shadow_seeds, rows, asked, setting) if mitigated else found
    assert given is not None
    return given, None if drawn is None or found is None else (drawn, found)


def behind(
    found: PoolAnswers, trained: Sequence[Ints], seeds: Sequence[int], rows: ShadowData, asked: Ints, setting: Setting
) -> PoolAnswers:
    """Models' answers behind the mitigations of answers, which are fitted to each model's own rows.

    Args:
        found: the models' own answers.
        trained: the rows that each was trained on.
        seeds: of each.
        rows: the data set with the attacker's rows, and the roles.
        asked: (a,) positions that all models were asked, sorted.
        setting: the mitigations, store and engine.
    """
    of_answers = setting.mitigations.of_answers
    if not of_answers or not found.answers:
        return found
    advance: Callable[[int], None] = setting.progress.stage("mitigations", len(found.answers))
    members = [np.searchsorted(asked, part).astype(np.int64) for part in trained]
    owner = make_owner(rows.data, rows.roles, asked)
    return mitigate_pool(found, of_answers, owner, members, seeds, setting.store, setting.engine, advance)


def _first(found: PoolAnswers) -> _Own:
    return _Own(np.asarray(found.answers[0]), found.facts[0])


def _given(model: Model | None, rows: ShadowData, asked: Ints, setting: Setting) -> _Own | None:
    """What a target answers that can be asked, or whose answers are given."""
    subject, data = setting.subject, rows.data
    if subject.answers is not None:
        owner, members = make_owner(data, rows.roles, asked), np.searchsorted(asked, rows.roles.train)
        return _Own(mitigate_answers(subject.answers[asked], setting.mitigations, owner, members, setting.seeds))
    if model is None:
        return None
    inner = model.model if isinstance(model, MitigatedModel) else model
    if isinstance(inner, SklearnModel):
        _check_known_labels(inner, data)
    answers = ask(model, take_rows(data.x, asked), classes=data.n_classes, source="target")
    return _Own(answers, getattr(inner, "facts", {}))


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
    return trainer.stacking(data.x, data.n_classes).reason if isinstance(trainer, TorchTrainer) else None
