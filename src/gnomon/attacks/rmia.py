"""Zarifzadeh, Liu and Shokri 2024 (RMIA): is the record likelier under the target than other records are?

How much likelier a record is under the target than under models at large, ratio(x) = p(x | target) / p(x), is compared
with the same ratio of records z that the attacker knows to be no members. The score is the share of z that x beats by
a factor gamma.

For one record that share depends on its own ratio only, and the ratios of z are the same for all records: RMIA orders
records as ratio(x) does. So the share is found by one sort and a binary search, never by an n x z matrix; and records
with the same share, of which there are many with few z, are put in the order of their ratios (within less than one
step of the share, so no record passes another that beats more z).

What the published code does otherwise is not copied: it finds OUT models by zeroing probabilities and sorting, which
takes a probability that underflows for a model that was trained on the record; here the masks say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.queries import note_versions
from gnomon.attacks.parts.shadow_rows import OnlineOffline
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Float64s, Floats
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Need, Population, required
from gnomon.core.protocols import Judge, variant
from gnomon.stats.laws.moments import group_moments, outside_moments
from gnomon.stats.roc import placements
from gnomon.stats.signals import confidence

SMALLEST = float(np.finfo(np.float32).smallest_subnormal)  # a mean probability of 0 counts as this
SLOPES = tuple(round(0.1 * k, 1) for k in range(11))  # the grid of the authors' code
UNTUNED_SLOPE = 0.3  # with a single shadow model nothing can be tuned; the value reported for CIFAR-10, as recalled
PAIRS_AT_ONCE = 2**22
TUNING_SHADOWS, TUNING_ROWS = 16, 20_000


@dataclass(frozen=True)
class Rmia(OnlineOffline):
    """RMIA: online p(x) is the mean of the means over models with and without the record.

    Offline the IN mean is estimated from the OUT mean as slope * OUT + (1 - slope).

    Score: share of population records that x beats by gamma, ties in the order of the ratio; in [0, 1). With several
    queries a record, a population record is beaten where most queries beat it.

    Attributes:
        gamma: how many times likelier x must be than z, above 0.
        slope: offline only, the paper's constant a, in [0, 1]; None tunes it on shadow models (each plays the target on
            the attacker's own rows, best mean AUC on the grid 0, 0.1 .. 1), never on the audited rows.
        correct_population: z were never trained on, so only their OUT mean is known; True estimates their IN mean from
            it as for the audited rows (online by the slope that fits these), as the authors' code does, so that x and z
            are measured alike; False takes the OUT mean itself, which they are true to. Sources disagree, and the
            report says which was done; it moves shares, hardly ever the order.
        online: with models that were trained on the record (`rmia`), or without (`rmia_offline`).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = Rmia().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    gamma: float = 2.0
    slope: float | None = None
    correct_population: bool = True
    online: bool = variant(True)

    names: ClassVar[tuple[str, str]] = ("rmia", "rmia_offline")
    heading: ClassVar[str] = "RMIA"
    paper: ClassVar[str] = "Zarifzadeh, Liu, Shokri 2024"
    reads: ClassVar[frozenset[Need]] = frozenset({"answers", "population"})
    offline_reads: ClassVar[frozenset[Need]] = frozenset({"pool"})

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise UsageError(f"rmia: expected gamma above 0, got gamma={self.gamma}")
        if self.online and self.slope is not None:
            raise UsageError("rmia: the slope belongs to rmia_offline; online the IN mean is measured")
        if self.slope is not None and not 0.0 <= self.slope <= 1.0:
            raise UsageError(f"rmia_offline: expected slope in [0, 1], got slope={self.slope}")

    def learn(self, evidence: Evidence, rng: np.random.Generator) -> Judge:  # noqa: ARG002 - draws nothing
        """The slope that is tuned on shadow models (offline). Gives the share of the population beaten, in [0, 1)."""
        slope = None if self.online else self._slope(evidence)
        return lambda audited: self._judge(audited, slope)

    def _judge(self, evidence: Evidence, given: float | None) -> Floats:
        ratios = []
        for query in evidence.queries:
            own, probabilities, member = query.signals(confidence)
            slope = fitted_slope(probabilities, member) if given is None else given
            normaliser = (online_mean if self.online else offline_mean)(probabilities, member, slope)
            population = query.population or evidence.require("population")
            reference = _population_ratio(population, slope if self.correct_population else 1.0)
            ratios.append((own / np.maximum(normaliser, SMALLEST), reference))
        return _combine(ratios, self.gamma)

    def notes(self, evidence: Evidence) -> list[str]:
        """Says the offline slope and where it came from, how the population was normalised, and how large it is."""
        z = len(evidence.require("population").labels)
        how = (
            "their IN mean estimated as for the audited rows" if self.correct_population else "by their plain OUT mean"
        )
        words = (
            f"compared with {z} population rows, normalised {how}; records that beat equally many are in ratio order"
        )
        return [*([] if self.online else [self._slope_note(evidence)]), words, *note_versions(evidence)]

    def _slope_note(self, evidence: Evidence) -> str:
        origin = "given" if self.slope is not None else "tuned on shadow models"
        if self.slope is None and evidence.require("pool").n_shadows < 2:
            origin = "untuned: that takes at least 2 shadow models"
        slope = self._slope(evidence)
        return f"IN mean estimated as {slope:g} * OUT mean + {1 - slope:g} ({origin})"

    def _slope(self, evidence: Evidence) -> float:
        if self.slope is not None:
            return self.slope
        pool = evidence.require("pool")
        return tuned_slope(pool) if pool.n_shadows > 1 else UNTUNED_SLOPE


