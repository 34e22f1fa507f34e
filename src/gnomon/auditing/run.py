"""One audit: a plan and what it names go in (`audit_plan`), a record and the scores come out.

The order is the order in which things can go wrong: roles, findings on the rows, the target, the shadows, findings on
both, attacks, verdict. One attack that breaks does not end an audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gnomon.auditing.canaries import Canaries, audit_canaries, check_promise, draw_canaries
from gnomon.auditing.checks.answers import check_answers, check_steady
from gnomon.auditing.checks.preflight import check_rows, stop_on_errors
from gnomon.auditing.decision.decide import most_exposed_units, with_decision
from gnomon.auditing.decision.rules import TRAININGS
from gnomon.auditing.evidence.access import look_inside
from gnomon.auditing.evidence.answers import AnswerSet, answer_all
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.inputs.given_answers import map_answers
from gnomon.auditing.inputs.loading import AuditInputs, load_inputs
from gnomon.auditing.outcome import CanaryTable, Clock, Outcome, provenance
from gnomon.auditing.prepare import Prepared, prepare
from gnomon.auditing.results.attackers import look_further
from gnomon.auditing.results.figures import measure_all
from gnomon.auditing.results.risk import Risk, assess_risk, vulnerability
from gnomon.auditing.results.scoring import Attempt, Scored, attempt_all, with_scores
from gnomon.auditing.results.threat_model import (
    data_facts,
    describe_source,
    fingerprints,
    library_warnings,
    mitigation_facts,
    most_exposed,
    not_tried,
    notes,
    threat_model,
)
from gnomon.auditing.results.variation import Cut, add_repeats, cut_rows, measure_slices, refuse_repeats
from gnomon.auditing.settings import Progress, Settings, following
from gnomon.auditing.structure.examine import examine_target, read_appetite
from gnomon.auditing.verdict.leak import Heard, hear
from gnomon.auditing.verdict.speak import conclude, speak
from gnomon.core.documents.record import AttackResult, Finding, Record, ShadowSourceFacts
from gnomon.core.documents.record_parts import Appetite, Slicing
from gnomon.core.errors import expect
from gnomon.core.plan import Plan
from gnomon.core.protocols import Attack, Model, ModelAbilities, TrainerAbilities
from gnomon.engines.local import Engine, collecting, one_thread
from gnomon.engines.ray import engine_of
from gnomon.mitigations import restraining
from gnomon.store.arrays import ArrayStore


def run_audit(
    plan: Plan,
    inputs: AuditInputs,
    *,
    store: ArrayStore,
    engine: Engine | None = None,
    progress: Progress | None = None,
    given: dict[str, Any] | None = None,
) -> Outcome:
    """Carries out an audit.

    Args:
        plan: what to do.
        inputs: what to do it to.
        store: where models' answers are kept.
        engine: where shadows are trained; by default one process a core.
        progress: who is told.
        given: the plan as the user gave it, for the record.

    Raises:
        GnomonError: bad input, or a preflight finding of severity error that the plan does not override.
    """
    clock = Clock()
    with one_thread(), collecting() as warned:
        with clock.stage("preflight"):
            prepared = prepare(plan, inputs, store, engine, progress)
            with _starting(prepared.engine, plan, type(inputs.shadow_trainer), attempt_all):
                start = _begin(prepared, inputs)
        with clock.stage("models"):
            try:
                model, (answers, *others) = answer_all(prepared)
            finally:
                for each in (prepared.inputs.trainer, prepared.inputs.shadow_trainer):
                    TrainerAbilities.of(each).tidy()
        findings = [*start.findings, *check_answers(answers, prepared), *notes(prepared)]
        findings += check_steady(model, answers.case.evidence.x)
        findings = stop_on_errors(findings, prepared.plan.preflight.override)
        with clock.stage("structure"):
            structure = examine_target(model, answers, prepared, start.appetite)
        found = _attack(model, answers, prepared, start.cuts, findings, clock)
        with clock.stage("other sources"):
            sources = [describe_source(answers, found.results), *_other_sources(others, prepared)]
        with clock.stage("canaries"):
            one_run = None if start.canaries is None else audit_canaries(start.canaries, prepared)
            findings += [] if found.risk is None else found.risk.findings
            findings += [] if one_run is None else check_promise(one_run[0])
        findings += library_warnings(warned)
        made = {
            "plan_given": given if given is not None else prepared.plan.model_dump(mode="json", exclude_unset=True),
            "answers_map": map_answers(prepared.data, inputs.model, inputs.tables),
            "shadow_sources": sources if answers.shadows is not None else [],
            "canaries": None if one_run is None else one_run[0],
            "structure": structure,
            "endpoint": ModelAbilities.of(model).spent,
            "provenance": provenance(
                plan.seed,
                clock.seconds,
                fingerprints(prepared.data, prepared.roles, answers.target_answers, inputs.files),
            ),
        }
        record = _record(found, findings, answers, prepared, made)
        return _outcome(record, found, None if one_run is None else one_run[1])


def _outcome(record: Record, found: _Found, canaries: CanaryTable | None) -> Outcome:
    """The record with the scores that belong to it."""
    case = found.case
    return Outcome(
        record=record,
        scores={a.scored.name: a.scores for a in with_scores(found.attempts)},
        ids=[str(i) for i in case.data.ids[case.audited]],
        member=[bool(m) for m in case.member],
        groups=None if case.groups is None else [str(g) for g in case.groups],
        copies=case.units if case.groups is None else None,
        risk=None if found.risk is None else found.risk.table,
        canaries=canaries,
        exposure=vulnerability(case.evidence.shadows),
    )


def _starting(engine: Engine, plan: Plan, *needed: object) -> AbstractContextManager[None]:
    """Worker processes start and import while the body runs, where an audit will need them.

    All at once: where psutil is installed, a worker that grows by 300 MB after its first task is taken for leaking and
    replaced, and torch alone is most of that.
    """
    return engine.here.starting(*needed) if plan.shadow.count > 0 and plan.trainer.kind != "none" else nullcontext()


@dataclass(frozen=True)
class _Start:
    """What is settled before anything is trained: findings on the rows, and what would stop an audit halfway."""

    findings: list[Finding]
    canaries: Canaries | None
    cuts: Sequence[Cut]
    appetite: Appetite


def _begin(prepared: Prepared, inputs: AuditInputs) -> _Start:
    """Draws canaries, cuts slices, reads the appetite and checks the rows.

    Raises:
        GnomonError: one of them can't be, or a finding of severity error that the plan does not override.
    """
    plan, trainer, roles = prepared.plan, prepared.inputs.trainer, prepared.roles
    refuse_repeats(plan.target.repeats, trainer, roles)
    canaries = draw_canaries(plan.canaries, plan.data, prepared.data, trainer, roles, prepared.seeds)
    cuts = cut_rows(plan.statistics.slices, prepared.data)
    appetite = read_appetite(plan.structure.appetite)
    found = stop_on_errors(check_rows(prepared, inputs.own_ids), plan.preflight.override)
    return _Start(found, canaries, cuts, appetite)


@dataclass(frozen=True)
class _Found:
    """What the attacks found."""

    case: AuditCase
    attempts: list[Attempt]
    results: list[AttackResult]
    heard: Heard
    slices: list[Slicing]
    risk: Risk | None
    further: dict[str, Any]  # fields of the record: see `look_further`

    @property
    def scored(self) -> list[Scored]:
        """The attacks' scores."""
        return [attempt.scored for attempt in self.attempts]


