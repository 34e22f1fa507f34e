"""False positive lower bounds in 1,000 null runs, and how much of a known epsilon each bound finds.

A lower bound at 95 % may be above the truth in at most 5 % of repetitions. The first table counts, on scores that tell
nothing, how often each bound is positive anyway; beside gnomon's stand the bounds of a threshold that was chosen by
looking at the same scores. The second does the same on mechanisms whose epsilon is known.

    python benchmarks/null_runs.py --runs 1000 --size 1000
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv

from gnomon.stats.intervals import clopper_pearson
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.privacy.epsilon import Bonferroni, Choice, Given, MultiSplit, Split, epsilon_lower_bound
from gnomon.stats.privacy.mechanisms import gaussian_epsilon
from gnomon.stats.privacy.one_run import one_run_bound_from_scores
from gnomon.stats.roc import auc, roc_curve

DELTA = 1e-5
NODES = 1000  # of the quadrature over a posterior
Pair = tuple[np.ndarray, np.ndarray]
Bound = Callable[[np.ndarray, np.ndarray], float]


def naive(confidence: float) -> Bound:
    """The largest bound over all thresholds of the same scores, as if each had been fixed beforehand."""

    def bound(members: np.ndarray, nonmembers: np.ndarray) -> float:
        curve = roc_curve(members, nonmembers)
        tpr_low, _ = clopper_pearson(curve.true_positives, curve.members, confidence=confidence)
        _, fpr_high = clopper_pearson(curve.false_positives, curve.nonmembers, confidence=confidence)
        with np.errstate(divide="ignore"):
            return max(
                0.0,
                float(np.log(np.maximum(tpr_low - DELTA, 0) / fpr_high).max()),
                float(np.log(np.maximum(1 - fpr_high - DELTA, 0) / (1 - tpr_low)).max()),
            )

    return bound


def credible(true_positives: int, members: int, false_positives: int, nonmembers: int) -> float:
    """Lower end of the Bayesian 95 % interval of epsilon (Zanella-Béguelin et al., 2023), with Jeffreys priors.

    No bound with an error rate: so much of the posterior lies below, and nothing is promised of repetitions.
    """
    fnr = (0.5 + members - true_positives, 0.5 + true_positives)
    fpr = (0.5 + false_positives, 0.5 + nonmembers - false_positives)
    # In the quantile of the false-positive rate the posterior is uniform, so the mean over midpoints is its integral.
    nodes = betaincinv(*fpr, (np.arange(NODES) + 0.5) / NODES)

    def above(epsilon: float) -> float:
        least = np.maximum(1 - DELTA - np.exp(epsilon) * nodes, np.exp(-epsilon) * (1 - DELTA - nodes))
        return float(1 - betainc(*fnr, np.clip(least, 0, 1)).mean()) - 0.025

    return 0.0 if above(0.0) >= 0 else float(brentq(above, 0.0, 50.0, xtol=1e-6))


def best_on_the_same(members: np.ndarray, nonmembers: np.ndarray) -> float:
    """The Bayesian bound at the threshold of the best accuracy on the same scores."""
    curve = roc_curve(members, nonmembers)
    best = int(np.argmax(curve.tpr - curve.fpr))
    counts = int(curve.true_positives[best]), curve.members, int(curve.false_positives[best]), curve.nonmembers
    return credible(*counts)


def at_given(members: np.ndarray, nonmembers: np.ndarray) -> float:
    counts = int((members >= 0.5).sum()), members.size, int((nonmembers >= 0.5).sum()), nonmembers.size
    return credible(*counts)


def one_run(members: np.ndarray, nonmembers: np.ndarray, rng: np.random.Generator) -> float:
    coins = rng.random(members.size) < 0.5
    scores = np.where(coins, members, nonmembers)
    return one_run_bound_from_scores(scores, coins, delta=DELTA).epsilon


def bounds_on_epsilon(rng: np.random.Generator) -> dict[str, Bound]:
    def from_scores(choice: Choice) -> Bound:
        return lambda m, n: epsilon_lower_bound(m, n, delta=DELTA, choice=choice, rng=rng).epsilon

    def gaussian(choice: Choice) -> Bound:
        return lambda m, n: epsilon_lower_bound(m, n, delta=DELTA, choice=choice, assume="gaussian", rng=rng).epsilon

    return {
        "epsilon, threshold given": from_scores(Given(0.5)),
        "epsilon, split": from_scores(Split()),
        "epsilon, multi-split (9)": from_scores(MultiSplit(splits=9)),
        "epsilon, Bonferroni (32 ranks)": from_scores(Bonferroni()),
        "epsilon, Gaussian, split": gaussian(Split()),
        "epsilon, Gaussian, Bonferroni": gaussian(Bonferroni()),
        "epsilon, one run (as many canaries)": lambda m, n: one_run(m, n, rng),
        "Bayesian (no promise), threshold given": at_given,
        "naive: best of all, two-sided limits": naive(0.95),
        "naive: best of all, one-sided limits": naive(0.90),
        "naive: Bayesian at the best threshold": best_on_the_same,
    }


def rates_above_chance() -> dict[str, Bound]:
    def tpr(fpr: float) -> Bound:
        def above(members: np.ndarray, nonmembers: np.ndarray) -> float:
            result = tpr_at_fpr(members, nonmembers, fpr).tpr
            return 0.0 if result is None else result.low - fpr

        return above

    return {
        "AUC above 0.5": lambda m, n: auc(m, n).low - 0.5,
        "TPR at 10 % FPR above 10 %": tpr(0.1),
        "TPR at 1 % FPR above 1 %": tpr(0.01),
    }


def null_table(runs: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    print(f"\nFalse positive lower bounds in {runs:,} null runs ({size:,} + {size:,} scores; promised: 5.0 % at most)")
    for name, bound in {**bounds_on_epsilon(rng), **rates_above_chance()}.items():
        positive = sum(bound(rng.normal(size=size), rng.normal(size=size)) > 0 for _ in range(runs))
        print(f"  {name:<42} {positive:5d}  {100 * positive / runs:5.1f} %", flush=True)


def known_table(runs: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def response(epsilon: float) -> Callable[[], Pair]:
        q = 1 / (1 + math.exp(-epsilon))
        return lambda: (1.0 * (rng.random(size) < q), 1.0 * (rng.random(size) >= q))

    def noise(mu: float) -> Callable[[], Pair]:
        return lambda: (rng.normal(mu, 1, size), rng.normal(0, 1, size))

    worlds = {
        "randomised response, epsilon 1": (response(1.0), 1.0),
        "randomised response, epsilon 3": (response(3.0), 3.0),
        "Gaussian noise, mu 1": (noise(1.0), gaussian_epsilon(1.0, DELTA)),
    }
    for world, (draw, truth) in worlds.items():
        print(f"\n{world} ({truth:.3f} at delta {DELTA:g}), {runs:,} runs of {size:,} + {size:,}")
        print(f"  {'':<42} above the truth   median / truth")
        for name, bound in bounds_on_epsilon(rng).items():
            if "Gaussian" in name and "Gaussian" not in world:
                continue  # it promises nothing there
            found = np.array([bound(*draw()) for _ in range(runs)])
            print(f"  {name:<42} {100 * np.mean(found > truth):11.1f} %  {np.median(found) / truth:12.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="null runs a bound")
    parser.add_argument("--size", type=int, default=1000, help="members, and non-members")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    null_table(asked.runs, asked.size, asked.seed)
    known_table(max(asked.runs // 5, 1), asked.size, asked.seed + 1)


if __name__ == "__main__":
    main()
