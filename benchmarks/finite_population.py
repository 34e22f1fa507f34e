"""Two ways in which a true audit figure misleads: the finite population, and the pooled false-positive rate.

The model is as small as a model can be, so that the truth is known: it publishes the mean of its n training rows in d
dimensions, and the signal of a record is its product with that mean. With rows from N(0, 1)^d the best attack has a
shift of mu = sqrt(d / n) standard deviations, and an AUC of Phi(mu / sqrt(2)).

1. The finite population. An audit draws target and shadows from one pool of N rows. They share rows, so their answers
   vary less than those of models trained on fresh rows: by the factor sqrt(1 - n / N). LiRA divides by that spread.
   Before a target of fresh rows, the same scores spread by sqrt(1 + n / N) over what they were said to.
2. The pooled rate. A threshold that accuses 1 % of all non-members of a target does not accuse each of them in 1 % of
   all targets. Counted over many targets, record by record; rows differ in length here, as real records do.

    python benchmarks/finite_population.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from gnomon.attacks.lira import lira_offline_scores, lira_scores
from gnomon.stats.roc import auc

ROWS, WIDTH = 200, 200  # n rows of d features a model
Pair = tuple[np.ndarray, np.ndarray]  # scores of members, of non-members


def masks(models: int, pool: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of each model, (models, pool): ROWS of the pool, drawn without putting back."""
    return rng.random((models, pool)).argsort(axis=1) < ROWS


def signals_of(member: np.ndarray, x: np.ndarray) -> np.ndarray:
    """<x, mean of the model's rows>, (models, pool)."""
    return np.asarray((member @ x / ROWS) @ x.T)


def fresh_signals(member: np.ndarray, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same for models whose other rows are new ones of the population; a member takes the place of one of them."""
    mean = rng.normal(size=(len(member), x.shape[1])) / np.sqrt(ROWS)
    replaced = mean + np.sqrt(1 - 1 / ROWS) * rng.normal(size=mean.shape)  # one of the rows that have this mean
    return np.asarray(mean @ x.T + member * ((x**2).sum(axis=1) - replaced @ x.T) / ROWS)


def scored(observed: np.ndarray, member: np.ndarray, shadows: np.ndarray, inside: np.ndarray) -> Pair:
    """Offline LiRA of every record before every target, in standard deviations: members', non-members'."""
    scores = np.stack([lira_offline_scores(row, shadows, inside, variance="record") for row in observed])
    return scores[member], scores[~member]


def finite_table(pools: int, shadows: int, seed: int) -> None:
    """What an audit in one pool says, what the same attacker achieves on fresh targets, and the truth."""
    rng = np.random.default_rng(seed)
    mu = np.sqrt(WIDTH / ROWS)
    print(f"1. Models of n = {ROWS} rows, {shadows} shadows, threshold for 1 % false positives set within the pool")
    print(f"   ({pools} pools, 20 targets each; a fresh target's other rows are new ones of the population)\n")
    print("   pool N    AUC said   theory   AUC fresh   theory   TPR said   TPR fresh   FPR said   FPR fresh")
    for share in (2, 4, 16):
        said: list[Pair] = []
        fresh: list[Pair] = []
        for _ in range(pools):
            x = rng.normal(size=(share * ROWS, WIDTH))
            inside, member = masks(shadows, len(x), rng), masks(20, len(x), rng)
            known = signals_of(inside, x)
            said.append(scored(signals_of(member, x), member, known, inside))
            coins = rng.random(member.shape) < 0.5
            fresh.append(scored(fresh_signals(coins, x, rng), coins, known, inside))
        (m1, n1), (m2, n2) = (tuple(np.concatenate(side) for side in zip(*p, strict=True)) for p in (said, fresh))
        threshold = np.quantile(n1, 0.99)
        finite, mixed = (norm.cdf(mu / np.sqrt(2 * v)) for v in (1 - 1 / share, 1 + 1 / share))
        rates = [_percent(scores >= threshold) for scores in (m1, m2, n1, n2)]
        print(
            f"   {share * ROWS:6d}    {auc(m1, n1).value:8.3f} {finite:8.3f}   {auc(m2, n2).value:9.3f} {mixed:8.3f}"
            f"   {rates[0]:>8}   {rates[1]:>9}   {rates[2]:>8}   {rates[3]:>9}",
            flush=True,
        )
    print(f"   An attacker whose shadows are trained on fresh rows too: AUC {norm.cdf(mu / np.sqrt(2)):.3f} in theory.")


def _percent(hits: np.ndarray) -> str:
    return f"{100 * hits.mean():.1f} %"


Score = Callable[[np.ndarray], np.ndarray]


def rates_table(targets: int, seed: int) -> None:
    """False-positive rates of single records at a threshold that gives 1 % over all records and targets."""
    rng = np.random.default_rng(seed)
    lengths = np.exp(rng.normal(scale=0.4, size=(2 * ROWS, 1)))
    x = lengths * rng.normal(size=(2 * ROWS, WIDTH))
    member = masks(targets, len(x), rng)
    observed = signals_of(member, x)
    ways: dict[str, Score] = {"the signal itself, one threshold": lambda row: row}
    for count in (16, 256):
        inside = masks(count, len(x), rng)
        known = signals_of(inside, x)
        ways[f"LiRA online, {count} shadows"] = lambda row, k=known, i=inside: lira_scores(row, k, i, "record")  # type: ignore[misc]
        ways[f"LiRA offline, {count} shadows"] = lambda row, k=known, i=inside: lira_offline_scores(row, k, i, "record")  # type: ignore[misc]
    print(f"\n2. False-positive rate of one record over {targets:,} targets, where the pooled rate is 1 %\n")
    print(f"   {'score':<36} {'5 % of records':>15} {'median':>8} {'95 %':>8} {'worst':>8} {'above 2 %':>10}")
    for name, score in ways.items():
        scores = np.stack([score(row) for row in observed])
        _rates(name, scores >= np.quantile(scores[~member], 0.99), member)
    _rates("if every record had 1 % (chance alone)", rng.random(member.shape) < 0.01, member)


def _rates(name: str, accused: np.ndarray, member: np.ndarray) -> None:
    rates = 100 * (accused & ~member).sum(axis=0) / (~member).sum(axis=0)
    low, middle, high, worst = np.quantile(rates, [0.05, 0.5, 0.95, 1])
    above = 100 * (rates > 2).mean()
    print(f"   {name:<38} {low:11.2f} % {middle:6.2f} % {high:6.2f} % {worst:6.2f} % {above:8.1f} %", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pools", type=int, default=20, help="pools of the first table")
    parser.add_argument("--shadows", type=int, default=128, help="shadow models of the first table")
    parser.add_argument("--targets", type=int, default=4000, help="targets of the second table")
    arguments = parser.parse_args()
    finite_table(arguments.pools, arguments.shadows, seed=1)
    rates_table(arguments.targets, seed=2)


if __name__ == "__main__":
    main()
