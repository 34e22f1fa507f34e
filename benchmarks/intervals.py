"""Intervals for the true-positive rate at a low false-positive rate: how often they hold, and how long they are.

The truth is the share of members above the threshold that accuses a share ``fpr`` of all non-members. Three intervals
of 95 % on the same scores: gnomon's (`gnomon.stats.low_fpr`); four exact bounds apart (two for the threshold, two for
the members) that share the error evenly; and a binomial one at the sample's threshold, as if that were known.

The second table is of what no interval can undercut that looks at the order of scores alone and flips no coins, were
the members' law known: between which ranks of n non-members the threshold lies is then all there is to be missed, and
their number above it is binomial.

The third is of non-members that judge each other, because they are the attacker's pool: each one's score is a
sum over the others, members' are sums over them. Nothing leaks; the models' agreement has so many dimensions.

    python benchmarks/intervals.py --runs 400
    python benchmarks/intervals.py --runs 0 --judging 400
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, norm, t

from gnomon.stats.comparison import auc_difference, tpr_difference
from gnomon.stats.intervals import clopper_pearson
from gnomon.stats.low_fpr import tpr_at_fpr, tpr_at_fprs
from gnomon.stats.roc import auc

Floats = np.ndarray
Bounds = Callable[[Floats, Floats, float], tuple[float, float]]  # of sorted scores
SIZES = (
    (200, 0.1),
    (1000, 0.1),
    (200, 0.01),
    (1000, 0.01),
    (10_000, 0.01),
    (1000, 0.001),
    (5000, 0.001),
    (10_000, 0.001),
)


@dataclass(frozen=True)
class World:
    """Scores whose ROC curve is known."""

    name: str
    draw: Callable[[np.random.Generator, int], tuple[Floats, Floats]]
    truth: Callable[[float], float]


def normal(shift: float, spread: float = 1.0) -> World:
    return World(
        f"normal, +{shift:g}" + ("" if spread == 1 else f", spread {spread:g}"),
        lambda rng, n: (rng.normal(shift, spread, n), rng.normal(0, 1, n)),
        lambda f: float(norm.sf((norm.isf(f) - shift) / spread)),
    )


def heavy(shift: float) -> World:
    return World(
        f"t with 3 degrees, +{shift:g}",
        lambda rng, n: (rng.standard_t(3, n) + shift, rng.standard_t(3, n)),
        lambda f: float(t.sf(t.isf(f, 3) - shift, 3)),
    )


def lattice(shift: float, steps: int) -> World:
    grid = np.arange(-10 * steps, 12 * steps)
    above0, above1 = norm.sf((grid - 0.5) / steps), norm.sf((grid - 0.5) / steps - shift)
    return World(
        f"ties, {steps} values a deviation, +{shift:g}",
        lambda rng, n: (np.round(steps * rng.normal(shift, 1, n)), np.round(steps * rng.normal(0, 1, n))),
        lambda f: float(above1[above0 <= f].max()),
    )


WORLDS = [
    normal(0),
    normal(1),
    normal(2),
    normal(3),
    normal(1, 2),
    heavy(1),
    heavy(3),
    heavy(5),
    lattice(2, 2),
    lattice(2, 10),
    World(
        "30 % far above all",
        lambda rng, n: (rng.normal(0, 1, n) + 50 * (rng.random(n) < 0.3), rng.normal(0, 1, n)),
        lambda f: 0.3 + 0.7 * f,
    ),
    World("separated", lambda rng, n: (2 + rng.random(n), rng.random(n)), lambda _: 1.0),
    World("separated, all members tie", lambda rng, n: (np.ones(n), -rng.random(n)), lambda _: 1.0),
]


def ours(members: Floats, nonmembers: Floats, fpr: float) -> tuple[float, float]:
    interval = tpr_at_fpr(members, nonmembers, fpr).tpr
    assert interval is not None
    return interval.low, interval.high


def four_bounds(members: Floats, nonmembers: Floats, fpr: float) -> tuple[float, float]:
    ranks = int(binom.ppf(0.0125, nonmembers.size, fpr)), int(binom.isf(0.0125, nonmembers.size, fpr)) + 1
    above = [int((members > nonmembers[-rank]).sum()) if rank else 0 for rank in ranks]
    low, high = clopper_pearson(above, members.size, confidence=0.975)
    return float(low[0]), float(high[1])


def threshold_as_given(members: Floats, nonmembers: Floats, fpr: float) -> tuple[float, float]:
    point = tpr_at_fpr(members, nonmembers, fpr).tpr
    assert point is not None
    low, high = clopper_pearson(round(point.value * members.size), members.size)
    return float(low), float(high)


INTERVALS: list[Bounds] = [ours, four_bounds, threshold_as_given]


def row(world: World, n: int, fpr: float, runs: int, seed: int) -> str:
    rng, truth = np.random.default_rng(seed), world.truth(fpr)
    found = np.empty((len(INTERVALS), runs, 2))
    for run in range(runs):
        sides = [np.sort(side) for side in world.draw(rng, n)]
        for i, bounds in enumerate(INTERVALS):
            found[i, run] = bounds(sides[0], sides[1], fpr)
    low, high = found[..., 0], found[..., 1]
    held = 100 * ((low <= truth + 1e-12) & (truth <= high + 1e-12)).mean(axis=1)
    cells = [f"{h:.1f} / {length:.3f}" for h, length in zip(held, (high - low).mean(axis=1), strict=True)]
    return f"| {n:,} | {100 * fpr:g} % | {world.name} | {truth:.4f} | {' | '.join(cells)} | {low[0].mean():.3f} |"


def judged(n: int, dimensions: int, rng: np.random.Generator) -> Floats:
    """Scores (2 n,), members first, of which each is a sum over the non-members other than itself."""
    points = rng.normal(size=(2 * n, dimensions))
    agree = points @ points.T
    np.fill_diagonal(agree, 0.0)
    return np.asarray(agree[:, n:].sum(axis=1))


def judging_row(n: int, dimensions: int, runs: int, seed: int) -> str:
    rng, member, fprs = np.random.default_rng([seed, dimensions]), np.arange(2 * n) < n, (0.1, 0.01)
    held = np.zeros((2, 5), dtype=int)  # by factor: AUC, rates, difference of AUCs, difference of rates
    for _ in range(runs):
        one, other = judged(n, dimensions, rng), judged(n, dimensions, rng)
        for i, wider in enumerate((1.0, 2**0.5)):
            area = auc(one[member], one[~member], wider=wider)
            rates = [point.tpr for point in tpr_at_fprs(one[member], one[~member], fprs, wider=wider)]
            gap = auc_difference(one, other, member, wider=wider).difference
            rate_gap = tpr_difference(one, other, member, 0.1, rng=rng, draws=200, wider=wider).result
            assert rate_gap is not None
            intervals = [area, *rates, gap, rate_gap.difference]
            truths = (0.5, *fprs, 0.0, 0.0)
            held[i] += [t is not None and t.low <= truth <= t.high for t, truth in zip(intervals, truths, strict=True)]
    cells = [f"{100 * after / runs:.1f} ({100 * before / runs:.1f})" for before, after in held.T]
    return f"| {n:,} | {dimensions} | {' | '.join(cells)} |"


def least_coverage(n: int, share: float, missed: float = 0.025) -> float:
    """The least coverage of an interval for the place of a share among n ranks whose ends each miss so much at most.

    >>> round(least_coverage(1000, 0.001), 3)
    0.981
    """
    counts = np.arange(n + 1)
    ends = binom.cdf(counts, n, share), binom.sf(counts, n, share)
    return 1.0 - sum(float(end[end <= missed].max(initial=0.0)) for end in ends)


def order_table() -> None:
    print("| rows | FPR | false positives expected | an interval of two ends of 97.5 % holds in at least |")
    print("|---|---|---|---|")
    for n, fpr in SIZES:
        print(f"| {n:,} | {100 * fpr:g} % | {n * fpr:g} | {100 * least_coverage(n, fpr):.1f} % |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400, help="samples a row")
    parser.add_argument("--judging", type=int, default=0, help="samples a row where non-members judge each other")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.judging:
        print("| rows | dimensions | AUC | TPR at 10 % | TPR at 1 % | difference of AUCs | of TPRs at 10 % |")
        print("|---|---|---|---|---|---|---|")
        for dimensions in (1, 2, 5, 20):
            print(judging_row(200, dimensions, asked.judging, asked.seed), flush=True)
    if not asked.runs:
        return
    order_table()
    print()
    print("| rows | FPR | scores | truth | gnomon: holds % / length | four bounds | threshold given | mean lower end |")
    print("|---|---|---|---|---|---|---|---|")
    for i, (n, fpr) in enumerate(SIZES):
        for j, world in enumerate(WORLDS):
            print(row(world, n, fpr, asked.runs, asked.seed + 100 * i + j), flush=True)


if __name__ == "__main__":
    main()
