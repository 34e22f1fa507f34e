"""What an audit ends in: the record, the tables of rows next to it, and what somebody needs to make it again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gnomon.core.arrays import Bools, Floats, Ints, frame_of
from gnomon.core.documents.notebook import summary_html
from gnomon.core.documents.record import Provenance, Record, Verdict
from gnomon.core.errors import UsageError
from gnomon.core.system import made_here, peak_memory_mb


@dataclass(frozen=True)
class RiskTable:
    """Probability of membership of each audited row, at a prior of one half; all (n,), in the order of the ids."""

    ids: list[str]
    labels: list[str]
    groups: list[str] | None
    member: Bools
    score: Floats
    probability: Floats
    low: Floats
    high: Floats
    when_trained: Floats  # mean probability in rehearsals that were trained on the row; NaN if there were none
    trainings: Ints  # how many these were

    def columns(self) -> dict[str, list[Any]]:
        """The columns of risk.csv; the most probable members first."""
        order = np.lexsort((-self.score, -self.probability))
        return {
            "id": [self.ids[i] for i in order],
            "class": [self.labels[i] for i in order],
            **({} if self.groups is None else {"group": [self.groups[i] for i in order]}),
            "member": self.member[order].tolist(),
            "score": self.score[order].tolist(),
            "probability": self.probability[order].tolist(),
            "low": self.low[order].tolist(),
            "high": self.high[order].tolist(),
            "probability_when_trained": [None if np.isnan(v) else float(v) for v in self.when_trained[order]],
            "trainings": self.trainings[order].tolist(),
        }


@dataclass(frozen=True)
class CanaryTable:
    """Every canary with its coin and its score; all (m,)."""

    ids: list[str]
    labels: list[str]
    included: Bools
    score: Floats  # natural log of the probability of the canary's label; higher = guessed in


@dataclass(frozen=True, repr=False)
class Outcome:
    """An audit's record, and the scores that belong to it: attack name -> (n,) in the order of ``ids``."""

    record: Record
    scores: dict[str, Floats]
    ids: list[str]  # (n,) row ids of the audited rows
    member: list[bool]  # (n,) the truth
    risk: RiskTable | None = None
    canaries: CanaryTable | None = None
    groups: list[str] | None = None  # (n,) the person or household of each audited row
    copies: Ints | None = None  # (n,) without groups: equal where rows are copies on one side; None: there are none
    exposure: Floats | None = None  # (n,) how much a record is worth to an attacker; see `vulnerability`

    @property
    def verdict(self) -> Verdict:
        """The record's verdict."""
        return self.record.verdict

    def __getattr__(self, name: str) -> Any:
        """Whatever else the record has: ``attacks``, ``findings``, ``to_frame()`` and so on."""
        if name == "record" or name.startswith("__"):  # half-made by copy or pickle, or asked for a protocol
            raise AttributeError(name)
        return getattr(self.record, name)

    def score_frame(self) -> Any:
        """One row an audited record: id, group, truth, and a column of scores for each attack; higher = member.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        columns: dict[str, Any] = {"id": self.ids, "member": self.member, **self.scores}
        return frame_of(columns if self.groups is None else {"group": self.groups, **columns})

    def risk_frame(self) -> Any:
        """The rows of risk.csv as a data frame: probability of membership by record, the most probable first.

        Raises:
            UsageError: this audit states no probabilities.
            MissingExtraError: pandas is not installed.
        """
        if self.risk is None:
            why = "shadow models teach them, and none played the target (it takes a recipe, and attacks that ran)"
            if self.record.risk is not None and self.record.risk.reason is not None:
                why = f"{self.record.risk.reason}; the report has more"
            raise UsageError(f"this audit states no probabilities of membership: {why}")
        return frame_of(self.risk.columns())

    def __repr__(self) -> str:
        """Short: name, verdict, and how much there is."""
        return (
            f"Outcome({self.record.name!r}, {self.verdict.level}: {self.verdict.headline!r}, "
            f"{len(self.ids)} audited records, scores of {len(self.scores)} attacks)"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return summary_html(self.record)


@dataclass
class Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what runs inside."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)


def provenance(seed: int, seconds: dict[str, float], fingerprints: dict[str, str]) -> Provenance:
    """The provenance of a record made now, on this machine."""
    return Provenance(
        **made_here(),
        seed=seed,
        seconds={**seconds, "total": round(sum(seconds.values()), 3)},
        peak_memory_mb=peak_memory_mb(),
        fingerprints=fingerprints,
    )
