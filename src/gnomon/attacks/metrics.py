"""Song and Mittal 2021: thresholds on simple metrics, one for all records or one a class.

No attack model is trained: a member is a record whose metric passes a threshold. That often beats trained attack
models, so an audit without these attacks overstates a defence. A threshold a class (learned on shadow models, where
membership is known) does better where some classes are harder than others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks.demand import demand, judged_classes
from gnomon.core.answers import ShadowAnswers, Signal
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.evidence import Evidence, Need
from gnomon.stats.calibration import calibrate_threshold
from gnomon.stats.signals import confidence, entropy, modified_entropy

PAPER = "Song, Mittal 2021"
GLOBAL: frozenset[Need] = frozenset({"answers"})
BY_CLASS: frozenset[Need] = frozenset({"answers", "pool"})

_Float64s = NDArray[np.float64]


def _negative_entropy(log_probs: Floats, labels: Ints) -> Floats:
    return -entropy(log_probs, labels)


def _negative_modified_entropy(log_probs: Floats, labels: Ints) -> Floats:
    return -modified_entropy(log_probs, labels)


@dataclass(frozen=True)
class Confidence:
    """One threshold on the probability of the true label.

    Score: that probability, in float64. It ranks like the loss; with thresholds a class the two differ, and the
    difference of probabilities is the better one (measured), because it does not reward mere ease.

    >>> from gnomon.testing import noise_world
    >>> world = noise_world(np.random.default_rng(0), n=10)
    >>> Confidence().score(world.evidence, np.random.default_rng(0)).shape
    (10,)
    """

    name: ClassVar[str] = "confidence"
    title: ClassVar[str] = "Confidence threshold"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = GLOBAL
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in [0, 1]: probability of the true label."""
        return _score(confidence, evidence)


@dataclass(frozen=True)
class Entropy:
    """One threshold on the entropy of the answer, which ignores the true label.

    Score: minus the entropy, in nats. It needs no label, and takes a confident wrong answer for a member's.

    >>> from gnomon.testing import noise_world
    >>> world = noise_world(np.random.default_rng(0), n=10)
    >>> bool((Entropy().score(world.evidence, np.random.default_rng(0)) <= 0).all())
    True
    """

    name: ClassVar[str] = "entropy"
    title: ClassVar[str] = "Entropy threshold"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = GLOBAL
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in [-log c, 0]: minus the entropy."""
        return _score(_negative_entropy, evidence)


@dataclass(frozen=True)
class ModifiedEntropy:
    """One threshold on the modified entropy, which knows the true label.

    Score: minus the modified entropy; a confident wrong answer scores lowest.

    >>> from gnomon.testing import noise_world
    >>> world = noise_world(np.random.default_rng(0), n=10)
    >>> bool((ModifiedEntropy().score(world.evidence, np.random.default_rng(0)) <= 0).all())
    True
    """

    name: ClassVar[str] = "modified_entropy"
    title: ClassVar[str] = "Modified entropy threshold"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = GLOBAL
    threshold: ClassVar[float | None] = None

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in [-206.56, 0]: minus the modified entropy."""
        return _score(_negative_modified_entropy, evidence)


