"""One test of all attacks at once: which of them tell members from others, with their number paid for.

Scores that tell nothing are exchangeable: which rows are members is then a matter of chance, whatever the scores, and
however the attacks depend on each other. So membership is permuted, the scores stay as they are, and each attack's
result is held against the strongest result of any attack under permutation (min-p with step-down, Westfall & Young,
1993). Each attack is tested two-sided by its AUC and by its tails: the count of members among the few records that it
ranks highest or lowest, which finds the leak of a few that an AUC does not see. An error of at most `LEVEL` covers all
attacks and all their statistics together. Where records belong to persons, persons change sides and not records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array
from scipy.special import log_ndtr, ndtri, ndtri_exp

from gnomon.core.arrays import Bools, Ints
from gnomon.core.errors import DataError
from gnomon.stats.low_fpr import rounded_up
from gnomon.stats.permutation.permuted_sums import Sums, Units, log_tail_p
from gnomon.stats.samples import Doubles, split_scores

Statistic = Literal["auc", "top", "bottom", "persons"]

LEVEL = 0.05  # chance that any attack is found where none tells anything
POWER = 0.8  # of what is called detectable
TOPS = (16, 64, 256, 1024, 4096)  # records that a tail counts, as far as they are an eighth of all
LARGEST_TOP = 1 / 8
LEAST_TOP = 8
TAIL_COST = float(np.log(10.0))  # a tail's p-value counts ten times: leaks in a tail have more of it to spare
SPARE = (
    1.1  # times as many records as today's correction asks for: more records have more tails, which are paid for too
)
EQUAL = 2e-3  # logarithms of p-values closer than this are equal: permuted sums are of single precision


@dataclass(frozen=True)
class Corrected:
    """What the joint test says of one attack."""

    p: float  # adjusted, in [1 / (draws + 1), 1]
    by: Statistic  # the statistic that was strongest
    reversed: bool  # members stand below others
    rows: int | None = None  # of a tail
    members: int | None = None  # among them
    expected: float | None = None  # among as many rows drawn at random
    worth: float | None = None  # independent records that a tail holds, where a person's are all alike (Kish, 1965)


@dataclass(frozen=True)
class JointTest:
    """All attacks of one family, in the order of the scores; and what the test can see."""

    attacks: tuple[Corrected, ...]
    critical: float  # p-value that a statistic must reach on its own
    deviation: float  # standard deviation of an AUC under chance: the largest of the attacks', or that without ties
    members: int
    nonmembers: int
    apart: float = 1.0  # how well scores tell records apart at all: 1 where none tie, 0 where all are alike; the best's

    def detectable_auc(self, power: float = POWER) -> float:
        """The smallest AUC that is found with this probability."""
        return min(1.0, 0.5 + float(-ndtri(self.critical / 2) + ndtri(power)) * self.deviation)

    def required(self, auc: float, power: float = POWER) -> tuple[int, int]:
        """How many members and non-members, in today's proportion, find this AUC with this probability."""
        times = SPARE * ((self.detectable_auc(power) - 0.5) / (auc - 0.5)) ** 2
        return rounded_up(times * self.members), rounded_up(times * self.nonmembers)

    def detectable_tpr(self, fpr: float, power: float = POWER) -> float | None:
        """The smallest true-positive rate at this false-positive rate that a tail finds with this probability.

        Records of one person are worth less than as many persons': counts are divided by how much wider the AUC
        varies by person than by record. None: no rate is found.
        """
        n1, n0 = self.members, self.nonmembers
        wider = max(1.0, self.deviation**2 * 12.0 * n1 * n0 / (n1 + n0 + 1))
        members, others = max(1, round(n1 / wider)), max(1, round(n0 / wider))
        enough = {m: _least(members + others, members, m, self.critical) for m in ladder(members + others)}
        rates = np.linspace(0.0, 1.0, 401)[1:]
        found = np.any([_power(rates, fpr, m, members, others, least) >= power for m, least in enough.items()], axis=0)
        return float(rates[found.argmax()]) if found.any() else None


