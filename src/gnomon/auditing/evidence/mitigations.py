"""A plan's mitigations in an audit: trainers that mitigate, answers that are mitigated, and who knows of it.

An attacker who knows the mitigations (the default) trains their shadow models with them, and has each shadow answer
through mitigations that are fitted to that shadow's own rows. With ``shadow.mitigated = false`` they are naive: the
target is mitigated, their shadows are not. White-box attacks look inside the network, behind any mitigation of its
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.core.arrays import Floats, Ints, check_log_probs, fingerprint, take_rows
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.data.features import FeatureSpace
from gnomon.core.errors import UsageError
from gnomon.core.mitigations import (
    AnswerMitigation,
    InOrder,
    Known,
    Mitigation,
    Reference,
    TrainingMitigation,
    fit_in_order,
)
from gnomon.core.protocols import Model, Trainer
from gnomon.core.seeds import Seeds
from gnomon.core.system import DECIDING_PACKAGES, package_versions
from gnomon.engines.local import Engine, Task
from gnomon.mitigations import apply_in_training, make_mitigation
from gnomon.models.observations import RandomRecords, draw_records
from gnomon.models.recipe_hash import describe
from gnomon.models.target import MitigatedModel, ask
from gnomon.shadow.pool import PoolAnswers
from gnomon.store.arrays import ArrayStore

RANDOM_RECORDS = 1000


@dataclass(frozen=True)
class Mitigations:
    """What a plan names, by what it acts on, each in the plan's order."""

    in_training: tuple[TrainingMitigation, ...] = ()
    of_answers: tuple[AnswerMitigation, ...] = ()

    @property
    def named(self) -> tuple[Mitigation, ...]:
        """All of them, those in training first."""
        return (*self.in_training, *self.of_answers)

    def __bool__(self) -> bool:
        return bool(self.named)


def read_mitigations(
    names: Sequence[str],
    reference_size: int | None,
    foreign: Mapping[str, AnswerMitigation | TrainingMitigation] = MappingProxyType({}),
) -> Mitigations:
    """The mitigations of these names.

    Args:
        names: as a plan has them.
        reference_size: rows that are held out for them.
        foreign: those of other packages, by what the plan has for them.

    Raises:
        UsageError: no such mitigation, a strength that it can't have, or rows set aside are needed and there are none.
    """
    made = [foreign[text] if text in foreign else make_mitigation(text) for text in names]
    for mitigation in made:
        if "reference" in mitigation.needs and reference_size is None:
            raise UsageError(f'mitigation "{mitigation.label}" needs rows that are held out: give data.reference_size')
    return Mitigations(
        tuple(m for m in made if m.acts_on == "training"),  # type: ignore[misc] # acts_on tells the two apart
        tuple(m for m in made if m.acts_on == "answers"),  # type: ignore[misc]
    )


def mitigate_training(inputs: AuditInputs, mitigations: Mitigations, roles: Roles, *, shadows: bool) -> AuditInputs:
    """The inputs with trainers that mitigate: the target's, and with ``shadows`` the attacker's, who knows of it.

    Raises:
        UsageError: the target is given, or nobody knows its recipe, or the trainer can't do what is asked, or answers
            of so many classes can't be mitigated so.
    """
    c = inputs.data.n_classes
    for simple in mitigations.of_answers:
        if not simple.needs:  # fitted to nothing, so a strength that can't be is refused before anything is trained
            simple.fit(_nothing_known(c), c, 0)
    if not mitigations.in_training:
        return inputs
    names = ", ".join(f'"{m.label}"' for m in mitigations.in_training)
    if inputs.model is not None or inputs.answers is not None or inputs.trainer is None:
        raise UsageError(
            f"mitigations: {names} act in training, but the target is not trained here; set target.train_again to "
            "audit what its recipe makes with them, or name mitigations of answers"
        )
    x, y = inputs.data.x, inputs.data.y
    reference = Reference(take_rows(x, roles.reference), y[roles.reference]) if len(roles.reference) else None

    def mitigated(trainer: Trainer) -> Trainer:
        for mitigation in mitigations.in_training:
            trainer = apply_in_training(mitigation, trainer, reference)
        return trainer

    own = mitigated(inputs.trainer)
    if not shadows or inputs.shadow_trainer is None:
        return replace(inputs, trainer=own)
    same = inputs.shadow_trainer is inputs.trainer
    return replace(inputs, trainer=own, shadow_trainer=own if same else mitigated(inputs.shadow_trainer))