def _attack(
    model: Model | None,
    answers: AnswerSet,
    prepared: Prepared,
    cuts: Sequence[Cut],
    findings: Sequence[Finding],
    clock: Clock,
) -> _Found:
    """Attacks, and measures what they found: by attack, by slice, by record, by attacker."""
    statistics, seeds = prepared.plan.statistics, prepared.seeds
    with clock.stage("attacks"):
        case = replace(answers.case, evidence=look_inside(answers.case.evidence, model, prepared.needs))
        attempts = _attempts(prepared.attacks, case, prepared, prepared.refused)
        scored = [a.scored for a in attempts]
    with clock.stage("statistics"):
        results = measure_all(attempts, case, statistics, prepared.engine, prepared.progress)
        advance = prepared.progress.stage("verdict", 3)
        heard = hear(attempts, results, case, case.least_fpr(statistics.fprs), seeds, prepared.engine)
        name = heard.speaker
        advance(1)
        results = add_repeats(results, answers, prepared)
        slices = measure_slices(cuts, name, scored, case, statistics, heard.among)
        unlike = any(f.code == "shadows-unlike-target" for f in findings)
        risk = assess_risk(name, attempts, case, statistics.confidence, seeds, unlike=unlike)
        advance(1)
    with clock.stage("ladder"):
        further = look_further(attempts, name, case, prepared)
        advance(1)
    return _Found(case, attempts, results, heard, slices, risk, further)