def joint_test(
    scores: ArrayLike,
    member: Bools,
    *,
    rng: np.random.Generator,
    groups: NDArray[Any] | None = None,
    person_scores: ArrayLike | None = None,
    wider: ArrayLike | None = None,
    level: float = LEVEL,
) -> JointTest:
    """Tests all attacks together.

    Args:
        scores: of a attacks ``(a, n)``, higher = more like a member.
        member: the truth ``(n,)``.
        rng: draws the permutations.
        groups: ids of persons or households ``(n,)``; None: every record is its own.
        person_scores: scores of the persons ``(a, g)``, in the order of ``np.unique(groups)``; NaN: not scored.
        wider: how many times wider than permutations show the results of each attack vary by chance ``(a,)``, 1 or
            more; None: 1. Above 1 where scores of the records of one side depend on each other.
        level: of the whole test, in (0, 1).

    Returns:
        An adjusted p-value for each attack.

    Raises:
        DataError: shapes differ, a side is empty, or NaN.

    >>> rng = np.random.default_rng(0)
    >>> member = np.arange(400) < 200
    >>> signal, noise = member + rng.normal(size=400), rng.normal(size=400)
    >>> first, second = joint_test([signal, noise], member, rng=rng).attacks
    >>> first.by, first.p < 0.01, second.p > 0.05
    ('auc', True, True)
    """
    array, truth = np.atleast_2d(np.asarray(scores, dtype=np.float64)), np.asarray(member)
    for row in array:
        split_scores(row, truth)
    if groups is not None and len(groups) != len(truth):
        raise DataError(f"groups: expected {len(truth)} ids, one a record, got {len(groups)}")
    units = Units.of(truth, groups)
    persons = None if person_scores is None else np.asarray(person_scores, dtype=np.float64)
    named, rows = _statistics(array, units, persons)
    each = [np.flatnonzero(named.attack == i) for i in range(len(array))]
    cost = np.where(np.isin(named.kind, ("top", "bottom")), TAIL_COST, 0.0)
    factor = np.ones(len(array)) if wider is None else np.asarray(wider, dtype=np.float64)
    observed = _shrunk(named.sums.log_p(), factor[named.attack]) + cost
    drawn = named.sums.drawn_log_p(rng, each, cost)
    best = np.asarray([one[np.argmin(observed[one])] for one in each])
    adjusted = _step_down(observed[best], drawn)
    n1 = int(np.count_nonzero(truth))
    n0 = len(truth) - n1
    widest = float(named.sums.deviation[named.kind == "auc"].max()) / (n1 * n0)
    untied = float(np.sqrt((n1 + n0 + 1) / (12 * n1 * n0)))  # scores that tie hide leaks: their AUC varies too little
    return JointTest(
        tuple(_tested(float(p), int(s), named, rows, truth, groups) for p, s in zip(adjusted, best, strict=True)),
        min(level, float(np.exp(np.quantile(drawn.min(axis=1), level, method="lower")))),
        max(widest, untied) * float(factor.max()),
        n1,
        n0,
        max(_apart(row) for row in array),
    )


def chance_p(scores: ArrayLike, member: Bools, groups: NDArray[Any] | None = None) -> tuple[float, bool]:
    """The two-sided p-value of one score's AUC on its own, in closed form, and whether members stand below others.

    Args:
        scores: ``(n,)``, higher = more like a member.
        member: the truth ``(n,)``.
        groups: ids of persons or households ``(n,)``.

    >>> p, below = chance_p([1.0, 1.0, 0.0, 0.0] * 20, np.array([False, False, True, True] * 20))
    >>> p < 1e-6, below
    (True, True)
    """
    array, truth = np.asarray(scores, dtype=np.float64)[None], np.asarray(member)
    split_scores(array[0], truth)
    sums = _statistics(array, Units.of(truth, groups), None, tails=False)[0].sums
    return float(np.exp(sums.log_p()[0])), bool(sums.observed[0] < sums.expected[0])


def _shrunk(log_p: Doubles, factor: Doubles) -> Doubles:
    """Logarithms of two-sided p-values of deviations that are divided by a factor.

    >>> np.exp(_shrunk(np.log([0.05, 1.0]), np.array([1.2, 1.2]))).round(3)
    array([0.102, 1.   ])
    """
    deviation = -np.asarray(ndtri_exp(np.minimum(log_p, 0.0) - np.log(2.0))) / factor
    shrunk: Doubles = np.where(factor > 1, np.log(2.0) + log_ndtr(-deviation), log_p)
    return shrunk


@dataclass(frozen=True)
class _Named:
    """Statistics with the attack and the kind that each belongs to."""

    sums: Sums
    attack: Ints  # (s,)
    kind: NDArray[np.str_]  # (s,)


