"""Stored answers behind mitigations: each model's mitigations are fitted to what that model's owner has at hand.

No model is trained again. What comes out is stored under a key of its own, made of the raw answers' key (which holds
the model's rows and seed), the mitigations and the reference rows; the raw answers stay as they are, for other audits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gnomon.core.arrays import Floats, Ints, check_log_probs, fingerprint
from gnomon.core.errors import StoreError
from gnomon.core.machine import DECIDING_PACKAGES, package_versions
from gnomon.core.mitigations import AnswerMitigation, InOrder, Known, fit_in_order
from gnomon.engines.local import Engine, Task
from gnomon.models.recipe_hash import describe
from gnomon.shadow.pool import PoolAnswers
from gnomon.store.arrays import ArrayStore

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
        mitigations: in their order; with none the pool comes back as it is.
        owner: what all owners have in common.
        members: m arrays of positions among the asked rows.
        seeds: m seeds, of the models; chance in a model's mitigations follows from it.
        store: where raw answers are and mitigated ones are kept.
        engine: mitigations are fitted on the machine of the store, `Engine.here`.
        progress: called with the number of models that have become ready.
    """
    if not mitigations or not found.answers:
        return found
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
    arrays = [[_array(store, looked[key].array) for key in every] for every in wanted]
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


def _array(store: ArrayStore, array: Any) -> Floats:
    if array is None:
        raise StoreError(
            f"{store.root}: answers vanished while they were made; does another run clean the same folder?"
        )
    found: Floats = array
    return found
