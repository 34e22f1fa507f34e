"""What an audit, `gnomon synth` and `gnomon defend --apply` share: a plan in which nothing is left to decide.

All three must meet the very same target: same rows, same seeds, same mitigations. So who is who, the recipes and what
attacks may see are settled here, once, before anything is trained. Then come the target, as an attacker may query it,
and the attacker's rows: a source that makes some replaces the real pool by rows that are appended to the data set, and
everything behind it (shadows, evidence, attacks) stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gnomon.auditing.evidence.access import needs_of, observations_for, queried_rows, refuse
from gnomon.auditing.evidence.mitigations import (
    Mitigations,
    mitigate_model,
    mitigate_training,
    random_records,
    read_mitigations,
)
from gnomon.auditing.inputs.given_answers import revealed_by
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import Parted, RowSplit, draw_roles, draw_training_rows, drop_overlap
from gnomon.auditing.settings import Noting, Progress, Silent
from gnomon.core.answers import Reveal
from gnomon.core.arrays import Ints, Rows, concat_rows, count_rows, fingerprint, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.documents.record import Finding, ShadowSourceFacts
from gnomon.core.errors import PlanError, UsageError
from gnomon.core.evidence import Need
from gnomon.core.plan import Plan, ShadowSource
from gnomon.core.protocols import Attack, Model, ModelAbilities, Observation, Told, TrainerAbilities
from gnomon.core.seeds import Seeds
from gnomon.engines.local import Engine, LocalEngine
from gnomon.models.observations import RandomRecords
from gnomon.models.target import Target, parse_reveal
from gnomon.store.arrays import ArrayStore
from gnomon.synthesis import ClimbRules, climb, count_marginals, label_by_target, load_marginals, noisy
from gnomon.synthesis.marginals import Marginals


@dataclass(frozen=True)
class Prepared:
    """A plan that is ready to be carried out.

    Attributes:
        plan: as it was given.
        inputs: what is audited, with trainers that mitigate where the plan says so.
        split: members, non-members and further rows before roles were drawn.
        left_out: rows that are not audited because they stand on both sides; None where none are.
        roles: who is who.
        mitigations: those of the plan.
        random: records that nobody holds, for mitigations that need answers to such; None where they are not needed.
        attacks: those that the plan names, or all.
        refused: attacks that the plan lets neither query nor look inside: name -> why.
        needs: what the other attacks read.
        observations: what attackers see of target and shadow models next to their answers.
        reveal: what the target reveals of an answer.
        seeds: the root of all random streams.
        store: where models' answers are kept.
        engine: where models are trained.
        progress: who is told.
    """

    plan: Plan
    inputs: AuditInputs
    split: RowSplit
    left_out: Finding | None
    roles: Roles
    mitigations: Mitigations
    random: RandomRecords | None
    attacks: tuple[Attack, ...]
    refused: Mapping[str, str]
    needs: frozenset[Need]
    observations: tuple[Observation, ...]
    reveal: Reveal
    seeds: Seeds
    store: ArrayStore
    engine: Engine
    progress: Progress

    @property
    def data(self) -> Dataset:
        """All rows."""
        return self.inputs.data


def prepare(
    plan: Plan, inputs: AuditInputs, store: ArrayStore, engine: Engine | None = None, progress: Progress | None = None
) -> Prepared:
    """Settles everything that a plan leaves open; trains and queries nothing.

    Args:
        plan: what to do.
        inputs: what to do it to.
        store: where models' answers are kept.
        engine: where models are trained; by default one process a core.
        progress: who is told.

    Raises:
        UsageError: rows that do not suffice, or a mitigation that can't be put on this target.
        GnomonError: other bad input, in one line.
    """
    if plan.target.reveals == "full":
        plan = plan.model_copy(update={"target": plan.target.model_copy(update={"reveals": _revealed(inputs)})})
    told = progress or Silent()
    inputs = _remembering(inputs, store.root, told)
    data, seeds, reveal = inputs.data, Seeds(plan.seed), _reveal(plan.target.reveals, inputs)
    mitigations = read_mitigations(plan.mitigations, plan.data.reference_size, inputs.plugins.mitigations)
    attacks = inputs.plugins.selected(plan.attacks)
    if reveal.kind == "labels" and not mitigations.of_answers:
        inputs = _deciding(inputs)
    split = inputs.parts or draw_training_rows(len(data), plan.data, seeds, data.groups)
    parted = drop_overlap(split, data, own_ids=inputs.own_ids) if plan.data.drop_overlap else Parted(split, 0, 0)
    split = parted.split
    roles = draw_roles(split, plan, seeds, data.groups)
    inputs = mitigate_training(inputs, mitigations, roles, shadows=plan.shadow.mitigated)
    refused = refuse(attacks, plan.attacks, plan.target, plan.view, inputs)
    needs = needs_of(attacks, refused)
    return Prepared(
        plan=plan,
        inputs=inputs,
        split=split,
        left_out=parted.finding,
        roles=roles,
        mitigations=mitigations,
        random=random_records(mitigations, data.features, plan.data.reference_size, seeds),
        attacks=attacks,
        refused=refused,
        needs=needs,
        observations=observations_for(needs, plan.target, inputs, with_shadows=plan.shadow.count > 0),
        reveal=reveal,
        seeds=seeds,
        store=store,
        engine=engine or LocalEngine(),
        progress=told,
    )


def _reveal(said: str, inputs: AuditInputs) -> Reveal:
    return replace(parse_reveal(said), margins=inputs.gives == "margins")


def _revealed(inputs: AuditInputs) -> str:
    """What the target's answers show, where the plan leaves it open."""
    shown = ModelAbilities.of(inputs.model).shown
    if inputs.tables:
        return revealed_by(inputs.tables)
    if shown is not None:
        return shown.reveals
    return "labels" if inputs.gives == "labels" else "full"


