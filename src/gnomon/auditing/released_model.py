"""The model of a plan as its owner has it: mitigated as the plan says, and not yet asked by anybody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gnomon.auditing.evidence.answers import AuditContext, train_target
from gnomon.auditing.evidence.mitigations import (
    Mitigations,
    mitigate_model,
    mitigate_training,
    random_records,
    read_mitigations,
)
from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.inputs.roles import who_is_who
from gnomon.auditing.progress import Progress, Silent
from gnomon.core.answers import Reveal
from gnomon.core.data.dataset import Dataset, Roles
from gnomon.core.errors import UsageError
from gnomon.core.plan import Plan
from gnomon.core.protocols import Model, Trainer
from gnomon.core.seeds import Seeds
from gnomon.engines.local import LocalEngine
from gnomon.engines.threads import one_thread
from gnomon.store.arrays import ArrayStore


@dataclass(frozen=True)
class Owned:
    """What an owner holds.

    Attributes:
        data: the rows.
        roles: who is who among them.
        plain: the model that was given, or trained with the mitigations in training.
        model: the same behind the mitigations of its answers.
        mitigations: those of the plan.
        trainer: what it was trained by; None for a model that was given.
    """

    data: Dataset
    roles: Roles
    plain: Model
    model: Model
    mitigations: Mitigations
    trainer: Trainer | None


def make_owned(plan: Plan, *, trust: bool = False, progress: Progress | None = None) -> Owned:
    """The very model that an audit of this plan attacks: same rows, same seeds, same mitigations.

    Args:
        plan: with its mitigations.
        trust: load pickles and import code that the plan names.
        progress: who is told.

    Raises:
        UsageError: only answers of the model are given, or a mitigation that can't be put on it.
        GnomonError: bad input, in one line.
    """
    told = progress or Silent()
    with one_thread():  # as in the audit, whose target must come out the same
        subject, seeds, mitigations = load_inputs(plan, trust=trust), Seeds(plan.seed), read_mitigations(plan)
        data = subject.data
        if subject.answers is not None:
            raise UsageError("a mitigation needs the model itself, but the plan gives only its answers")
        roles = who_is_who(subject.parts, data, plan, seeds)
        subject = mitigate_training(subject, mitigations, roles, plan)
        setting = AuditContext(plan, subject, ArrayStore(Path()), LocalEngine(1), told, seeds, Reveal(), mitigations)
        advance = told.stage("target", 1)
        given = subject.model is not None
        plain = subject.model if subject.model is not None else train_target(data, roles, setting)
        advance(1)
        random = random_records(mitigations, data.features, plan, seeds)
        model = mitigate_model(plain, mitigations, data, roles, random, seeds)
        return Owned(data, roles, plain, model, mitigations, None if given else subject.trainer)
