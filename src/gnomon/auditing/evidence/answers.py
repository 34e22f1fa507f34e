"""Answers of the target and of its shadows, for each source of shadow rows, put together as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gnomon.auditing.evidence.access import ask_given, asked_augmentations, count_queries, queried_rows, wants_model
from gnomon.auditing.evidence.assemble import (
    AuditCase,
    QueryPlan,
    TargetAnswers,
    asked_rows,
    assemble,
    found_by_pool,
    model_facts,
    shadow_facts,
)
from gnomon.auditing.evidence.mitigations import (
    make_owner,
    mitigate_answers,
    mitigate_pool,
)
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import POOL_PER_SHADOW, shadow_size
from gnomon.auditing.prepare import Prepared, ShadowData, find_model, make_rows, make_target, queries_target
from gnomon.core.arrays import Floats, Ints, take_rows
from gnomon.core.data.dataset import Dataset
from gnomon.core.documents.record import Estimate, ModelFacts, ShadowFacts, ShadowSourceFacts
from gnomon.core.errors import PlanError
from gnomon.core.plan import Plan
from gnomon.core.protocols import Model, ModelAbilities, Trainer, TrainerAbilities
from gnomon.models.observations import RandomRecords
from gnomon.models.target import Target, ask
from gnomon.shadow.masks import ShadowRows, TrainedShadows, draw_shadows, repair
from gnomon.shadow.pool import PoolAnswers, ShadowPool

FAILURES_SHOWN = 3
FEW_MIXED = 0.1  # of the persons with several records: rows that are split at random part half of the pairs


@dataclass(frozen=True)
class AnswerSet:
    """The evidence of one source of shadow rows, and what the owner knows next to it.

    Attributes:
        case: the evidence and the truth.
        source: where the shadows' rows come from, and what they cost.
        target: accuracies and losses of the target.
        target_answers: (n, c) its full answers on the audited rows, in the case's order.
        queries: what all models were asked.
        shadows: size and quality of the shadow models; None without any.
        losses: their training and test loss, mean and range.
        pool: the shadows' rows and their answers on them.
        asked: what the versions of the rows cost, in queries to the target.
        said: what a target that was trained here says of itself.
    """

    case: AuditCase
    source: ShadowSourceFacts
    target: ModelFacts
    target_answers: Floats
    queries: QueryPlan
    shadows: ShadowFacts | None = None
    losses: tuple[Estimate, Estimate] | None = None
    pool: tuple[ShadowRows, PoolAnswers] | None = None
    asked: int = 0
    said: Mapping[str, Any] = field(default_factory=dict)


def answer_all(prepared: Prepared) -> tuple[Model | None, list[AnswerSet]]:
    """The target if there is one that can be queried, and the evidence for each source of shadow rows.

    Raises:
        GnomonError: a model that can't be trained or queried, or rows that can't be made.
    """
    sources = prepared.plan.shadow.sources
    wanted = any(queries_target(source) for source in sources)
    model = find_model(prepared, needed=wanted or wants_model(prepared.needs, prepared.inputs.trainer))
    target = make_target(model, prepared)
    found = []
    for source in sources:
        found.append(build_answers(make_rows(source, prepared, target), target, prepared))
    return model, found


def build_answers(rows: ShadowData, target: Target | None, prepared: Prepared) -> AnswerSet:
    """Trains what is missing, queries all models, and puts the evidence together.

    Args:
        rows: the data set with the attacker's rows, and the roles.
        target: if there is one to query; None: its answers are given, or it is trained with the shadows.
        prepared: inputs, plan, store and engine.
    """
    plan, inputs, seeds = prepared.plan, prepared.inputs, prepared.seeds
    data, roles = rows.data, rows.roles
    drawn = None
    size = shadow_size(roles, plan.shadow.size)
    if rows.facts.source != "real":  # classes that could not be made leave fewer rows than were asked for
        size = min(size, max(1, int(len(roles.pool) / POOL_PER_SHADOW)))
    if plan.shadow.count > 0 and inputs.shadow_trainer is not None:
        whole = data.groups[roles.pool] if _whole_groups(rows, plan) and data.groups is not None else None
        drawn = draw_shadows(roles.pool, plan.shadow.count, size, seeds.child("shadow", "rows").generator(), whole)
    versions = asked_augmentations(plan.attacks.queries, data, seeds)
    queries = QueryPlan(asked_rows(roles), versions, prepared.random, prepared.observations)
    asked = count_queries(versions, roles, plan.target.query_budget, target)
    seen, trained = _answers(rows, queries, drawn, None if target is None else target.model, prepared)
    shadows = None if trained is None else (trained.drawn, trained.found)
    case = assemble(data, roles, queries, seen, shadows, reveal=prepared.reveal, query=target, seeds=seeds)
    own = seen.answers[queries.places(case.audited)]
    facts = model_facts(own, case.evidence.labels, case.member, len(roles.train), case.evidence.answers)
    found = AnswerSet(case, rows.facts, facts, own, queries, asked=asked, said=seen.said)
    if shadows is None or trained is None:
        return found
    note = _stack_note(inputs, data)
    pool_facts, losses = shadow_facts(data, queries, shadows, rows.facts.source, note, prepared.reveal)
    pool_facts = pool_facts.model_copy(
        update={
            "redrawn": len(trained.redrawn),
            "left_out": plan.shadow.count - pool_facts.count,
            "failures": list(dict.fromkeys([*trained.redrawn.values(), *trained.left_out.values()]))[:FAILURES_SHOWN],
        }
    )
    return replace(found, shadows=pool_facts, losses=losses, pool=shadows)


def _whole_groups(rows: ShadowData, plan: Plan) -> bool:
    """Whether the target was trained on whole persons: then its shadows are too, or they know those they never saw."""
    groups = rows.data.groups
    if plan.data.split_by_group or groups is None:
        return plan.data.split_by_group
    several = np.unique(groups[rows.roles.audited], return_counts=True)[1] > 1
    return bool(several.any() and rows.roles.mixed(groups)[several].mean() < FEW_MIXED)


def _answers(
    rows: ShadowData, queries: QueryPlan, drawn: ShadowRows | None, model: Model | None, prepared: Prepared
) -> tuple[TargetAnswers, TrainedShadows | None]:
    """What is seen of the target and of the shadows; a target of the shadows' recipe is trained in one go with them."""
    inputs, seeds = prepared.inputs, prepared.seeds
    data, trainer, recipe = rows.data, inputs.trainer, inputs.shadow_trainer
    parts = [] if drawn is None else drawn.train
    shadow_seeds = [seeds.child("shadow", i).integer() for i in range(len(parts))]
    given = _given(rows, queries, model, prepared)
    if given is None and trainer is None:
        raise PlanError("nothing to audit: give a model, its answers, or a recipe in [trainer]")
    trained_twice = inputs.model is None and model is not None  # trained here to be queried, and again to be observed
    own = [] if given is not None and not (trained_twice and queries.others) else [rows.roles.train]
    own_seeds = [seeds.child("target").integer()] * len(own)
    advance = prepared.progress.stage("models", len(own) + len(parts))

    def answers(
        maker: Trainer, trained: Sequence[Ints], of: Sequence[int], may_fail: Sequence[bool] | None = None
    ) -> PoolAnswers:
        pool = ShadowPool(prepared.store, prepared.engine, maker)
        return pool.answers(data, trained, queries.asked, of, advance, queries.observations, may_fail)

    if own and trainer is not None and recipe is not trainer:
        alone = apply_output_mitigations(answers(trainer, own, own_seeds), own, own_seeds, data, queries, prepared)
        given = _same_answers(found_by_pool(alone, 0), given)
        own, own_seeds = [], []
    shadows = None
    if recipe is not None and (own or parts):
        may_fail = [False] * len(own) + [True] * len(parts)
        found = answers(recipe, [*own, *parts], [*own_seeds, *shadow_seeds], may_fail)
        if own:
            first = apply_output_mitigations(found.first(1), own, own_seeds, data, queries, prepared)
            given = _same_answers(found_by_pool(first, 0), given)
        if drawn is not None:
            shadows = repair(
                found.after(len(own)),
                drawn,
                shadow_seeds,
                lambda trained, of, may: answers(recipe, trained, of, may),
                data,
                rows.roles.pool,
                seeds,
                redrawable=not _whole_groups(rows, prepared.plan),
            )
            shadows = replace(shadows, found=_shown(shadows, data, queries, prepared))
    assert given is not None
    return given, shadows