def _deciding(inputs: AuditInputs) -> AuditInputs:
    """The inputs with models whose labels follow a rule of their own (a threshold), where they have one."""
    trainer = TrainerAbilities.of(inputs.trainer).deciding() or inputs.trainer
    guessed = TrainerAbilities.of(inputs.shadow_trainer).deciding() or inputs.shadow_trainer
    return replace(
        inputs,
        model=ModelAbilities.of(inputs.model).deciding() or inputs.model,
        trainer=trainer,
        shadow_trainer=trainer if inputs.shadow_trainer is inputs.trainer else guessed,
    )


def _remembering(inputs: AuditInputs, folder: Path, told: Progress) -> AuditInputs:
    """The inputs whose model and trainers keep in a folder what costs something elsewhere."""
    notes = Told(told.stage, told.note) if isinstance(told, Noting) else Told(told.stage)
    model = ModelAbilities.of(inputs.model).remembering(folder, notes) or inputs.model
    trainer = TrainerAbilities.of(inputs.trainer).remembering(folder) or inputs.trainer
    shadow_trainer = trainer
    if inputs.shadow_trainer is not inputs.trainer:
        shadow_trainer = TrainerAbilities.of(inputs.shadow_trainer).remembering(folder) or inputs.shadow_trainer
    return replace(inputs, model=model, trainer=trainer, shadow_trainer=shadow_trainer)


def train_target(prepared: Prepared) -> Model:
    """The target that the shadow pool would train, as a model that can be queried; same rows, same seed."""
    trainer, data = prepared.inputs.trainer, prepared.data
    if trainer is None:
        raise PlanError("nothing to query: give a model, or a recipe in [trainer]")
    seed = prepared.seeds.child("target").integer()
    return trainer.train(data.x, data.y, data.n_classes, [prepared.roles.train], [seed])[0]


def mitigated_target(model: Model, prepared: Prepared) -> Model:
    """The target behind the mitigations of its answers, which are fitted to what its owner holds."""
    return mitigate_model(model, prepared.mitigations, prepared.data, prepared.roles, prepared.random, prepared.seeds)


def make_target(model: Model | None, prepared: Prepared) -> Target | None:
    """The target as an attacker may query it: behind its mitigations, revealing what it reveals, counted."""
    if model is None:
        return None
    plan, budget = prepared.plan.target, prepared.plan.target.query_budget
    if budget is not None and plan.endpoint is not None:  # there it holds for the audited records as well
        budget = max(0, budget - len(queried_rows(prepared.roles)) - plan.requests.twice)
    return Target(mitigated_target(model, prepared), prepared.reveal, budget)


def find_model(prepared: Prepared, *, needed: bool) -> Model | None:
    """The target that was given, or else, if it is needed, the one that is trained here; None if there is neither."""
    inputs = prepared.inputs
    if inputs.model is not None or inputs.answers is not None or not needed:
        return inputs.model
    return train_target(prepared)


@dataclass(frozen=True)
class ShadowData:
    """Rows for shadows: the data set that holds them, the roles that name them, and what they cost."""

    data: Dataset
    roles: Roles
    facts: ShadowSourceFacts


def queries_target(source: ShadowSource) -> bool:
    """Whether rows of this source are made by querying the target."""
    return source.partition(":")[0] in ("marginals", "climbing")


