"""Subject: what a plan or a caller puts under audit, loaded and checked, before roles are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.data import Dataset
from gnomon.core.errors import PlanError, UsageError
from gnomon.core.plan import Plan, TrainerPlan
from gnomon.core.protocols import Model, Trainer
from gnomon.auditing.roles import Parts


@dataclass(frozen=True)
class Subject:
    """What is audited.

    Attributes:
        data: all rows.
        parts: known members, known non-members, further rows; None if the target is to be trained here.
        own_ids: the row ids are the user's own.
        model: the target, if it is given.
        answers: (N, c) the target's answers on all rows, if only these are given.
        trainer: the target's recipe, or None if nobody knows it.
        shadow_trainer: the recipe that the attacker uses; usually the same.
    """

    data: Dataset
    parts: Parts | None
    own_ids: bool
    model: Model | None
    answers: Floats | None
    trainer: Trainer | None
    shadow_trainer: Trainer | None