def _nothing_known(n_classes: int) -> Known:
    answers, labels = np.empty((0, n_classes), np.float32), np.empty(0, np.int64)
    return Known(answers, labels, answers, labels, answers)


def random_records(
    mitigations: Mitigations, features: FeatureSpace, reference_size: int | None, seeds: Seeds
) -> RandomRecords | None:
    """Records that all models are asked for mitigations that need such answers.

    With ``data.reference_size`` they are asked in any case: audits that try several mitigations then share all models.
    """
    needed = any("random" in mitigation.needs for mitigation in mitigations.of_answers)
    if not needed and reference_size is None:
        return None
    return draw_records(features, RANDOM_RECORDS, seeds.child("mitigation", "random").generator())


def make_owner(data: Dataset, roles: Roles, asked: Ints) -> Owner:
    """What the owners of target and shadows have in common: the rows set aside."""
    return Owner(data.y[asked], data.n_classes, np.searchsorted(asked, roles.reference).astype(np.int64))


def mitigate_model(
    model: Model, mitigations: Mitigations, data: Dataset, roles: Roles, random: RandomRecords | None, seeds: Seeds
) -> Model:
    """A target that can be asked, behind the mitigations of its answers; itself if there are none."""
    if not mitigations.of_answers:
        return model
    known = _nothing_known(data.n_classes)
    if any(m.needs for m in mitigations.of_answers):
        rows = [roles.train, roles.reference]
        sides = [ask(model, take_rows(data.x, r), classes=data.n_classes, source="target") for r in rows]
        others = known.random if random is None else random.of(model)
        known = Known(sides[0], data.y[rows[0]], sides[1], data.y[rows[1]], others)
    return MitigatedModel(model, fit_in_order(mitigations.of_answers, known, data.n_classes, _seed(seeds)))


def mitigate_answers(answers: Floats, mitigations: Mitigations, owner: Owner, members: Ints, seeds: Seeds) -> Floats:
    """Given answers (a, c) of a target that can't be asked, behind the mitigations; rows without an answer stay so.

    Raises:
        UsageError: a mitigation needs answers to random records.
    """
    for mitigation in mitigations.of_answers:
        if "random" in mitigation.needs:
            raise UsageError(
                f'mitigation "{mitigation.label}" queries the target: give the model, not only its answers'
            )
    if not mitigations.of_answers:
        return answers
    fitted: InOrder = fit_in_order(mitigations.of_answers, owner.known(answers, members), owner.n_classes, _seed(seeds))
    there = ~np.isnan(answers).any(axis=1)
    shown = answers.copy()
    shown[there] = let_through(fitted, answers[there])
    return shown


def _seed(seeds: Seeds) -> int:
    return seeds.child("target").integer()


MITIGATED_VERSION = 1  # raise when what is stored under a key changes its meaning


@dataclass(frozen=True)
class Owner:
    """What the owners of all models of a pool have in common.

    Attributes:
        labels: (a,) class ids of the asked rows.
        n_classes: c.
        reference: positions among the asked rows of those that were set aside.
        versions: names of observations that are answers to versions of the asked rows.
        random: name of the observation that holds answers to random records; None if there are none.
    """

    labels: Ints
    n_classes: int
    reference: Ints
    versions: tuple[str, ...] = ()
    random: str | None = None

    def known(self, answers: Floats, members: Ints, random: Floats | None = None) -> Known:
        """What the owner of one model has at hand.

        Args:
            answers: (a, c) the model's own answers.
            members: positions among the asked rows of those that it was trained on.
            random: (q, c) its answers to random records.
        """
        return Known(
            members=np.asarray(answers[members]),
            member_labels=self.labels[members],
            reference=np.asarray(answers[self.reference]),
            reference_labels=self.labels[self.reference],
            random=np.asarray(answers[:0]) if random is None else np.asarray(random),
        )


