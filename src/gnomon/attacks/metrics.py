"""Song and Mittal 2021: thresholds on simple metrics, one for all records or one a class.

No attack model is trained: a member is a record whose metric passes a threshold. That often beats trained attack
models, so an audit without these attacks overstates a defence. A threshold a class (learned on shadow models, where
membership is known) does better where some classes are harder than others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from gnomon.attacks.parts.shadow_rows import judged_classes
from gnomon.core.answers import Signal
from gnomon.core.arrays import Bools, Float64s
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack, Judge, variant
from gnomon.stats.calibration import calibrate_threshold
from gnomon.stats.signals import confidence, negative_entropy, negative_modified_entropy

Metric: TypeAlias = Literal["confidence", "entropy", "modified_entropy"]


METRICS: dict[Metric, tuple[str, Signal]] = {
    "confidence": ("Confidence", confidence),
    "entropy": ("Entropy", negative_entropy),
    "modified_entropy": ("Modified entropy", negative_modified_entropy),
}


@dataclass(frozen=True)
class MetricThreshold(Attack):
    """A threshold on a simple metric of the answer, one for all records or one a class.

    Score: the metric, higher = more certain, and in the form by class less the threshold of the record's class, so 0 is
    the decision of every class.

    - "confidence": the probability of the true label, in float64. It ranks like the loss; with thresholds a class the
      two differ, and the difference of probabilities is the better one (measured), because it does not reward ease.
    - "entropy": minus the entropy, in nats. It needs no label, and takes a confident wrong answer for a member's.
    - "modified_entropy": minus the modified entropy, which knows the true label: a confident wrong answer is
      lowest. By class it is the strongest of the paper's attacks.

    Attributes:
        metric: which one.
        by_class: whether each class has a threshold of its own, learned on shadow models.

    >>> from gnomon.testing import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=400)
    >>> attack = MetricThreshold("modified_entropy", by_class=True)
    >>> says_member = attack.score(world.evidence, np.random.default_rng(0)) >= 0
    >>> attack.name, float((says_member == world.member).mean()) > 0.85
    ('modified_entropy_by_class', True)
    """

    metric: Metric = variant("confidence")  # noqa: RUF009 - makes a field
    by_class: bool = variant(False)

    paper: ClassVar[str] = "Song, Mittal 2021"

    @property
    def name(self) -> str:
        """Registry key."""
        return f"{self.metric}_by_class" if self.by_class else self.metric

    @property
    def title(self) -> str:
        """What a report calls it."""
        return METRICS[self.metric][0] + (", a threshold a class" if self.by_class else " threshold")

    @property
    def needs(self) -> frozenset[Need]:
        """Answers, and for thresholds a class shadow models that they are learned on."""
        return frozenset({"answers", "pool"} if self.by_class else {"answers"})

    @property
    def threshold(self) -> float | None:
        """Its own where each class has one."""
        return 0.0 if self.by_class else None

    def learn(self, evidence: Evidence, rng: np.random.Generator) -> Judge:  # noqa: ARG002 - draws nothing
        """Gives the metric in [0, 1], [-log c, 0] or [-206.56, 0], by class less the threshold of the class."""
        signal = METRICS[self.metric][1]
        if not self.by_class:
            return lambda audited: np.asarray(audited.signal(signal))
        thresholds = _thresholds(signal, evidence)
        return lambda audited: np.asarray(audited.signal(signal)) - thresholds[audited.labels]

    def notes(self, evidence: Evidence) -> list[str]:
        """Names the classes that fall back to the common threshold."""
        if not self.by_class:
            return []
        judged = judged_classes(evidence.require("pool"), evidence.n_classes)
        others = [str(c) for c in range(evidence.n_classes) if c not in judged]
        common = f"classes without shadow members or non-members take the common threshold: {', '.join(others)}"
        return [common] if others else []


def _thresholds(signal: Signal, evidence: Evidence) -> Float64s:
    """The best threshold of each class (c,), or the common one where shadows know too little of a class."""
    pool = evidence.require("pool")
    values = np.concatenate([pool.signal_of(i, signal, usable) for i, usable in enumerate(pool.usable)])
    labels, member = np.broadcast_to(pool.labels, pool.usable.shape)[pool.usable], pool.member[pool.usable]
    thresholds = np.full(evidence.n_classes, _best_threshold(values, member))
    for c in judged_classes(pool, evidence.n_classes):
        thresholds[c] = _best_threshold(values[labels == c], member[labels == c])
    return thresholds


def _best_threshold(values: Float64s, member: Bools) -> float:
    """The threshold of the best balanced accuracy, kept finite: the paper's, up to halfway to the next lower value."""
    best = calibrate_threshold(values, member)
    return float(np.clip(best, values.min(), np.nextafter(values.max(), np.inf)))
