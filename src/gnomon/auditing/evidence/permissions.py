"""What an audit may see beyond the answers on known rows: further queries, a look inside, the course of training.

The rules, which `gnomon.auditing.prepare` applies:

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

from collections.abc import Collection, Sequence
from dataclasses import replace

from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.core.data.dataset import View
from gnomon.core.evidence import WHITE_BOX, Evidence, Need
from gnomon.core.plan import AttacksPlan, TargetPlan
from gnomon.core.protocols import Attack, Model, ModelAbilities, Trainer, TrainerAbilities
from gnomon.models.observations import Checkpoints, Inside

TRAINS_AGAIN = "looks inside the target, which would be trained once more: name it in [attacks] names"
SEES_SHADOWS = "looks inside the target and the shadow models: name it in [attacks] names"
FOLLOWS = "follows the training: name it in [attacks] names or set target.checkpoints"
CHECKPOINTS = 10  # where an attack is named that reads them and the plan does not say how many
COSTS_QUERIES = "costs queries: name it in [attacks] names or set target.query_budget"


def refuse(
    attacks: Sequence[Attack], asked: AttacksPlan, target: TargetPlan, view: View, inputs: AuditInputs
) -> dict[str, str]:
    """Attacks that a plan lets neither query nor look inside: name -> why.

    What the target would not allow even if the plan did is left out: then the evidence lacks it, and says so.
    """
    found: dict[str, str] = {}
    for attack in attacks:
        reason = _kept_outside(attack, asked.names is not None, target, view, inputs)
        if reason is not None:
            found[attack.name] = reason
        if inputs.answers is not None:
            continue
        if "query" in attack.needs and target.query_budget == 0:
            found[attack.name] = "target.query_budget is 0"
        if "query" in attack.needs and target.query_budget is None and asked.names is None:
            found[attack.name] = COSTS_QUERIES
    return found


def _kept_outside(attack: Attack, named: bool, target: TargetPlan, view: View, inputs: AuditInputs) -> str | None:
    """Why an attack may not look inside models or follow their training; None if it may, can't, or does not want to."""
    looks, follows = attack.needs & WHITE_BOX, "checkpoints" in attack.needs
    if looks and target.reveals != "full":
        return f'looks inside a target that reveals "{target.reveals}" only'
    if follows and target.reveals != "full":
        return f'follows the training of a target that reveals "{target.reveals}" only'
    if named:
        return None
    seen = _observable(inputs)
    if (looks and Inside.name not in seen) or (follows and Checkpoints.name not in seen):
        return None
    if looks and view == "adversary":
        return "looks inside the target: name it in [attacks] names, or take the auditor's view"
    if "inside" in looks:
        return SEES_SHADOWS
    if looks and inputs.model is None:
        return TRAINS_AGAIN
    return FOLLOWS if follows and target.checkpoints is None else None


def needs_of(attacks: Sequence[Attack], refused: Collection[str]) -> frozenset[Need]:
    """What the attacks read that are not refused."""
    return frozenset[Need]().union(*(attack.needs for attack in attacks if attack.name not in refused))


def observations_for(
    needs: Collection[Need], target: TargetPlan, inputs: AuditInputs, *, with_shadows: bool
) -> tuple[Checkpoints | Inside, ...]:
    """What is observed of target and shadow models: what some attack reads, and the models allow."""
    known = (Checkpoints(target.checkpoints or CHECKPOINTS), Inside())
    allowed = _observable(inputs)
    if with_shadows:
        allowed &= TrainerAbilities.of(inputs.shadow_trainer).observable
    return tuple(o for o in known if o.name in needs and o.name in allowed)


def _observable(inputs: AuditInputs) -> frozenset[str]:
    """What can be observed of the target: of the model that is there, or else of one that is trained here."""
    if inputs.model is not None:
        return ModelAbilities.of(inputs.model).observable
    return frozenset() if inputs.answers is not None else TrainerAbilities.of(inputs.trainer).observable


def wants_model(needs: Collection[Need], trainer: Trainer | None) -> bool:
    """Whether attacks need a target that is there, and not only its answers on known rows."""
    return "query" in needs or ("gradients" in needs and TrainerAbilities.of(trainer).network is not None)


def look_inside(evidence: Evidence, model: Model | None, needs: Collection[Need]) -> Evidence:
    """The evidence with the gradients of a torch target, if an attack needs them."""
    if "gradients" not in needs:
        return evidence
    return replace(evidence, gradients=ModelAbilities.of(model).gradients(evidence.x, evidence.labels))