def _statistics(
    scores: Doubles, units: Units, persons: Doubles | None, *, tails: bool = True
) -> tuple[_Named, list[Ints]]:
    """Ranks, persons and tails of every attack; and the rows of each tail."""
    from scipy.stats import rankdata

    ranks = [rankdata(row) - (scores.shape[1] + 1) / 2 for row in scores]
    dense: list[Doubles] = [np.asarray(np.bincount(units.of_row, one), dtype=np.float64) for one in ranks]
    kinds, attacks = ["auc"] * len(ranks), list(range(len(ranks)))
    for i, row in enumerate(() if persons is None else persons):
        dense.append(_person_ranks(row, units))
        kinds.append("persons")
        attacks.append(i)
    sets: list[Ints] = []
    for i, one in enumerate(ranks):
        for m in ladder(scores.shape[1]) if tails else []:
            for kind, by in (("top", one), ("bottom", -one)):
                sets.append(_tail(by, m))
                kinds.append(kind)
                attacks.append(i)
    ends = np.cumsum([0, *(len(one) for one in sets)])
    of_unit = units.of_row[np.concatenate([np.empty(0, np.int64), *sets])]
    matrix = csc_array((np.ones(len(of_unit)), of_unit, ends), shape=(len(units.member), len(sets)))
    matrix.sum_duplicates()
    return _Named(Sums.of(units, np.stack(dense, axis=1), matrix), np.asarray(attacks), np.asarray(kinds)), sets


def _apart(scores: Doubles) -> float:
    """Variance of the ranks of scores (n,), as a share of what it is where none tie."""
    n = float(len(scores))
    _, ties = np.unique(scores, return_counts=True)
    return float(1.0 - (ties.astype(np.float64) ** 3 - ties).sum() / (n**3 - n))


def ladder(n: int) -> list[int]:
    """Sizes of the tails that are looked at among n rows; fixed beforehand."""
    return [m for m in TOPS if m <= n * LARGEST_TOP]


def _tail(by: Doubles, m: int) -> Ints:
    """The m highest rows; ties at the cut are all in, or all out where they are too many."""
    cut = np.partition(by, len(by) - m)[len(by) - m]
    within = np.flatnonzero(by >= cut)
    if len(within) > 2 * m:
        within = np.flatnonzero(by > cut)
    return within if len(within) >= LEAST_TOP else within[:0]


def _person_ranks(scores: Doubles, units: Units) -> Doubles:
    """Ranks (u,) of persons who stand wholly on one side, about their mean; others count nothing."""
    from scipy.stats import rankdata

    own = np.where(units.group >= 0, scores[units.group], np.nan)
    told = ~np.isnan(own)
    ranks = np.zeros(len(own))
    if told.any():
        ranks[told] = rankdata(own[told]) - (told.sum() + 1) / 2
    return ranks


def _step_down(best: Doubles, drawn: Doubles) -> Doubles:
    """Adjusted p-values (a,): each against the smallest of its own and all weaker attacks' (Westfall & Young, 1993)."""
    order = np.argsort(best, kind="stable")
    smallest = np.minimum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    as_small = np.count_nonzero(smallest <= best[order] + EQUAL, axis=0)
    adjusted = np.empty(len(best))
    adjusted[order] = np.maximum.accumulate((1.0 + as_small) / (1.0 + len(drawn)))
    return adjusted


def _tested(
    p: float, which: int, named: _Named, tails: list[Ints], member: Bools, groups: NDArray[Any] | None
) -> Corrected:
    kind: Any = str(named.kind[which])
    above = bool(named.sums.observed[which] > named.sums.expected[which])
    if kind in ("auc", "persons"):
        return Corrected(p, kind, not above)
    rows = tails[which - (len(named.kind) - len(tails))]
    expected = float(member.mean()) * len(rows)
    own = np.ones(len(rows)) if groups is None else np.unique(groups[rows], return_counts=True)[1].astype(np.float64)
    worth = float(own.sum() ** 2 / (own**2).sum()) if len(rows) else 0.0
    downwards = above if kind == "bottom" else not above
    return Corrected(p, kind, downwards, len(rows), int(member[rows].sum()), expected, worth)


def _least(n: int, members: int, m: int, critical: float) -> int:
    """The least count of members in a tail of m rows, above what is expected, that is found."""
    logs = log_tail_p(n, members, m)
    enough = np.flatnonzero((logs + TAIL_COST <= np.log(critical)) & (np.arange(m + 1) > m * members / n))
    return int(enough[0]) if len(enough) else m + 1


def _power(tpr: Doubles, fpr: float, m: int, members: int, others: int, least: int) -> Doubles:
    """Chance of so many members in a tail of m rows where members stand above all but a share fpr of the others."""
    from scipy.stats import binom

    above, wrong = tpr * members, fpr * others
    left = (m - above - wrong) / np.maximum(members + others - above - wrong, 1.0)
    share = np.where(m <= above + wrong, above / (above + wrong), (above + left * (members - above)) / m)
    return np.asarray(binom.sf(least - 1, m, np.minimum(share, 1.0)), dtype=np.float64)
