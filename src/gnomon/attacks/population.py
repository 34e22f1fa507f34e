"""Ye, Maddi, Murakonda, Bindschaedler and Shokri 2022, attack P: where the record stands among known non-members.

The threshold is a quantile of the target's losses on a population that it was not trained on, so the attacker chooses
their false-positive rate without any shadow model. Records are ordered as by the loss attack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Floats
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
