"""The attacker's rows on their own: what a plan's shadow models would be trained on, without the audit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.prepare import find_model, known_marginals, make_rows, make_target, prepare, queries_target
from gnomon.auditing.settings import NOTHING, Progress, Trust
from gnomon.core.arrays import Ints, Rows, take_rows
from gnomon.core.documents.record import ShadowSourceFacts
from gnomon.core.errors import UsageError
from gnomon.core.plan import Plan, ShadowPlan, ShadowSource, make_table
from gnomon.engines.local import LocalEngine, one_thread
from gnomon.store.arrays import ArrayStore
from gnomon.synthesis import Marginals


@dataclass(frozen=True)
class MadeRows:
    """Rows that an attacker made.

    Attributes:
        x: n rows in the form of the plan's data.
        y: (n,) class ids.
        classes: the c class names.
        facts: the source, what it cost, what it could not reach.
        marginals: each feature's frequencies, as the attacker is assumed to know them.
    """

    x: Rows
    y: Ints
    classes: tuple[str, ...]
    facts: ShadowSourceFacts
    marginals: Marginals


def source_to_make(plan: ShadowPlan, asked: str | None) -> ShadowSource:
    """The source that is asked for, or else the first of the plan's that makes anything.

    Raises:
        PlanError: no such source.
        UsageError: real rows, which nobody has to make.

    >>> plan = ShadowPlan(source=("real", "noisy:0.2"))
    >>> source_to_make(plan, None), source_to_make(plan, "marginals")
    ('noisy:0.2', 'marginals')
    """
    wanted = plan if asked is None else make_table(ShadowPlan, {"source": [asked]}, "shadow")
    made = [source for source in wanted.sources if source != "real"]
    if not made:
        raise UsageError(
            "real rows need not be made: name a source that makes some (noisy, noisy:0.2, marginals, climbing, "
            "climbing:guided)"
        )
    return made[0]


def make_attackers_rows(
    plan: Plan,
    source: ShadowSource,
    folder: Path,
    trusted: Trust = NOTHING,
    *,
    progress: Progress | None = None,
) -> MadeRows:
    """Makes the rows that this plan's audit would train its shadow models on: same seed, same target, same rows.

    Args:
        plan: the plan.
        source: which way to make them.
        folder: where a climb keeps its state, so that it goes on after an interruption.
        trusted: what the user trusts.
        progress: who is told.

    Raises:
        UsageError: the auditor's view, or a source that the target does not allow.
        GnomonError: bad input, in one line.
    """
    if plan.view == "auditor":
        raise UsageError(f'shadow.source "{source}" is the adversary\'s: set view = "adversary"')
    with one_thread():  # as in the audit, whose target must come out the same
        inputs = load_inputs(plan, trusted)
        prepared = prepare(plan, inputs, ArrayStore(folder), LocalEngine(1), progress)
        asks = queries_target(source)
        target = make_target(find_model(prepared, needed=True), prepared) if asks else None
        made, data = make_rows(source, prepared, target), prepared.data
        pool = made.roles.pool
        marginals = known_marginals(prepared)
        return MadeRows(take_rows(made.data.x, pool), made.data.y[pool], data.classes, made.facts, marginals)