def make_rows(source: ShadowSource, prepared: Prepared, target: Target | None) -> ShadowData:
    """The attacker's rows: real ones, or made from noise, marginals or the target's confidence.

    Args:
        source: which way.
        prepared: the real rows; in the adversary's view noise is added to its pool, and marginals are counted there.
        target: who gives labels and confidences; every query is counted.

    Raises:
        UsageError: the auditor's view, whose shadows are trained on audited rows.
        ClimbInterruptedError: the target failed in the middle; the next run goes on.
    """
    data, roles, plan = prepared.data, prepared.roles, prepared.plan.shadow
    if source == "real":
        return ShadowData(data, roles, ShadowSourceFacts(source="real", rows=len(roles.pool)))
    if roles.view == "auditor":
        raise UsageError(f'shadow.source "{source}" is the adversary\'s: set view = "adversary"')
    if queries_target(source) and target is None:
        raise UsageError(f'shadow.source "{source}" queries the target: give the model itself, not only its answers')
    start = time.perf_counter()
    rng = prepared.seeds.child("synthesis", source).generator()
    wanted = plan.rows or len(roles.pool)
    before = 0 if target is None else target.asked
    real = take_rows(data.x, roles.pool)
    kind, _, option = source.partition(":")
    if kind == "noisy" or target is None:
        rate = float(option or plan.noise)
        x, y = noisy(real, data.features, rate, rng), data.y[roles.pool]
        made = _Made(x, y, [f"each feature of {len(y):,} real records was flipped or redrawn at a rate of {rate:g}"])
    elif kind == "marginals":
        labelled = label_by_target(
            known_marginals(prepared).draw(wanted, rng), target, data.classes, reveal=target.reveal
        )
        made = _Made(labelled.x, labelled.y, [], labelled.unseen)
    else:
        made = _climbed(option or plan.climbing.searcher, prepared, target, rng, wanted, real)
    return _appended(
        source, data, roles, made, 0 if target is None else target.asked - before, time.perf_counter() - start
    )


def known_marginals(prepared: Prepared) -> Marginals:
    """Each feature's frequencies as the attacker is assumed to know them: of a file, or counted on the pool."""
    if prepared.plan.shadow.marginals is not None:
        return load_marginals(Path(prepared.plan.shadow.marginals))
    return count_marginals(take_rows(prepared.data.x, prepared.roles.pool), prepared.data.features)


@dataclass(frozen=True)
class _Made:
    x: Rows
    y: Ints
    notes: list[str]
    unreached: tuple[str, ...] = ()


def _climbed(
    searcher: str, prepared: Prepared, target: Target, rng: np.random.Generator, wanted: int, real: Rows
) -> _Made:
    data, options = prepared.data, prepared.plan.shadow.climbing
    knows = searcher == "guided" and options.guess == "marginals"
    advance, told = prepared.progress.stage("climbing", wanted), [0]

    def step(found: int, _: int) -> None:
        advance(found - told[0])
        told[0] = found

    rules = ClimbRules(
        **{name: getattr(options, name) for name in ("kmax", "kmin", "rejmax", "confmin", "itermax", "failmax")}
    )
    found = climb(
        target,
        data.features,
        data.classes,
        -(-wanted // data.n_classes),
        rng,
        rules=rules,
        searcher="guided" if searcher == "guided" else "plain",
        marginals=count_marginals(real, data.features) if knows else None,
        sharpness=options.sharpness,
        climbers=options.climbers,
        budget=options.budget,
        reveal=target.reveal,
        checkpoint=prepared.store.root / f"climb-{searcher}-{_who(target, real)}.npz",
        progress=step,
    )
    return _Made(found.x, found.y, list(found.notes), found.unreached)


def _who(target: Target, rows: Rows) -> str:
    """A digest of what the target answers: a climb's state must never be taken up before another target."""
    known = ModelAbilities.of(target.model).identity
    if known is not None:
        return known[:16]
    return fingerprint(target.model.log_probs(take_rows(rows, np.arange(min(256, count_rows(rows))))))[:16]


def _appended(
    source: ShadowSource, data: Dataset, roles: Roles, made: _Made, queries: int, seconds: float
) -> ShadowData:
    n = len(made.y)
    if n < 2:
        raise UsageError(f'shadow.source "{source}" gave {n} records; more queries or a lower confmin may give some')
    new = np.arange(len(data), len(data) + n)
    ids = [f"{source}:{i}" for i in range(n)]  # each a person of its own
    extended = replace(
        data,
        x=concat_rows([data.x, made.x]),
        y=np.concatenate([data.y, made.y]),
        ids=np.concatenate([data.ids.astype(object), ids]),
        groups=None if data.groups is None else np.concatenate([data.groups.astype(str), ids]),
    )
    facts = ShadowSourceFacts(
        source=source,
        rows=n,
        queries=queries,
        queries_per_record=queries / n if queries else None,
        unreached=list(made.unreached),
        notes=made.notes,
        seconds=round(seconds, 3),
    )
    return ShadowData(extended, replace(roles, pool=new, population=new), facts)