def _record(
    found: _Found, findings: Sequence[Finding], answers: AnswerSet, prepared: Prepared, made: Mapping[str, Any]
) -> Record:
    """The record with verdict and decision; ``made``: further fields of it."""
    plan, case, trainer, name = prepared.plan, found.case, prepared.inputs.trainer, found.heard.speaker
    fpr = case.least_fpr(plan.statistics.fprs)
    verdict = speak(found.results, found.heard, findings, answers.target, plan.view, fpr, plan.target.reveals)
    record = Record(
        name=plan.name,
        plan=plan.model_dump(mode="json"),
        verdict=verdict,
        data=data_facts(prepared.data, prepared.roles),
        counted_by="record" if case.groups is None or case.sides is None else "group",
        target=answers.target,
        shadows=answers.shadows,
        threat_model=threat_model(answers, prepared),
        mitigations=mitigation_facts(prepared.mitigations, answers.said),
        plugins=list(prepared.inputs.plugins.facts),
        findings=conclude(findings, verdict),
        attacks=found.results,
        exposed=most_exposed(name, found.scored, case, below=verdict.members_below),
        slices=found.slices,
        risk=None if found.risk is None else found.risk.facts,
        not_tried=not_tried(found.results),
        recipe={} if trainer is None else trainer.recipe(),
        **found.further,
        **made,
    )
    level, among = plan.statistics.confidence, found.heard.among
    worst = most_exposed_units(name, found.attempts, case, level, reverse=verdict.members_below, among=among)
    restrained = None if trainer is None else restraining(trainer, TRAININGS, record.data.members)
    return with_decision(record, worst, restrained)


def _attempts(
    attacks: Sequence[Attack], case: AuditCase, prepared: Prepared, refused: Mapping[str, str]
) -> list[Attempt]:
    rates, rehearsals = prepared.plan.statistics.fprs, prepared.plan.attacks.rehearsals
    engine, progress = prepared.engine, prepared.progress
    return attempt_all(attacks, case.evidence, rehearsals, rates, prepared.seeds, engine, progress, refused)


def _other_sources(others: Sequence[AnswerSet], prepared: Prepared) -> list[ShadowSourceFacts]:
    """The attacks that learn from the attacker's rows, once more for each further source of them."""
    learners = [a for a in prepared.attacks if "pool" in a.needs]
    found = []
    for answers in others:
        tried = _attempts(learners, answers.case, prepared, {})
        rest = answers.case, prepared.plan.statistics, prepared.engine, prepared.progress
        found.append(describe_source(answers, measure_all(tried, *rest)))
    return found


def audit_plan(
    plan: Plan,
    folder: str | Path,
    settings: Settings | None = None,
    *,
    progress: Progress | bool = False,
    given: dict[str, Any] | None = None,
) -> Outcome:
    """Carries out a plan; models' answers are kept under the run's folder, so that a killed run goes on.

    Args:
        plan: what to do.
        folder: of the run.
        settings: how to run.
        progress: True shows how far it is, on a terminal or in a notebook; or who is told.
        given: the plan as the user gave it, for the record.

    Raises:
        GnomonError: bad input, in one line.
    """
    expect("plan", plan, Plan, "a Plan (read_plan or make_plan makes it)")
    expect("folder", folder, (str, Path), "the name of a folder")
    settings = settings or Settings()
    engine = engine_of(settings.engine, settings.workers)
    inputs = load_inputs(plan, settings)
    with following(progress) as told:
        return run_audit(
            plan,
            inputs,
            store=ArrayStore(settings.store or Path(folder) / "store"),
            engine=engine,
            progress=told,
            given=given,
        )
