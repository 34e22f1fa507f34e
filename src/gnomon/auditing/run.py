"""One audit: a plan and its subject go in, a record and the scores come out.

The order is the order in which things can go wrong: roles, findings on the rows, the target, the shadows, findings on
both, attacks, verdict. One attack that breaks does not end an audit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from gnomon.attacks import ATTACKS, make_attack
from gnomon.auditing.assemble import Case, asked_rows, assemble, model_facts, shadow_facts
from gnomon.auditing.describe import (
    data_facts,
    fingerprints,
    most_exposed,
    not_tried,
    notes,
    threat_model,
)
from gnomon.auditing.measure import measure, rank_auc
from gnomon.auditing.preflight import check_data, check_shadows, check_target, stop_on_errors
from gnomon.auditing.progress import Progress, Silent
from gnomon.auditing.provenance import provenance
from gnomon.auditing.rehearsal import Rehearsed, choose
from gnomon.auditing.roles import draw_roles, draw_training_rows, shadow_size
from gnomon.auditing.scoring import Scored, attempt_all
from gnomon.auditing.subject import Subject
from gnomon.auditing.verdict import speak
from gnomon.core.arrays import Floats, Ints, check_log_probs, take_rows
from gnomon.core.data import Dataset, Roles
from gnomon.core.errors import DataError, PlanError
from gnomon.core.evidence import Attack, Reveal
from gnomon.core.plan import Plan
from gnomon.core.record import Record, ShadowFacts
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine, LocalEngine
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import Target, parse_reveal
from gnomon.models.torch_trainer import TorchTrainer
from gnomon.shadow.masks import ShadowRows, draw_shadows
from gnomon.shadow.pool import PoolAnswers, ShadowPool
from gnomon.store.arrays import ArrayStore


@dataclass(frozen=True)
class Outcome:
    """An audit's record, and the scores that lie beside it: attack name -> (n,) in the order of ``ids``."""

    record: Record
    scores: dict[str, Floats]
    ids: list[str]  # (n,) row ids of the audited rows
    member: list[bool]  # (n,) the truth


@dataclass
class Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what runs inside."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)


def run_audit(
    plan: Plan,
    subject: Subject,
    *,
    store: ArrayStore,
    engine: Engine | None = None,
    progress: Progress | None = None,
    given: dict[str, Any] | None = None,
) -> Outcome:
    """Carries out an audit.

    Args:
        plan: what to do.
        subject: what to do it to.
        store: where models' answers are kept.
        engine: where shadows are trained; by default one process a core.
        progress: who is told.
        given: the plan as the user gave it, for the record.

    Raises:
        GnomonError: bad input, or a preflight finding of severity error that the plan does not override.
    """
    with threadpool_limits(limits=1):  # a second thread gains little here, and loses much beside a busy neighbour
        return _run(plan, subject, store, engine or LocalEngine(), progress or Silent(), given)


def _run(
    plan: Plan, subject: Subject, store: ArrayStore, engine: Engine, progress: Progress, given: dict[str, Any] | None
) -> Outcome:
    clock, seeds, data, attacks = Clock(), Seeds(plan.seed), subject.data, _selected(plan)
    with clock.stage("preflight"):
        parts = subject.parts or draw_training_rows(len(data), plan, seeds)
        roles = draw_roles(parts, plan, seeds)
        findings = stop_on_errors(
            check_data(data, roles, own_ids=subject.own_ids, seeds=seeds), plan.preflight.override
        )
        size = shadow_size(roles, plan)
        drawn = _draw(roles, plan, size, subject, seeds)
    asked = asked_rows(roles)
    with clock.stage("models"):
        target_answers, shadows = _answers(subject, roles, asked, drawn, store, engine, progress, seeds)
    reveal = parse_reveal(plan.target.reveals)
    target = _query_handle(plan, subject, reveal)
    case = assemble(data, roles, asked, target_answers, shadows, reveal=reveal, query=target, seeds=seeds)
    facts = model_facts(
        target_answers[np.searchsorted(asked, case.audited)], case.evidence.labels, case.member, len(roles.train)
    )
    findings += check_target(target_answers[np.searchsorted(asked, case.audited)], case.evidence.labels, facts)
    pool_facts: ShadowFacts | None = None
    if shadows is not None:
        pool_facts, losses = shadow_facts(data, asked, shadows, plan.shadow.source, _stack_note(subject, data))
        findings += check_shadows(facts, pool_facts, losses)
    findings = stop_on_errors([*findings, *notes(plan, case)], plan.preflight.override)
    with clock.stage("attacks"):
        rates, rehearsals = plan.statistics.fprs, plan.attacks.rehearsals
        attempts = attempt_all(attacks, case.evidence, rehearsals, rates, seeds, engine, progress)
        scored = [a.scored for a in attempts]
        rehearsed = {a.scored.name: a.rehearsed for a in attempts}
    with clock.stage("statistics"):
        fpr = _headline_fpr(plan, case)
        name, chosen_on = _headline(scored, rehearsed, case, fpr)
        results = [measure(s, case, data, plan) for s in scored]
    record = Record(
        name=plan.name,
        plan_given=given if given is not None else plan.model_dump(mode="json", exclude_unset=True),
        plan=plan.model_dump(mode="json"),
        verdict=speak(results, name, chosen_on, findings, facts, plan.view),
        data=data_facts(data, roles),
        target=facts,
        shadows=pool_facts,
        threat_model=threat_model(plan, subject, roles, pool_facts, reveal),
        findings=findings,
        attacks=results,
        exposed=most_exposed(name, scored, case, data),
        not_tried=not_tried(plan),
        recipe=subject.trainer.recipe() if subject.trainer is not None else {},
        provenance=provenance(plan.seed, clock.seconds, fingerprints(data, roles, target_answers)),
    )
    return Outcome(
        record=record,
        scores={s.name: s.scores for s in scored if s.scores is not None},
        ids=[str(i) for i in data.ids[case.audited]],
        member=[bool(m) for m in case.member],
    )


