"""One audit: a plan and its subject go in, a record and the scores come out.

The order is the order in which things can go wrong: roles, findings on the rows, the target, the shadows, findings on
both, attacks, verdict. One attack that breaks does not end an audit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from gnomon.attacks import ATTACKS, make_attack
from gnomon.auditing.canaries import Canaries, audit_canaries, check_promise, draw_canaries
from gnomon.auditing.checks.given_labels import check_given_labels
from gnomon.auditing.checks.near_duplicates import check_sides, check_swapped, check_unseen
from gnomon.auditing.checks.preflight import check_data, check_shadows, check_target, stop_on_errors
from gnomon.auditing.checks.recipe import check_recipe
from gnomon.auditing.evidence.answers import AnswerSet, AuditContext, build_answers, make_target, train_target
from gnomon.auditing.evidence.assemble import Case
from gnomon.auditing.evidence.mitigations import mitigate_training, mitigation_facts, read_mitigations
from gnomon.auditing.evidence.permissions import barred, look_inside, wanted_observations, wants_model
from gnomon.auditing.inputs.answers_map import map_answers
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import draw_training_rows, who_is_who
from gnomon.auditing.inputs.shadow_rows import ShadowData, make_rows, real_rows
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.progress import Progress, Silent
from gnomon.auditing.provenance import provenance
from gnomon.auditing.results.attackers import look_further
from gnomon.auditing.results.figures import measure
from gnomon.auditing.results.repeats import add_repeats, refuse_repeats
from gnomon.auditing.results.risk import assess_risk
from gnomon.auditing.results.scoring import Attempt, attempt_all
from gnomon.auditing.results.slices import Cut, cut_rows, measure_slices
from gnomon.auditing.results.threat_model import (
    data_facts,
    describe_source,
    fingerprints,
    most_exposed,
    not_tried,
    notes,
    threat_model,
)
from gnomon.auditing.results.vulnerability import vulnerability
from gnomon.auditing.verdict.joint_test import Heard, hear
from gnomon.auditing.verdict.speak import conclude, speak
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import AttackResult, Finding, Record, ShadowSourceFacts
from gnomon.core.plan import Plan, ShadowSource
from gnomon.core.protocols import Attack, Model
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine, LocalEngine
from gnomon.engines.threads import one_thread
from gnomon.models.target import Target, parse_reveal
from gnomon.stats.clusters import split_groups
from gnomon.store.arrays import ArrayStore


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
    subject: AuditInputs,
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
    with one_thread():
        reveal = parse_reveal(plan.target.reveals)
        setting = AuditContext(
            plan,
            subject,
            store,
            engine or LocalEngine(),
            progress or Silent(),
            Seeds(plan.seed),
            reveal,
            read_mitigations(plan),
        )
        return _run(plan, setting, given)


@dataclass(frozen=True)
class Prepared:
    """What an audit stands on once all models have answered and nothing speaks against going on."""

    setting: AuditContext  # with trainers that mitigate, where the plan says so
    roles: Roles
    cuts: Sequence[Cut]
    model: Model | None
    rows: ShadowData
    world: AnswerSet
    others: list[tuple[ShadowData, AnswerSet]]  # further sources of shadow rows
    findings: list[Finding]
    canaries: Canaries | None


def _run(plan: Plan, setting: AuditContext, given: dict[str, Any] | None) -> Outcome:
    clock, seeds, data, attacks = Clock(), setting.seeds, setting.subject.data, _selected(plan)
    ground = _lay_ground(plan, setting, attacks, clock)
    setting, roles, rows, world = ground.setting, ground.roles, ground.rows, ground.world
    subject = setting.subject
    with clock.stage("attacks"):
        case = look_inside(world.case, ground.model, plan, attacks)
        attempts = _attempts(attacks, case, plan, setting, barred(plan, attacks))
        scored = [a.scored for a in attempts]
    with clock.stage("statistics"):
        fpr = _headline_fpr(plan, case)
        results = [measure(a.scored, a.rehearsed, case, data, roles, plan) for a in attempts]
        heard = _hear(attempts, results, case, data, roles, fpr, seeds)
        name = heard.speaker
        results = add_repeats(results, attacks, rows, world, setting)
        sliced = measure_slices(ground.cuts, name, scored, case, plan)
        unlike = any(f.code == "shadows-unlike-target" for f in ground.findings)
        risk = assess_risk(name, attempts, case, data, rows.roles, plan, seeds, unlike=unlike)
    with clock.stage("ladder"):
        further = look_further(attempts, name, case, plan, seeds, fpr)
    with clock.stage("other sources"):
        sources = [describe_source(rows, world, results), *_other_sources(ground, attacks, data, plan, setting)]
    with clock.stage("canaries"):
        one_run = None if ground.canaries is None else audit_canaries(ground.canaries, setting)
        findings = [*ground.findings, *([] if risk is None else risk.findings)]
        findings += [] if one_run is None else check_promise(one_run[0])
    verdict = speak(results, heard, findings, world.target, plan.view, fpr, plan.target.reveals)
    record = Record(
        name=plan.name,
        plan_given=given if given is not None else plan.model_dump(mode="json", exclude_unset=True),
        plan=plan.model_dump(mode="json"),
        verdict=verdict,
        data=data_facts(data, roles),
        counted_by="record" if split_groups(case.groups, case.member) is None else "group",
        target=world.target,
        answers_map=map_answers(data, subject.model, subject.tables),
        shadows=world.shadows,
        shadow_sources=sources if world.shadows is not None else [],
        threat_model=threat_model(setting, rows, world),
        mitigations=mitigation_facts(setting.mitigations, world.said),
        findings=conclude(findings, verdict),
        attacks=results,
        exposed=most_exposed(name, scored, case, data),
        slices=sliced,
        risk=None if risk is None else risk.facts,
        canaries=None if one_run is None else one_run[0],
        not_tried=not_tried(plan),
        ladder=further.ladder,
        agreement=further.agreement,
        by_shadows=further.by_shadows,
        recipe=subject.trainer.recipe() if subject.trainer is not None else {},
        provenance=provenance(plan.seed, clock.seconds, fingerprints(data, roles, world.target_answers)),
    )
    return Outcome(
        record=record,
        scores={s.name: s.scores for s in scored if s.scores is not None},
        ids=[str(i) for i in data.ids[case.audited]],
        member=[bool(m) for m in case.member],
        groups=None if case.groups is None else [str(g) for g in case.groups],
        risk=None if risk is None else risk.table,
        canaries=None if one_run is None else one_run[1],
        exposure=vulnerability(case.evidence.shadows),
    )


def _lay_ground(plan: Plan, setting: AuditContext, attacks: Sequence[Attack], clock: Clock) -> Prepared:
    """Roles, models and findings; raises if a finding of severity error stands against the audit."""
    subject, seeds = setting.subject, setting.seeds
    data = subject.data
    with clock.stage("preflight"):
        roles = who_is_who(subject.parts, data, plan, seeds)
        known = subject.parts or draw_training_rows(len(data), plan, seeds, data.groups)
        subject = mitigate_training(subject, setting.mitigations, roles, plan)
        setting = replace(setting, subject=subject, observations=wanted_observations(plan, subject, attacks))
        refuse_repeats(plan, subject.trainer, roles)
        canaries = draw_canaries(plan, data, subject.trainer, roles, seeds)
        cuts = cut_rows(plan.statistics.slices, data)
        checked = check_data(data, roles, own_ids=subject.own_ids, seeds=seeds)
        findings = stop_on_errors(checked, plan.preflight.override)
    with clock.stage("models"):
        model = subject.model
        trained_here = model is None and subject.answers is None and subject.trainer is not None
        if trained_here and (_must_ask(plan) or wants_model(plan, subject, attacks)):
            model = train_target(data, roles, setting)
        target = make_target(model, data, roles, setting)
        (rows, world), *others = [_world(source, data, roles, target, setting) for source in plan.shadow.sources]
    findings = [*findings, *_model_findings(rows, world, roles, setting), *notes(plan, world.case, known)]
    findings = stop_on_errors(findings, plan.preflight.override)
    return Prepared(setting, roles, cuts, model, rows, world, others, findings, canaries)


def _model_findings(rows: ShadowData, world: AnswerSet, roles: Roles, setting: AuditContext) -> list[Finding]:
    """Findings that need the models' answers."""
    case, facts = world.case, world.target
    swapped = check_swapped(facts, world.target_answers, case)
    findings = check_target(world.target_answers)
    findings += check_given_labels(rows, world, setting) if swapped is None else [swapped]  # explains low accuracy, too
    findings += check_sides(facts, world.shadows, len(roles.members), len(roles.nonmembers))
    if world.shadows is not None and world.losses is not None:
        findings += check_shadows(facts, world.shadows, world.losses)
    if rows.facts.source != "real":
        return findings
    findings += check_recipe(rows, setting)
    unseen = check_unseen(case, case.groups)
    return findings if unseen is None else [*findings, unseen]