@dataclass(frozen=True)
class ConfidenceByClass:
    """A threshold a class on the probability of the true label.

    Score: the probability minus the threshold of the record's class, so 0 is the decision of every class.

    >>> from gnomon.testing import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=400)
    >>> says_member = ConfidenceByClass().score(world.evidence, np.random.default_rng(0)) >= 0
    >>> float((says_member == world.member).mean()) > 0.85
    True
    """

    name: ClassVar[str] = "confidence_by_class"
    title: ClassVar[str] = "Confidence, a threshold a class"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = BY_CLASS
    threshold: ClassVar[float | None] = 0.0

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in [-1, 1]: probability of the true label, minus the threshold of its class."""
        return _score_by_class(confidence, evidence)

    def notes(self, evidence: Evidence) -> list[str]:
        """Names the classes that fall back to the common threshold."""
        return _notes(evidence)


@dataclass(frozen=True)
class EntropyByClass:
    """A threshold a class on the entropy of the answer.

    Score: minus the entropy, minus the threshold of the record's class.

    >>> from gnomon.testing import noise_world
    >>> world = noise_world(np.random.default_rng(0), n=10)
    >>> EntropyByClass().score(world.evidence, np.random.default_rng(0)).shape
    (10,)
    """

    name: ClassVar[str] = "entropy_by_class"
    title: ClassVar[str] = "Entropy, a threshold a class"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = BY_CLASS
    threshold: ClassVar[float | None] = 0.0

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): minus the entropy, minus the threshold of the class."""
        return _score_by_class(_negative_entropy, evidence)

    def notes(self, evidence: Evidence) -> list[str]:
        """Names the classes that fall back to the common threshold."""
        return _notes(evidence)


@dataclass(frozen=True)
class ModifiedEntropyByClass:
    """A threshold a class on the modified entropy: the strongest of the paper's attacks.

    Score: minus the modified entropy, minus the threshold of the record's class.

    >>> from gnomon.testing import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=400)
    >>> says_member = ModifiedEntropyByClass().score(world.evidence, np.random.default_rng(0)) >= 0
    >>> float((says_member == world.member).mean()) > 0.85
    True
    """

    name: ClassVar[str] = "modified_entropy_by_class"
    title: ClassVar[str] = "Modified entropy, a threshold a class"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = BY_CLASS
    threshold: ClassVar[float | None] = 0.0

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,): minus the modified entropy, minus the threshold of the class."""
        return _score_by_class(_negative_modified_entropy, evidence)

    def notes(self, evidence: Evidence) -> list[str]:
        """Names the classes that fall back to the common threshold."""
        return _notes(evidence)


def _score(signal: Signal, evidence: Evidence) -> _Float64s:
    values: _Float64s = np.asarray(signal(demand(evidence.answers, "the target's answers"), evidence.labels))
    return values


def _score_by_class(signal: Signal, evidence: Evidence) -> _Float64s:
    pool = _pool(evidence)
    rows = _known_rows(pool, signal)
    thresholds = np.full(evidence.n_classes, _best_threshold(rows))
    for c in judged_classes(pool, evidence.n_classes):
        thresholds[c] = _best_threshold(_KnownRows(*(column[rows.labels == c] for column in rows)))
    scores: _Float64s = _score(signal, evidence) - thresholds[evidence.labels]
    return scores


def _notes(evidence: Evidence) -> list[str]:
    judged = judged_classes(_pool(evidence), evidence.n_classes)
    others = [c for c in range(evidence.n_classes) if c not in judged]
    if not others:
        return []
    return [f"classes without shadow members or non-members take the common threshold: {', '.join(map(str, others))}"]


class _KnownRows(NamedTuple):
    """Answers of shadow models, pooled over the shadows: (rows,) each."""

    values: _Float64s
    labels: Ints
    member: Bools


def _pool(evidence: Evidence) -> ShadowAnswers:
    return demand(evidence.pool, "shadow models")


def _known_rows(pool: ShadowAnswers, signal: Signal) -> _KnownRows:
    parts = [
        _KnownRows(
            np.asarray(signal(pool.of_shadow(i)[usable], pool.labels[usable]), dtype=np.float64),
            pool.labels[usable],
            pool.member[i][usable],
        )
        for i, usable in enumerate(pool.usable)
    ]
    return _KnownRows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _best_threshold(rows: _KnownRows) -> float:
    """The threshold of the best balanced accuracy, kept finite: the paper's, up to halfway to the next lower value."""
    best = calibrate_threshold(rows.values, rows.member)
    return float(np.clip(best, rows.values.min(), np.nextafter(rows.values.max(), np.inf)))
