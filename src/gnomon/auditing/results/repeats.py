"""Repeated targets: the same recipe on other rows and with other seeds, attacked the same way.

The interval of one audited model covers the choice of records. What another training would have leaked only repeated
targets show. Each draws its members anew from the audited rows and faces the same shadows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gnomon.auditing.evidence.answers import AnswerSet, AuditContext, apply_output_mitigations
from gnomon.auditing.evidence.assemble import Case, assemble, found_by_pool
from gnomon.auditing.inputs.roles import by_group
from gnomon.auditing.inputs.shadow_rows import ShadowData
from gnomon.auditing.results.scoring import Attempt, attempt_all
from gnomon.core.data.dataset import Roles
from gnomon.core.documents.person_results import Repeats, RepeatSpread
from gnomon.core.documents.record import AttackResult, Estimate
from gnomon.core.errors import UsageError
from gnomon.core.plan import Plan
from gnomon.core.protocols import Attack, Trainer
from gnomon.core.seeds import Seeds
from gnomon.shadow.pool import ShadowPool
from gnomon.stats.intervals import spread
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.roc import auc


def refuse_repeats(plan: Plan, trainer: Trainer | None, roles: Roles) -> None:
    """Says before anything is trained that targets can't be repeated.

    Raises:
        UsageError: nobody knows the recipe, or members of a repeated target would stand in the attacker's pool.
    """
    if plan.target.repeats == 1:
        return
    if trainer is None:
        raise UsageError("target.repeats: nobody knows the target's recipe; give it in [trainer]")
    if roles.view == "adversary" and len(np.intersect1d(roles.audited, roles.pool)):
        raise UsageError(
            "target.repeats: audited non-members also stand in the attacker's pool, so they cannot be members of "
            "another target; set data.keep_apart = true"
        )


def add_repeats(
    results: Sequence[AttackResult],
    attacks: Sequence[Attack],
    rows: ShadowData,
    world: AnswerSet,
    setting: AuditContext,
) -> list[AttackResult]:
    """The results with the spread over repeated targets, as many as the plan asks for (the audited one counts)."""
    count = setting.plan.target.repeats
    if count == 1:
        return list(results)
    cases = _train(count - 1, rows, world, setting)
    fprs, seeds = setting.plan.statistics.fprs, setting.seeds
    tried = [
        (case, attempt_all(attacks, case.evidence, 0, fprs, seeds.child("repeat", i), setting.engine, setting.progress))
        for i, case in enumerate(cases)
    ]
    return [
        result if result.auc is None else result.model_copy(update={"repeats": _spread(result, tried, setting)})
        for result in results
    ]


def _train(count: int, rows: ShadowData, world: AnswerSet, setting: AuditContext) -> list[Case]:
    data, trainer = rows.data, setting.subject.trainer
    assert trainer is not None  # `refuse_repeats` came first
    drawn = [_redrawn(rows, setting, setting.seeds.child("repeat", i)) for i in range(count)]
    seeds = [setting.seeds.child("repeat", i, "target").integer() for i in range(count)]
    advance = setting.progress.stage("repeats", count)
    pool = ShadowPool(setting.store, setting.engine, trainer)
    trained = [r.train for r in drawn]
    found = pool.answers(data, trained, world.asking.asked, seeds, advance, world.asking.observations)
    found = apply_output_mitigations(found, trained, seeds, rows, world.asking, setting)
    return [
        assemble(
            data,
            one,
            world.asking.asked,
            found_by_pool(found, i),
            world.pool,
            reveal=setting.reveal,
            query=None,
            seeds=setting.seeds.child("repeat", i),
            versions=[v.name for v in world.asking.versions],
        )
        for i, one in enumerate(drawn)
    ]


def _redrawn(rows: ShadowData, setting: AuditContext, seeds: Seeds) -> Roles:
    """Other members from the audited rows, as many as before (whole groups but for one, where the plan splits so)."""
    roles, groups = rows.roles, rows.data.groups
    order = seeds.child("members").generator().permutation(roles.audited)
    if setting.plan.data.split_by_group and groups is not None:
        order = by_group(order, groups)
    members, others = np.sort(order[: len(roles.members)]), np.sort(order[len(roles.members) :])
    return replace(roles, members=members, nonmembers=others, train=members)


def _spread(
    result: AttackResult, tried: Sequence[tuple[Case, Sequence[Attempt]]], setting: AuditContext
) -> Repeats | None:
    """Spread of one attack's figures over the audited target and the repeated ones."""
    assert result.auc is not None
    level = setting.plan.statistics.confidence
    sides = [
        (a.scored.scores[case.member], a.scored.scores[~case.member])
        for case, attempts in tried
        for a in attempts
        if a.scored.name == result.name and a.scored.scores is not None
    ]
    if len(sides) < len(tried):
        return None
    areas = [result.auc.value, *(auc(*pair).value for pair in sides)]
    rates = []
    for point in result.tpr_at_fpr:
        found = [tpr_at_fpr(*pair, point.fpr).tpr for pair in sides]
        known = [f.value for f in found if f is not None]
        if point.tpr is not None and len(known) == len(sides):
            rates.append(_part([point.tpr.value, *known], point.fpr, level))
    return Repeats(targets=len(areas), auc=_part(areas, None, level), tpr_at_fpr=rates)


def _part(values: list[float], fpr: float | None, level: float) -> RepeatSpread:
    found = spread(values, confidence=level)
    mean = None
    if found.mean is not None:
        mean = Estimate(value=found.mean.value, low=max(0.0, found.mean.low), high=min(1.0, found.mean.high))
    return RepeatSpread(
        fpr=fpr, values=values, mean=mean, deviation=found.deviation, lowest=found.lowest, highest=found.highest
    )