def _draw(roles: Roles, plan: Plan, size: int, subject: Subject, seeds: Seeds) -> ShadowRows | None:
    if plan.shadow.count == 0 or subject.shadow_trainer is None:
        return None
    return draw_shadows(roles.pool, plan.shadow.count, size, seeds.child("shadow", "rows").generator())


def _answers(
    subject: Subject,
    roles: Roles,
    asked: Ints,
    drawn: ShadowRows | None,
    store: ArrayStore,
    engine: Engine,
    progress: Progress,
    seeds: Seeds,
) -> tuple[Floats, tuple[ShadowRows, PoolAnswers] | None]:
    """The target's answers (a, c) and the shadows'; a target of the shadows' recipe is trained in one go with them."""
    data, trainer, recipe = subject.data, subject.trainer, subject.shadow_trainer
    rows = [] if drawn is None else drawn.train
    shadow_seeds = [seeds.child("shadow", i).integer() for i in range(len(rows))]
    given = _given_answers(subject, asked)
    if given is None and trainer is None:
        raise PlanError("nothing to audit: give a model, its answers, or a recipe in [trainer]")
    own = [] if given is not None else [roles.train]
    own_seeds = [seeds.child("target").integer()] * len(own)
    together = recipe is trainer
    advance = progress.stage("models", len(own) + len(rows))
    if own and trainer is not None and not together:
        given = np.asarray(ShadowPool(store, engine, trainer).answers(data, own, asked, own_seeds, advance).answers[0])
        own, own_seeds = [], []
    found = None
    if recipe is not None and (own or rows):
        found = ShadowPool(store, engine, recipe).answers(
            data, [*own, *rows], asked, [*own_seeds, *shadow_seeds], advance
        )
        if own:
            given = np.asarray(found.answers[0])
    assert given is not None
    return given, None if drawn is None or found is None else (drawn, found.after(len(own)))


def _given_answers(subject: Subject, asked: Ints) -> Floats | None:
    """Answers (a, c) of a target that was not trained here."""
    if subject.answers is not None:
        return subject.answers[asked]
    if subject.model is None:
        return None
    if isinstance(subject.model, SklearnModel):
        _check_known_labels(subject.model, subject.data)
    answers = subject.model.log_probs(take_rows(subject.data.x, asked))
    return check_log_probs(answers, rows=len(asked), classes=subject.data.n_classes, source="target")


def _check_known_labels(model: SklearnModel, data: Dataset) -> None:
    strange = np.setdiff1d(data.y, model.columns)
    if len(strange):
        row = int(np.isin(data.y, strange).argmax())
        known = ", ".join(data.classes[c] for c in model.columns[:8])
        raise DataError(
            f'{data.name}: row {data.ids[row]} has the label "{data.classes[data.y[row]]}", which the model does not know '
            f"(it knows {known}); correct the label or drop the row"
        )


def _query_handle(plan: Plan, subject: Subject, reveal: Reveal) -> Target | None:
    return None if subject.model is None else Target(subject.model, reveal, plan.target.query_budget)


def _stack_note(subject: Subject, data: Dataset) -> str | None:
    trainer = subject.shadow_trainer
    return trainer.stacking(data.x, data.n_classes).reason if isinstance(trainer, TorchTrainer) else None


def _selected(plan: Plan) -> list[Attack]:
    names = plan.attacks.names or tuple(a.name for a in ATTACKS)
    unknown = set(plan.attacks.options) - {a.name for a in ATTACKS}
    if unknown:
        make_attack(sorted(unknown)[0], {})  # raises with "did you mean"
    return [make_attack(name, plan.attacks.options.get(name, {})) for name in names]


def _headline_fpr(plan: Plan, case: Case) -> float:
    """The lowest of the plan's false-positive rates that the audited non-members can resolve."""
    nonmembers = int((~case.member).sum())
    resolved = [f for f in plan.statistics.fprs if nonmembers * f >= 1]
    return min(resolved, default=max(plan.statistics.fprs))


def _headline(
    scored: Sequence[Scored], rehearsed: dict[str, Rehearsed], case: Case, fpr: float
) -> tuple[str | None, Literal["shadows", "audited rows"] | None]:
    chosen = choose({s.name: rehearsed[s.name] for s in scored if s.status == "ok"}, fpr)
    if chosen is not None:
        return chosen, "shadows"
    aucs = {s.name: rank_auc(s.scores, case.member) for s in scored if s.scores is not None}
    return (max(aucs, key=lambda name: aucs[name]), "audited rows") if aucs else (None, None)
