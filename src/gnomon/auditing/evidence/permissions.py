"""What an audit may see beyond the answers on known rows: further queries, a look inside, the course of training.

The rules, which `gnomon.auditing.run` follows:

- **Queries cost.** A real target counts them, and may charge for them or take note. So attacks that ask run only where
  the plan names them (``attacks.names``) or gives a budget (``target.query_budget``); otherwise they are skipped, and
  say why. A budget is shared out evenly among the attacks that ask; what one leaves, the next ones get.
- **Gradients are the owner's.** White-box attacks run by default in the auditor's view where the target is a torch
  network that was given; never where the plan says that it reveals less than its full answers. For a target that is
  trained here, and in the adversary's view, they run only where the plan names them.
- Attacks that learn from the inside of shadow models run only where the plan names them, too: shadow models whose
  answers are stored are then trained again, once, to be observed.
- The course of training is the owner's too: attacks that follow it run where the plan names them, or says how many
  checkpoints attackers see.
- A target that is trained here keeps its answers, not its weights. Where an attack wants to ask it or to look inside,
  it is trained in this process, from the same rows and seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gnomon.auditing.evidence.assemble import Case
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.core.evidence import WHITE_BOX, Need
from gnomon.core.plan import Plan
from gnomon.core.protocols import Attack, Model
from gnomon.models import NETWORK_TRAINERS
from gnomon.models.observations import Checkpoints, Inside
from gnomon.models.torch.gradients import white_box
from gnomon.models.torch.model import TorchModel

TRAINS_AGAIN = "looks inside the target, which would be trained once more: name it in [attacks] names"
SEES_SHADOWS = "looks inside the target and the shadow models: name it in [attacks] names"
FOLLOWS = "follows the training: name it in [attacks] names or set target.checkpoints"
CHECKPOINTS = 10  # where an attack is named that reads them and the plan does not say how many
COSTS_QUERIES = "costs queries: name it in [attacks] names or set target.query_budget"


def barred(plan: Plan, attacks: Sequence[Attack]) -> dict[str, str]:
    """Attacks that the plan lets neither ask nor look inside: name -> why."""
    found: dict[str, str] = {}
    for attack in attacks:
        reason = _kept_outside(plan, attack)
        if reason is not None:
            found[attack.name] = reason
        if "query" in attack.needs and plan.target.query_budget == 0:
            found[attack.name] = "target.query_budget is 0"
        if "query" in attack.needs and plan.target.query_budget is None and plan.attacks.names is None:
            found[attack.name] = COSTS_QUERIES
    return found


def _kept_outside(plan: Plan, attack: Attack) -> str | None:
    """Why an attack may not look inside models or follow their training; None if it may, or does not want to."""
    looks, follows, named = attack.needs & WHITE_BOX, "checkpoints" in attack.needs, plan.attacks.names
    if looks and plan.target.reveals != "full":
        return f'looks inside a target that reveals "{plan.target.reveals}" only'
    if follows and plan.target.reveals != "full":
        return f'follows the training of a target that reveals "{plan.target.reveals}" only'
    if named is not None:
        return None
    if looks and plan.view == "adversary":
        return "looks inside the target: name it in [attacks] names, or take the auditor's view"
    if "inside" in looks:
        return SEES_SHADOWS
    if looks and plan.target.model is None:
        return TRAINS_AGAIN
    return FOLLOWS if follows and plan.target.checkpoints is None else None


def wanted_observations(
    plan: Plan, subject: AuditInputs, attacks: Sequence[Attack]
) -> tuple[Checkpoints | Inside, ...]:
    """What is observed of target and shadow models: what some attack reads, the plan lets it and the models allow."""
    refused = barred(plan, attacks)
    needs = frozenset[Need]().union(*(attack.needs for attack in attacks if attack.name not in refused))
    known = (Checkpoints(plan.target.checkpoints or CHECKPOINTS), Inside())
    makers = [subject.trainer if subject.model is None else subject.model]
    if plan.shadow.count > 0:
        makers.append(subject.shadow_trainer)
    return tuple(o for o in known if o.name in needs and all(m is not None and o.unfit(m) is None for m in makers))


def wants_model(plan: Plan, subject: AuditInputs, attacks: Sequence[Attack]) -> bool:
    """Whether an attack needs a target that is there, and not only its answers on known rows."""
    refused = barred(plan, attacks)
    needs = frozenset[Need]().union(*(attack.needs for attack in attacks if attack.name not in refused))
    return "query" in needs or ("gradients" in needs and isinstance(subject.trainer, NETWORK_TRAINERS))


def look_inside(case: Case, model: Model | None, plan: Plan, attacks: Sequence[Attack]) -> Case:
    """The case with the gradients of a torch target, if an attack needs them and the plan lets it."""
    refused = barred(plan, attacks)
    wanted = any("gradients" in attack.needs and attack.name not in refused for attack in attacks)
    if not wanted or not isinstance(model, TorchModel):
        return case
    evidence = case.evidence
    return replace(case, evidence=replace(evidence, gradients=white_box(model, evidence.x, evidence.labels)))
