"""Ye, Maddi, Murakonda, Bindschaedler and Shokri 2022: attacks P (known non-members) and R (reference models).

P: the threshold is a quantile of the target's losses on a population that it was not trained on, so the attacker
chooses their false-positive rate without any shadow model. Records are ordered as by the loss attack.

R: the threshold of a record is a quantile of its losses under reference models that were not trained on it. The
quantiles of r models end at 1 / (r + 1): whatever lies above all of them is all that can be said, and no lower
false-positive rate is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from scipy.special import ndtr

from gnomon.core.arrays import Bools, Floats
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack
from gnomon.stats.signals import scaled_logit


@dataclass(frozen=True)
class PopulationAttack(Attack):
    """Share of known non-members that the target answers with less confidence than the record.

    Score: that share, in [0, 1); records between the same two population records stand in the order of their loss,
    within less than one step of 1 / (z + 1). One minus the score, rounded up to a step, is the false-positive rate
    that the attacker claims, never below 1 / (z + 1).

    Attributes:
        by_class: compare with population records of the record's class only (with all where it has none).

    >>> from gnomon.testing.toy import gaussian_world
    >>> world = gaussian_world(np.random.default_rng(0), gap=4.0)
    >>> scores = PopulationAttack().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    by_class: bool = False

    name: ClassVar[str] = "population"
    title: ClassVar[str] = "Population attack (P)"
    paper: ClassVar[str] = "Ye, Maddi, Murakonda, Bindschaedler, Shokri 2022"
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "population"})

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in [0, 1): share of the population below, ties in the order of the loss."""
        population = evidence.require("population")
        observed = scaled_logit(evidence.require("answers"), evidence.labels)
        known = scaled_logit(population.answers, population.labels)
        if not self.by_class:
            return population_scores(observed, known)
        scores = population_scores(observed, known)
        for c in np.intersect1d(population.labels, evidence.labels):
            rows = evidence.labels == c
            scores[rows] = population_scores(observed[rows], known[population.labels == c])
        return scores

    def notes(self, evidence: Evidence) -> list[str]:
        """Says which false-positive rates the population can tell apart."""
        z = len(evidence.require("population").labels)
        return [f"a population of {z} rows resolves false-positive rates down to 1/{z + 1}"]


def population_scores(observed: Floats, population: Floats) -> Floats:
    """Smoothed rank of each observed signal among the population's.

    Args:
        observed: (n,) signal, higher = more member-like.
        population: (z,) the same signal of known non-members.

    Returns:
        (n,) (records below + something in (0, 1) that grows with the signal) / (z + 1).

    >>> population_scores(np.array([0.0, 9.0]), np.array([-1.0, 1.0])).round(2)
    array([0.5 , 0.97])
    """
    known = np.sort(np.asarray(population, dtype=np.float64))
    below = np.searchsorted(known, observed, side="left")
    return np.asarray((below + 1.0 / (1.0 + np.exp(-np.asarray(observed, dtype=np.float64) / 4.0))) / (len(known) + 1))


Smoothing: TypeAlias = Literal["linear", "normal"]
TIE_SHARE = 1e-3  # of a step, at most: how far the order above all references may move a score


@dataclass(frozen=True)
class ReferenceAttack(Attack):
    """Share of reference models (trained without the record) that answer it with less confidence than the target.

    Score: the share, smoothed, at most r / (r + 1) for r reference models; 1 - score is the false-positive rate that
    the attacker claims. Scores above all references, and below all, differ by less than a thousandth of a step, in
    the order of their distance. A record without reference models is held against all OUT answers of all records.

    Attributes:
        smoothing: "linear" interpolates between neighbouring references; "normal" fits a normal law to them, but
            still claims nothing beyond r / (r + 1).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = ReferenceAttack().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    smoothing: Smoothing = "linear"

    name: ClassVar[str] = "reference"
    title: ClassVar[str] = "Reference attack (R)"
    paper: ClassVar[str] = "Ye, Maddi, Murakonda, Bindschaedler, Shokri 2022"
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows_out"})

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in (0, 1): smoothed share of reference models below the target."""
        return reference_scores(*evidence.signals(scaled_logit), self.smoothing)

    def notes(self, evidence: Evidence) -> list[str]:
        """Says which false-positive rates the references can tell apart."""
        r = int((~evidence.require("shadows").member).sum(axis=0).max(initial=0))
        return [f"at most {r} reference models a record: no false-positive rate below 1/{r + 1} is claimed"]


def reference_scores(observed: Floats, signals: Floats, member: Bools, smoothing: Smoothing = "linear") -> Floats:
    """The attack on arrays.

    Args:
        observed: (n,) the target's signal, higher = more member-like.
        signals: (m, n) the references' signals; IN entries may be NaN and are not looked at.
        member: (m, n) the reference was trained on the row.
        smoothing: "linear" or "normal".

    Returns:
        (n,) smoothed shares.

    >>> reference_scores(np.array([1.5, 9.0]), np.array([[1.0, 1.0], [2.0, 2.0]]), np.zeros((2, 2), bool)).round(2)
    array([0.5 , 0.67])
    """
    values = np.where(member, np.nan, np.asarray(signals, dtype=np.float64))
    seen = ~np.isnan(values)
    count = seen.sum(axis=0)
    observed = np.asarray(observed, dtype=np.float64)
    centre, spread = _centre_and_spread(values, seen)
    distance = (observed - centre) / spread
    ordered = np.sort(values, axis=0)  # NaN last
    share = _interpolated(observed, ordered, count) if smoothing == "linear" else np.asarray(ndtr(distance))
    if (count == 0).any() and seen.any():
        everything = np.sort(values[seen])
        share = np.where(count == 0, np.searchsorted(everything, observed) / (len(everything) + 1.0), share)
    limit = count + 1.0
    squashed = distance / (1.0 + np.abs(distance))  # orders what the references cannot tell apart
    bounded = np.clip(share, 1.0 / limit, np.maximum(count, 1) / limit)
    return np.asarray(bounded - TIE_SHARE / limit * (1.0 - squashed) / 2.0)


def _interpolated(observed: Floats, ordered: Floats, count: Floats) -> Floats:
    """Rank / (r + 1), linear between neighbours; ``ordered``: (m, n) sorted, NaN last."""
    below = (ordered < observed).sum(axis=0)
    rows = np.arange(len(observed))
    last = np.maximum(count - 1, 0)
    lower = ordered[np.clip(below - 1, 0, last), rows]
    upper = ordered[np.clip(below, 0, last), rows]
    gap = upper - lower
    inner = (below > 0) & (below < count) & (gap > 0)
    part = np.where(inner, (observed - lower) / np.where(inner, gap, 1.0), 0.0)
    return np.asarray((below + np.where(below == 0, 0.0, part)) / (count + 1.0))


def _centre_and_spread(values: Floats, seen: Bools) -> tuple[Floats, Floats]:
    """Mean (n,) of the references, and their deviation, at least a tenth of the typical one; overall ones if none."""
    count = seen.sum(axis=0)
    filled = np.where(seen, values, 0.0)
    overall = filled.sum() / max(1, count.sum())
    mean = np.where(count > 0, filled.sum(axis=0) / np.maximum(count, 1), overall)
    squares = np.where(seen, (values - mean) ** 2, 0.0)
    typical = np.sqrt(squares.sum() / max(1, count.sum())) or 1.0
    return mean, np.maximum(np.sqrt(squares.sum(axis=0) / np.maximum(count, 1)), 0.1 * typical)