def _shown(shadows: TrainedShadows, data: Dataset, queries: QueryPlan, prepared: Prepared) -> PoolAnswers:
    """The shadow models' answers, behind the target's mitigations where the attacker knows these."""
    if not prepared.plan.shadow.mitigated:
        return _forget_random(shadows.found)
    return apply_output_mitigations(shadows.found, shadows.drawn.train, shadows.seeds, data, queries, prepared)


def apply_output_mitigations(
    found: PoolAnswers,
    trained: Sequence[Ints],
    seeds: Sequence[int],
    data: Dataset,
    queries: QueryPlan,
    prepared: Prepared,
) -> PoolAnswers:
    """Models' answers behind the mitigations of answers, which are fitted to each model's own rows.

    Args:
        found: the models' own answers.
        trained: the rows that each was trained on.
        seeds: of each.
        data: the data set with the attacker's rows.
        queries: what all models were asked.
        prepared: the mitigations, store and engine.
    """
    of_answers = prepared.mitigations.of_answers
    if not of_answers or not found.answers:
        return _forget_random(found)
    advance = prepared.progress.stage("mitigations", len(found.answers))
    members = [queries.places(part) for part in trained]
    owner = replace(
        make_owner(data, prepared.roles, queries.asked),
        versions=tuple(version.name for version in queries.versions),
        random=None if queries.random is None else queries.random.name,
    )
    store, engine = prepared.store, prepared.engine
    return _forget_random(mitigate_pool(found, of_answers, owner, members, seeds, store, engine, advance))


