"""What an audit says beyond its attacks' figures, where there are shadow models: ladder, agreement, more shadows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gnomon.auditing.agreement import agree
from gnomon.auditing.assemble import Case
from gnomon.auditing.ladder import Judge, climb_ladder
from gnomon.auditing.more_shadows import by_shadows
from gnomon.auditing.scoring import Attempt
from gnomon.core.plan import Plan
from gnomon.core.record import Agreement, ByShadows, Rung
from gnomon.core.seeds import Seeds


@dataclass(frozen=True)
class Further:
    """The record's fields of these names."""

    ladder: list[Rung] = field(default_factory=list)
    agreement: Agreement | None = None
    by_shadows: ByShadows | None = None


def look_further(
    attempts: Sequence[Attempt], headline: str | None, case: Case, plan: Plan, seeds: Seeds, fpr: float
) -> Further:
    """Everything of it, from scores that are there and a few cheap attacks more; nothing if the plan says no.

    Args:
        attempts: the audit's attacks.
        headline: name of the headline attack.
        case: the audited rows.
        plan: the plan.
        seeds: the audit's root.
        fpr: the lowest false-positive rate that the audited rows resolve.
    """
    if not plan.attacks.ladder or case.evidence.shadows is None:
        return Further()
    return Further(
        ladder=climb_ladder(attempts, Judge(case, plan, seeds, fpr)),
        agreement=agree([a.scored for a in attempts], headline, case),
        by_shadows=by_shadows(case, plan, seeds, fpr),
    )
