"""What all tables of a plan and all parts of a record are made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the plan: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(BaseModel):
    """A part of the record: frozen, closed to unknown keys, no infinities."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")


class Estimate(Part):
    """A figure with its interval (level: the plan's confidence)."""

    value: float
    low: float
    high: float


class TprAtFpr(Part):
    """True-positive rate at one false-positive rate, or why it is refused."""

    fpr: float
    tpr: Estimate | None
    false_positives: int | None = None  # non-members at or above the threshold
    refused: str | None = None  # "too few non-members (have 100, need 1000)"