def _attempts(
    attacks: Sequence[Attack], case: Case, plan: Plan, setting: AuditContext, kept_out: Mapping[str, str]
) -> list[Attempt]:
    rates, rehearsals = plan.statistics.fprs, plan.attacks.rehearsals
    engine, progress = setting.engine, setting.progress
    return attempt_all(attacks, case.evidence, rehearsals, rates, setting.seeds, engine, progress, kept_out)


def _other_sources(
    ground: Prepared, attacks: Sequence[Attack], data: Dataset, plan: Plan, setting: AuditContext
) -> list[ShadowSourceFacts]:
    """The attacks that learn from the attacker's rows, once more for each further source of them."""
    learners = [a for a in attacks if "pool" in a.needs]
    found = []
    for rows, world in ground.others:
        tried = _attempts(learners, world.case, plan, setting, {})
        measured = [measure(a.scored, a.rehearsed, world.case, data, ground.roles, plan) for a in tried]
        found.append(describe_source(rows, world, measured))
    return found


def _must_ask(plan: Plan) -> bool:
    """Whether the audit needs a target that can be asked, and not only its answers on known rows."""
    return any(source.partition(":")[0] in ("marginals", "climbing") for source in plan.shadow.sources)


def _world(
    source: ShadowSource, data: Dataset, roles: Roles, target: Target | None, setting: AuditContext
) -> tuple[ShadowData, AnswerSet]:
    if source == "real":
        rows = real_rows(data, roles)
    else:
        rows = make_rows(source, data, roles, setting.plan, target, setting.seeds, setting.store.root, setting.progress)
    return rows, build_answers(rows, None if target is None else target.model, target, setting)


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


def _hear(
    attempts: Sequence[Attempt],
    results: Sequence[AttackResult],
    case: Case,
    data: Dataset,
    roles: Roles,
    fpr: float,
    seeds: Seeds,
) -> Heard:
    trained = None if data.groups is None else data.groups[roles.train]
    return hear(attempts, results, case, trained, fpr, seeds)
