"""A plan checked without training or querying anything: what an audit does in its first seconds."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from gnomon.auditing.canaries import draw_canaries
from gnomon.auditing.checks.preflight import check_rows, with_overrides
from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.inputs.roles import shadow_size
from gnomon.auditing.prepare import prepare
from gnomon.auditing.results.repeats import refuse_repeats
from gnomon.auditing.results.slices import cut_rows
from gnomon.auditing.results.threat_model import data_facts
from gnomon.core.documents.check import PlanCheck, PlannedAttack
from gnomon.core.plan import Plan
from gnomon.engines.local import LocalEngine
from gnomon.engines.threads import one_thread
from gnomon.shadow.masks import draw_shadows
from gnomon.store.arrays import ArrayStore


def check_plan(
    plan: Plan, *, trust: bool = False, trust_types: Collection[str] = (), send_to: Collection[str] = ()
) -> PlanCheck:
    """Loads what a plan names, draws who is who, and runs the preflight on the rows.

    Args:
        plan: what to check.
        trust: load pickles and import code that the plan names.
        trust_types: without that, types in the model's file that are taken all the same, by their names.
        send_to: without that, other machines to which the plan may send rows and variables of the environment.

    Raises:
        GnomonError: what would end an audit in one line: a missing file, columns that differ, too few rows.
    """
    with one_thread():
        inputs = load_inputs(plan, trust=trust, trust_types=trust_types, send_to=send_to)
        prepared = prepare(plan, inputs, ArrayStore(Path()), LocalEngine(1))
        refuse_repeats(plan.target.repeats, prepared.inputs.trainer, prepared.roles)
        draw_canaries(plan.canaries, plan.data, prepared.data, prepared.inputs.trainer, prepared.roles, prepared.seeds)
        cut_rows(plan.statistics.slices, prepared.data)
        found = check_rows(prepared, inputs.own_ids)
    shadows = plan.shadow.count if prepared.inputs.shadow_trainer is not None else 0
    size = shadow_size(prepared.roles, plan.shadow.size)
    if shadows and plan.shadow.sources[0] == "real":  # raises where the attacker holds too few rows
        draw_shadows(prepared.roles.pool, shadows, size, prepared.seeds.child("shadow", "rows").generator())
    return PlanCheck(
        name=plan.name,
        target="given" if inputs.model else "answers only" if inputs.answers is not None else "trained here",
        data=data_facts(prepared.data, prepared.roles),
        shadows=shadows,
        training_rows=size,
        attacks=[
            PlannedAttack(name=a.name, title=a.title, refused=prepared.refused.get(a.name)) for a in prepared.attacks
        ],
        findings=with_overrides(found, plan.preflight.override),
    )
