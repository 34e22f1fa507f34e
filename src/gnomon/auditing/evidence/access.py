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

Where the plan says so, every model is also asked versions of each record (`gnomon.core.data.augmentations`). Shadow
models and a target of their recipe answer all rows in each version when they are trained, so that a rehearsal meets
what the audit meets. A target that is given is asked about the audited and the population rows only: that is what an
attacker would have to ask, and it counts.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.core.answers import Reveal, ShadowAnswers
from gnomon.core.arrays import Floats, Ints, Rows, take_rows
from gnomon.core.data.augmentations import QueryAugmentation, read_augmentations
from gnomon.core.data.dataset import Dataset, Roles, View
from gnomon.core.data.feature_space import FeatureSpace
from gnomon.core.errors import BudgetError
from gnomon.core.evidence import WHITE_BOX, Evidence, Need
from gnomon.core.plan import AttacksPlan, TargetPlan
from gnomon.core.protocols import Attack, Model, ModelAbilities, Trainer, TrainerAbilities
from gnomon.core.seeds import Seeds
from gnomon.models.observations import Checkpoints, Inside
from gnomon.models.target import Target, ask
from gnomon.shadow.pool import PoolAnswers

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
    seen = observable(inputs)
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
    allowed = observable(inputs)
    if with_shadows:
        allowed &= TrainerAbilities.of(inputs.shadow_trainer).observable
    return tuple(o for o in known if o.name in needs and o.name in allowed)


def observable(inputs: AuditInputs) -> frozenset[str]:
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


@dataclass(frozen=True)
class AskedAugmentation:
    """An observation of a model: its answers to one version of the asked rows."""

    version: QueryAugmentation
    space: FeatureSpace
    spread: Floats  # (features,) of the whole data set

    @property
    def name(self) -> str:
        """As the store knows it: two versions may differ in their seeds alone."""
        return self.key

    @property
    def key(self) -> str:
        """The version with its seed; the spread follows from the data, which the model's own key holds."""
        return json.dumps({"version": 1, **asdict(self.version)}, sort_keys=True)

    def of(self, model: Model, asked: Rows, labels: Ints) -> Floats:  # noqa: ARG002 - the protocol's arguments
        """Natural-log probabilities (a, c) of the version of the asked rows."""
        x = self.version.of(asked, self.space, self.spread)
        return ask(model, x, classes=model.n_classes, source=f'answers to "{self.version.name}"')


def asked_augmentations(queries: Sequence[str], data: Dataset, seeds: Seeds) -> tuple[AskedAugmentation, ...]:
    """The versions that ``queries`` (attacks.queries) names.

    Raises:
        UsageError: a version that these rows don't have.
    """
    versions = read_augmentations(queries, data.features, seeds.child("queries"))
    noisy = any(version.noise for version in versions)
    spread = data.features.spread(data.features.encode(data.x)) if noisy else np.zeros(len(data.features))
    return tuple(AskedAugmentation(version, data.features, spread) for version in versions)


def queried_rows(roles: Roles) -> Ints:
    """Rows whose versions an attacker asks the target: sorted, each once."""
    return np.unique(np.concatenate([roles.audited, roles.population]))


def count_queries(
    versions: Sequence[AskedAugmentation], roles: Roles, budget: int | None, target: Target | None
) -> int:
    """How many queries the versions cost; they are charged to the target's budget.

    Raises:
        BudgetError: the budget does not allow them; then nothing was asked.
    """
    wanted = len(versions) * len(queried_rows(roles))
    left = budget if target is None else target.remaining
    if wanted and left is not None and wanted > left:
        raise BudgetError(
            f"attacks.queries: {len(versions)} versions of {len(queried_rows(roles)):,} records are {wanted:,} "
            f"queries, {left:,} are left of target.query_budget; name fewer versions or raise the budget"
        )
    if target is not None:
        target.charge(wanted)
    return wanted


def ask_given(model: Model, data: Dataset, roles: Roles, asked: Ints, version: AskedAugmentation) -> Floats:
    """A given target's answers (a, c) to a version; NaN on asked rows that no attacker asks it about."""
    rows = queried_rows(roles)
    answers = np.full((len(asked), data.n_classes), np.nan, dtype=np.float32)
    answers[np.searchsorted(asked, rows)] = version.of(model, take_rows(data.x, rows), data.y[rows])
    return answers


def with_augmentations(
    evidence: Evidence, places: tuple[Ints, Ints], own: dict[str, Floats], pool: PoolAnswers | None, reveal: Reveal
) -> Evidence:
    """The evidence with one more query a record for each version: masks, labels and order are the record's own.

    Args:
        evidence: of the records themselves.
        places: positions of the audited and of the population rows among the asked.
        own: the target's full answers (a, c) by version.
        pool: the shadows' answers by version, if there are shadows.
        reveal: what the target reveals of an answer.
    """
    audited, known = places
    variants = []
    for name, answers in own.items():
        shown, population = reveal.apply(answers), evidence.population
        shadows = [] if pool is None else pool.observed[name]
        if population is not None:
            others = None if population.shadows is None else _saying(population.shadows, shadows)
            population = replace(population, answers=shown[known], shadows=others, x=None)
        variants.append(
            Evidence(
                labels=evidence.labels,
                n_classes=evidence.n_classes,
                answers=shown[audited],
                shadows=None if evidence.shadows is None else _saying(evidence.shadows, shadows),
                pool=None if evidence.pool is None else _saying(evidence.pool, shadows),
                population=population,
                reveal=reveal,
            )
        )
    return replace(evidence, variants=tuple(variants))


def _saying(shadows: ShadowAnswers, answers: Sequence[Floats]) -> ShadowAnswers:
    """The same shadows with other answers; what is observed of them goes with the record itself."""
    return replace(shadows, answers=answers, observed={})