def mitigate_pool(
    found: PoolAnswers,
    mitigations: Sequence[AnswerMitigation],
    owner: Owner,
    members: Sequence[Ints],
    seeds: Sequence[int],
    store: ArrayStore,
    engine: Engine,
    progress: Callable[[int], None] | None = None,
) -> PoolAnswers:
    """The pool's answers behind the mitigations, each model's own.

    Args:
        found: raw answers of m models.
        mitigations: one or more, in their order.
        owner: what all owners have in common.
        members: m arrays of positions among the asked rows.
        seeds: m seeds, of the models; chance in a model's mitigations follows from it.
        store: where raw answers are and mitigated ones are kept.
        engine: mitigations are fitted on the machine of the store, `Engine.here`.
        progress: called with the number of models that have become ready.
    """
    given = zip(found.keys, members, seeds, strict=True)
    wanted = [_all_keys(_key(key, mitigations, owner, rows, seed), owner.versions) for key, rows, seed in given]
    looked = {key: store.get(key) for every in wanted for key in every}
    missing = [i for i, every in enumerate(wanted) if any(looked[key].array is None for key in every)]
    if progress is not None and len(missing) < len(wanted):
        progress(len(wanted) - len(missing))
    tasks = [
        Task(
            f"mitigations of model {i + 1}",
            mitigate_one,
            (
                store,
                (found.answers[i], *(found.observed[name][i] for name in owner.versions)),
                wanted[i],
                tuple(mitigations),
                owner,
                members[i],
                None if owner.random is None else found.observed[owner.random][i],
                seeds[i],
            ),
        )
        for i in missing
    ]
    for _ in engine.here.run(tasks):
        if progress is not None:
            progress(1)
    looked |= {key: store.get(key) for i in missing for key in wanted[i]}
    arrays = [[store.kept(looked[key]) for key in every] for every in wanted]
    versions = {name: [every[j] for every in arrays] for j, name in enumerate(owner.versions, start=1)}
    return replace(
        found,
        answers=[every[0] for every in arrays],
        keys=[every[0] for every in wanted],
        observed={**found.observed, **versions},
    )


def mitigate_one(
    store: ArrayStore,
    answers: Sequence[Floats],
    keys: Sequence[str],
    mitigations: Sequence[AnswerMitigation],
    owner: Owner,
    members: Ints,
    random: Floats | None,
    seed: int,
) -> None:
    """One task: fits one model's mitigations and stores what they let through of its answers, version by version."""
    known = owner.known(answers[0], members, random)
    fitted = fit_in_order(mitigations, known, owner.n_classes, seed)
    for key, own in zip(keys, answers, strict=True):
        store.put(key, let_through(fitted, np.asarray(own)), {"seed": seed})


def _all_keys(key: str, versions: Sequence[str]) -> tuple[str, ...]:
    return (key, *(fingerprint(key, "version", name) for name in versions))


def let_through(fitted: InOrder, answers: Floats) -> Floats:
    """Checked answers (n, c) behind fitted mitigations.

    Raises:
        ModelError: a mitigation gave something else than probabilities.
    """
    n, c = answers.shape
    return check_log_probs(fitted(answers), rows=n, classes=c, source="the mitigated answers", whole=False)


def _key(raw: str, mitigations: Sequence[AnswerMitigation], owner: Owner, members: Ints, seed: int) -> str:
    """Everything that decides what is let through: the raw answers and all that a mitigation may be fitted to."""
    return fingerprint(
        ["mitigated", MITIGATED_VERSION],
        raw,
        [describe(m) for m in mitigations],
        owner.labels,
        owner.reference,
        owner.random,
        members,
        seed,
        package_versions(DECIDING_PACKAGES),
    )
