"""A plan checked without training or querying anything: what an audit does in its first seconds, as a JSON document."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from gnomon.auditing.canaries import draw_canaries
from gnomon.auditing.checks.preflight import check_rows, with_overrides
from gnomon.auditing.evidence.access import observable
from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.inputs.roles import shadow_size
from gnomon.auditing.prepare import Prepared, prepare
from gnomon.auditing.results.threat_model import data_facts
from gnomon.auditing.results.variation import cut_rows, refuse_repeats
from gnomon.auditing.settings import NOTHING, Trust
from gnomon.core.documents.record import DataFacts, Finding
from gnomon.core.documents.schema import Part
from gnomon.core.evidence import NEEDS, Need, lacking
from gnomon.core.plan import Plan
from gnomon.engines.local import LocalEngine, one_thread
from gnomon.models.observations import Inside
from gnomon.shadow.masks import draw_shadows
from gnomon.store.arrays import ArrayStore


class PlannedAttack(Part):
    """An attack that an audit by this plan would try."""

    name: str = Field(description="its name in a plan")
    title: str = Field(description="what a report calls it")
    refused: str | None = Field(
        description="why it would be skipped: kept out by the plan, or its evidence lacks; null: it runs"
    )


class PlanCheck(Part):
    """A plan with the rows and the model that it names, checked as an audit would check them at first."""

    version: Literal[1] = Field(1, description="of this document")
    name: str = Field(description="of the run")
    target: Literal["given", "answers only", "trained here"] = Field(description="what is attacked")
    data: DataFacts = Field(description="the audited rows")
    shadows: int = Field(description="shadow models that the audit would train")
    training_rows: int = Field(description="rows that each of them is trained on")
    attacks: list[PlannedAttack] = Field(description="attacks that the plan names, or all")
    findings: list[Finding] = Field(description="what would make the verdict false, as far as rows alone show it")

    @property
    def stops(self) -> bool:
        """Whether the audit would stop at once."""
        return any(f.severity == "error" and not f.overridden for f in self.findings)


def check_plan(plan: Plan, trusted: Trust = NOTHING) -> PlanCheck:
    """Loads what a plan names, draws who is who, and runs the preflight on the rows.

    Args:
        plan: what to check.
        trusted: what the user trusts.

    Raises:
        GnomonError: what would end an audit in one line: a missing file, columns that differ, too few rows.
    """
    with one_thread():
        inputs = load_inputs(plan, trusted)
        prepared = prepare(plan, inputs, ArrayStore(Path()), LocalEngine(1))
        refuse_repeats(plan.target.repeats, prepared.inputs.trainer, prepared.roles)
        draw_canaries(plan.canaries, plan.data, prepared.data, prepared.inputs.trainer, prepared.roles, prepared.seeds)
        cut_rows(plan.statistics.slices, prepared.data)
        found = check_rows(prepared, inputs.own_ids)
    shadows = plan.shadow.count if prepared.inputs.shadow_trainer is not None else 0
    size = shadow_size(prepared.roles, plan.shadow.size)
    if shadows and plan.shadow.sources[0] == "real":  # raises where the attacker holds too few rows
        draw_shadows(prepared.roles.pool, shadows, size, prepared.seeds.child("shadow", "rows").generator())
    there = foreseen(prepared, with_shadows=shadows > 0)
    return PlanCheck(
        name=plan.name,
        target="given" if inputs.model else "answers only" if inputs.answers is not None else "trained here",
        data=data_facts(prepared.data, prepared.roles),
        shadows=shadows,
        training_rows=size,
        attacks=[
            PlannedAttack(name=a.name, title=a.title, refused=prepared.refused.get(a.name, lacking(a.needs, there)))
            for a in prepared.attacks
        ],
        findings=with_overrides(found, plan.preflight.override),
    )


def foreseen(prepared: Prepared, *, with_shadows: bool) -> set[Need]:
    """The evidence that an audit will have, as far as that is known before any model is queried."""
    roles, inputs, auditor = prepared.roles, prepared.inputs, prepared.plan.view == "auditor"
    there: dict[Need, bool] = {
        "shadows_out": with_shadows,
        "pool": with_shadows,
        "shadows": with_shadows and auditor,
        "population": len(roles.population) > 0,
        "query": inputs.answers is None,
        "x": not prepared.data.bare,
        "gradients": Inside.name in observable(inputs),
        "membership_half": auditor,
    }
    seen = {"labels", "answers", *(o.name for o in prepared.observations)}
    return {need for need in NEEDS if there.get(need, need in seen)}