def _forget_random(found: PoolAnswers) -> PoolAnswers:
    """Without the answers to random records, which are there for owners and no attacker sees."""
    return replace(found, observed={n: each for n, each in found.observed.items() if n != RandomRecords.name})


def _same_answers(found: TargetAnswers, given: TargetAnswers | None) -> TargetAnswers:
    """What the pool saw of the target; where it can be asked, its answers are those that it gives when it is asked."""
    return found if given is None else replace(given, observed={**found.observed, **given.observed})


def _given(rows: ShadowData, queries: QueryPlan, model: Model | None, prepared: Prepared) -> TargetAnswers | None:
    """What is seen of a target that can be asked, or whose answers are given."""
    data, roles, inputs, asked = rows.data, rows.roles, prepared.inputs, queries.asked
    if inputs.answers is not None:
        if queries.versions:
            raise PlanError("attacks.queries queries the target with changed records: give the model itself")
        owner, members = make_owner(data, roles, asked), np.searchsorted(asked, roles.train)
        return TargetAnswers(
            mitigate_answers(inputs.answers[asked], prepared.mitigations, owner, members, prepared.seeds)
        )
    if model is None:
        return None
    plain = ModelAbilities.of(model).plain
    inner = model if plain is None else plain
    known = ModelAbilities.of(inner).known
    if known is not None:
        data.check_known(known.columns)
    x, labels = take_rows(data.x, asked), data.y[asked]
    queried = queried_rows(roles)
    answers = np.full((len(asked), data.n_classes), np.nan, dtype=np.float32)
    answers[np.searchsorted(asked, queried)] = ask(
        model, take_rows(data.x, queried), classes=data.n_classes, source="target"
    )
    observed = {v.name: ask_given(model, data, roles, asked, v) for v in queries.versions}
    if inputs.model is not None:
        observed |= {o.name: o.of(inner, x, labels) for o in queries.others}  # who sees these sees the model itself
    return TargetAnswers(answers, observed, dict(ModelAbilities.of(inner).facts))


def _stack_note(inputs: AuditInputs, data: Dataset) -> str | None:
    return TrainerAbilities.of(inputs.shadow_trainer).stacking_note(data.x, data.n_classes)
