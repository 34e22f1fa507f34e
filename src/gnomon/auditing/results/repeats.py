"""Repeated targets: the same recipe on other rows and with other seeds, attacked the same way.

The interval of one audited model covers the choice of records. What another training would have leaked only repeated
targets show. Each draws its members anew from the audited rows and faces the same shadows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gnomon.auditing.evidence.answers import AnswerSet, apply_output_mitigations
from gnomon.auditing.evidence.assemble import AuditCase, assemble, found_by_pool
from gnomon.auditing.inputs.roles import by_group
from gnomon.auditing.prepare import Prepared
from gnomon.auditing.results.scoring import Attempt, attempt_all
from gnomon.core.data.dataset import Roles
from gnomon.core.documents.record import AttackResult, Estimate
from gnomon.core.documents.record_parts import Repeats, RepeatSpread
from gnomon.core.errors import UsageError
from gnomon.core.protocols import Trainer
from gnomon.core.seeds import Seeds
from gnomon.shadow.pool import ShadowPool
from gnomon.stats.intervals import spread
from gnomon.stats.low_fpr import sampled_tprs
from gnomon.stats.roc import auc


def refuse_repeats(count: int, trainer: Trainer | None, roles: Roles) -> None:
    """Says before anything is trained that targets can't be repeated.

    Raises:
        UsageError: nobody knows the recipe, or members of a repeated target would stand in the attacker's pool.
    """
    if count == 1:
        return
    if trainer is None:
        raise UsageError("target.repeats: nobody knows the target's recipe; give it in [trainer]")
    if roles.view == "adversary" and len(np.intersect1d(roles.audited, roles.pool)):
        raise UsageError(
            "target.repeats: audited non-members also stand in the attacker's pool, so they cannot be members of "
            "another target; set data.keep_apart = true"
        )


def add_repeats(results: Sequence[AttackResult], answers: AnswerSet, prepared: Prepared) -> list[AttackResult]:
    """The results with the spread over repeated targets, as many as the plan asks for (the audited one counts)."""
    count, statistics = prepared.plan.target.repeats, prepared.plan.statistics
    engine, progress = prepared.engine, prepared.progress
    if count == 1:
        return list(results)
    cases = _train(count - 1, answers, prepared)
    tried = [
        (
            case,
            attempt_all(prepared.attacks, case.evidence, 0, statistics.fprs, seeds, engine, progress),
        )
        for case, seeds in cases
    ]
    return [
        result
        if result.auc is None
        else result.model_copy(update={"repeats": _spread(result, tried, statistics.confidence)})
        for result in results
    ]


def _train(count: int, answers: AnswerSet, prepared: Prepared) -> list[tuple[AuditCase, Seeds]]:
    """The evidence of so many further targets, and the seeds of each."""
    data, trainer, queries = answers.case.data, prepared.inputs.trainer, answers.queries
    assert trainer is not None  # `refuse_repeats` came first
    roots = [prepared.seeds.child("repeat", i) for i in range(count)]
    drawn = [_redrawn(answers.case, root, whole=prepared.plan.data.split_by_group) for root in roots]
    seeds = [root.child("target").integer() for root in roots]
    advance = prepared.progress.stage("repeats", count)
    pool = ShadowPool(prepared.store, prepared.engine, trainer)
    trained = [r.train for r in drawn]
    found = pool.answers(data, trained, queries.asked, seeds, advance, queries.observations)
    found = apply_output_mitigations(found, trained, seeds, data, queries, prepared)
    return [
        (
            assemble(
                data,
                one,
                queries,
                found_by_pool(found, i),
                answers.pool,
                reveal=prepared.reveal,
                query=None,
                seeds=root,
            ),
            root,
        )
        for i, (one, root) in enumerate(zip(drawn, roots, strict=True))
    ]


def _redrawn(case: AuditCase, seeds: Seeds, *, whole: bool) -> Roles:
    """Other members from the audited rows, as many as before; with ``whole``, whole groups but for one."""
    roles, groups = case.roles, case.data.groups
    order = seeds.child("members").generator().permutation(roles.audited)
    if whole and groups is not None:
        order = by_group(order, groups)
    members, others = np.sort(order[: len(roles.members)]), np.sort(order[len(roles.members) :])
    return replace(roles, members=members, nonmembers=others, train=members)


def _spread(result: AttackResult, tried: Sequence[tuple[AuditCase, Sequence[Attempt]]], level: float) -> Repeats | None:
    """Spread of one attack's figures over the audited target and the repeated ones."""
    assert result.auc is not None
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
        known = [rate for pair in sides for rate in sampled_tprs(*pair, [point.fpr]).values()]
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
