"""One audit: a plan and what it names go in, a record and the scores come out.

The order is the order in which things can go wrong: roles, findings on the rows, the target, the shadows, findings on
both, attacks, verdict. One attack that breaks does not end an audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gnomon.auditing.canaries import audit_canaries, check_promise, draw_canaries
from gnomon.auditing.checks.endpoint import check_endpoint
from gnomon.auditing.checks.preflight import check_answers, check_rows, stop_on_errors
from gnomon.auditing.decision.decide import most_exposed_units, with_decision
from gnomon.auditing.evidence.answers import AnswerSet, answer_all
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.evidence.mitigations import mitigation_facts
from gnomon.auditing.evidence.permissions import look_inside
from gnomon.auditing.inputs.answers_map import map_answers
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.outcome import Clock, Outcome, provenance
from gnomon.auditing.prepare import Prepared, prepare
from gnomon.auditing.progress import Progress
from gnomon.auditing.results.attackers import look_further
from gnomon.auditing.results.figures import measure_all
from gnomon.auditing.results.repeats import add_repeats, refuse_repeats
from gnomon.auditing.results.risk import assess_risk, vulnerability
from gnomon.auditing.results.scoring import Attempt, attempt_all
from gnomon.auditing.results.slices import cut_rows, measure_slices
from gnomon.auditing.results.threat_model import (
    data_facts,
    describe_source,
    fingerprints,
    library_warnings,
    most_exposed,
    not_tried,
    notes,
    threat_model,
)
from gnomon.auditing.structure.examine import examine_target
from gnomon.auditing.structure.settings import read_appetite
from gnomon.auditing.verdict.joint_test import hear
from gnomon.auditing.verdict.speak import conclude, speak
from gnomon.core.documents.record import Record, ShadowSourceFacts
from gnomon.core.plan import Plan
from gnomon.core.protocols import Attack, ModelAbilities, TrainerAbilities
from gnomon.engines.local import Engine
from gnomon.engines.threads import one_thread
from gnomon.engines.warned import Warned, collecting
from gnomon.mitigations import able
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
    with one_thread(), collecting() as warned:
        return _run(plan, inputs, store, engine, progress, given, warned)


def _run(
    plan: Plan,
    inputs: AuditInputs,
    store: ArrayStore,
    engine: Engine | None,
    progress: Progress | None,
    given: dict[str, Any] | None,
    warned: Warned,
) -> Outcome:
    clock, statistics = Clock(), plan.statistics
    with clock.stage("preflight"):
        prepared = prepare(plan, inputs, store, engine, progress)
        plan = prepared.plan
        data, trainer, roles, seeds = prepared.data, prepared.inputs.trainer, prepared.roles, prepared.seeds
        refuse_repeats(plan.target.repeats, trainer, roles)
        canaries = draw_canaries(plan.canaries, plan.data, data, trainer, roles, seeds)
        cuts = cut_rows(statistics.slices, data)
        appetite = read_appetite(plan.structure.appetite)
        checked = check_rows(prepared, inputs.own_ids)
        findings = stop_on_errors(checked, plan.preflight.override)
    with clock.stage("models"):
        try:
            model, (answers, *others) = answer_all(prepared)
        finally:
            for each in (prepared.inputs.trainer, prepared.inputs.shadow_trainer):
                TrainerAbilities.of(each).tidy()
    findings += [*check_answers(answers, prepared), *notes(prepared)]
    findings += check_endpoint(model, answers.case.evidence.x)
    findings = stop_on_errors(findings, plan.preflight.override)
    with clock.stage("structure"):
        structure = examine_target(model, answers, prepared, appetite)
    with clock.stage("attacks"):
        case = replace(answers.case, evidence=look_inside(answers.case.evidence, model, prepared.needs))
        attempts = _attempts(prepared.attacks, case, prepared, prepared.refused)
        scored = [a.scored for a in attempts]
    with clock.stage("statistics"):
        fpr = case.least_fpr(statistics.fprs)
        results = measure_all(attempts, case, statistics, prepared.engine, prepared.progress)
        advance = prepared.progress.stage("verdict", 3)
        heard = hear(attempts, results, case, fpr, seeds)
        name = heard.speaker
        advance(1)
        results = add_repeats(results, answers, prepared)
        sliced = measure_slices(cuts, name, scored, case, statistics)
        unlike = any(f.code == "shadows-unlike-target" for f in findings)
        risk = assess_risk(name, attempts, case, statistics.confidence, seeds, unlike=unlike)
        advance(1)
    with clock.stage("ladder"):
        further = look_further(attempts, name, case, prepared)
        advance(1)
    with clock.stage("other sources"):
        sources = [describe_source(answers, results), *_other_sources(others, prepared)]
    with clock.stage("canaries"):
        one_run = None if canaries is None else audit_canaries(canaries, prepared)
        findings += [] if risk is None else risk.findings
        findings += [] if one_run is None else check_promise(one_run[0])
    findings += library_warnings(warned)
    verdict = speak(results, heard, findings, answers.target, plan.view, fpr, plan.target.reveals)
    record = Record(
        name=plan.name,
        plan_given=given if given is not None else plan.model_dump(mode="json", exclude_unset=True),
        plan=plan.model_dump(mode="json"),
        verdict=verdict,
        data=data_facts(data, roles),
        counted_by="record" if case.groups is None or case.sides is None else "group",
        target=answers.target,
        answers_map=map_answers(data, inputs.model, inputs.tables),
        shadows=answers.shadows,
        shadow_sources=sources if answers.shadows is not None else [],
        threat_model=threat_model(answers, prepared),
        mitigations=mitigation_facts(prepared.mitigations, answers.said),
        plugins=list(inputs.plugins.facts),
        findings=conclude(findings, verdict),
        attacks=results,
        exposed=most_exposed(name, scored, case, below=verdict.members_below),
        slices=sliced,
        risk=None if risk is None else risk.facts,
        canaries=None if one_run is None else one_run[0],
        structure=structure,
        endpoint=ModelAbilities.of(model).spent,
        not_tried=not_tried(results),
        ladder=further.ladder,
        agreement=further.agreement,
        by_shadows=further.by_shadows,
        recipe={} if trainer is None else trainer.recipe(),
        provenance=provenance(
            plan.seed, clock.seconds, fingerprints(data, roles, answers.target_answers, inputs.files)
        ),
    )
    worst = most_exposed_units(name, attempts, case, statistics.confidence, reverse=verdict.members_below)
    return Outcome(
        record=with_decision(record, worst, None if trainer is None else able(trainer)),
        scores={s.name: s.scores for s in scored if s.scores is not None},
        ids=[str(i) for i in data.ids[case.audited]],
        member=[bool(m) for m in case.member],
        groups=None if case.groups is None else [str(g) for g in case.groups],
        copies=case.units if case.groups is None else None,
        risk=None if risk is None else risk.table,
        canaries=None if one_run is None else one_run[1],
        exposure=vulnerability(case.evidence.shadows),
    )


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