def online_mean(probabilities: Floats, member: Bools, slope: float) -> Float64s:
    """(mean IN + mean OUT) / 2 for every row (n,).

    A row without IN models takes slope * OUT + 1 - slope for their mean; one without OUT models the overall OUT mean.

    Args:
        probabilities: (m, n) of the true label; NaN where hidden.
        member: (m, n) the shadow was trained on the row.
        slope: of the estimate for rows without IN models.
    """
    moments = group_moments(probabilities, member)
    outside = np.where(moments.outside.count > 0, moments.outside.mean, moments.outside.overall_mean)
    outside = np.where(np.isnan(outside), moments.inside.mean, outside)
    inside = np.where(moments.inside.count > 0, moments.inside.mean, slope * outside + 1.0 - slope)
    return np.asarray((inside + outside) / 2.0)


def offline_mean(probabilities: Floats, member: Bools, slope: float) -> Float64s:
    """((1 + slope) mean OUT + 1 - slope) / 2 for every row (n,); without OUT models, of the overall OUT mean.

    >>> offline_mean(np.array([[0.4], [0.5]]), np.zeros((2, 1), bool), slope=0.3).round(4)
    array([0.6425])
    """
    outside = outside_moments(probabilities, member)
    mean = np.where(outside.count > 0, outside.mean, outside.overall_mean)
    return np.asarray(((1.0 + slope) * np.nan_to_num(mean, nan=1.0) + 1.0 - slope) / 2.0)


def share_beaten(ratio: Floats, population: Floats, gamma: float) -> Float64s:
    """Share of population records z with ratio(x) / ratio(z) >= gamma, for every x, by one sort.

    Args:
        ratio: (n,) of the audited records, not negative.
        population: (z,) of the population, not negative.
        gamma: factor, above 0.

    Returns:
        (n,) in [0, 1], coarse where z is small.

    >>> share_beaten(np.array([2.0]), np.array([1.0, 6 / 7, 19 / 9, 0.5]), gamma=2.0)
    array([0.75])
    """
    below = np.searchsorted(np.sort(population), np.asarray(ratio) / gamma, side="right")
    return np.asarray(below / len(population), dtype=np.float64)


def fitted_slope(probabilities: Floats, member: Bools) -> float:
    """The slope a of 1 - IN mean = a (1 - OUT mean) by least squares over rows that have both; in [0, 1]."""
    moments = group_moments(probabilities, member)
    both = (moments.inside.count > 0) & (moments.outside.count > 0)
    missed_in, missed_out = 1.0 - moments.inside.mean[both], 1.0 - moments.outside.mean[both]
    total = float(missed_out @ missed_out)
    return float(np.clip(missed_in @ missed_out / total, 0.0, 1.0)) if total > 0 else UNTUNED_SLOPE


def tuned_slope(pool: ShadowAnswers) -> float:
    """The slope of the best mean AUC when each shadow in turn plays the target on the attacker's own rows.

    At most `TUNING_SHADOWS` shadows play and `TUNING_ROWS` rows are looked at: the grid is coarse.
    """
    pool = pool.first(min(pool.n_shadows, TUNING_SHADOWS)).at(np.arange(min(len(pool.rows), TUNING_ROWS)))
    probabilities = pool.signal(confidence)
    areas = np.zeros(len(SLOPES))
    for i in range(pool.n_shadows):
        rows, others = pool.usable[i], np.arange(pool.n_shadows) != i
        inside = pool.member[i, rows]
        if inside.all() or not inside.any():
            continue
        own = probabilities[i, rows].astype(np.float64)
        outside_mean = offline_mean(probabilities[others][:, rows], pool.member[others][:, rows], slope=1.0)
        for k, slope in enumerate(SLOPES):
            ratio = own / np.maximum(((1.0 + slope) * outside_mean + 1.0 - slope) / 2.0, SMALLEST)
            areas[k] += placements(ratio[inside], np.sort(ratio[~inside])).mean()
    return SLOPES[int(np.argmax(areas))] if areas.any() else UNTUNED_SLOPE


def _population_ratio(population: Population, slope: float) -> Float64s:
    shadows = required(population.shadows, "the shadows' answers on the population")
    own = confidence(population.answers, population.labels)
    return np.asarray(own / np.maximum(offline_mean(shadows.signal(confidence), shadows.member, slope), SMALLEST))


def _combine(ratios: list[tuple[Float64s, Float64s]], gamma: float) -> Floats:
    """Share beaten (for several queries, by a majority of them), and within a step the order of the mean ratio."""
    z = len(ratios[0][1])
    if len(ratios) == 1:
        beaten = share_beaten(*ratios[0], gamma) * z
    else:
        beaten = majority_beaten(np.stack([x for x, _ in ratios]), np.stack([p for _, p in ratios]), gamma)
    mean = np.exp(np.mean([np.log(np.maximum(x, SMALLEST)) for x, _ in ratios], axis=0))
    return np.asarray((beaten + mean / (1.0 + mean)) / (z + 1.0))


def majority_beaten(ratio: Floats, population: Floats, gamma: float) -> Float64s:
    """How many population records each record beats in more than half of q queries; a tie counts one half.

    Two queries would else have to agree, and one that tells nothing would silence the other. Reckoned in blocks, never
    n x z at once.

    Args:
        ratio: (q, n) of the audited records.
        population: (q, z) of the population.
        gamma: factor, above 0.
    """
    q, n = ratio.shape
    counts = np.empty(n)
    size = max(1, PAIRS_AT_ONCE // population.shape[1])
    for start in range(0, n, size):
        votes = np.zeros((min(size, n - start), population.shape[1]), dtype=np.int32)
        for x, z in zip(ratio[:, start : start + size], population, strict=True):
            votes += (x / gamma)[:, None] >= z[None, :]
        counts[start : start + size] = (2 * votes > q).sum(axis=1) + (2 * votes == q).sum(axis=1) / 2
    return counts
