"""How often 95 % intervals hold where records come in households, counted by household and by record.

The first table draws scores of known truth: a part of each score is the household's, some households are remembered.
The second carries out whole audits of models that saw neither side (so every true AUC is 0.5), with rows that resemble
each other within a household, and counts audits whose headline interval misses 0.5.

    python benchmarks/groups.py
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from gnomon.auditing.api import audit
from gnomon.core.documents.record import Record
from gnomon.stats.clusters import Groups, split_groups
from gnomon.stats.comparison import auc_difference
from gnomon.stats.intervals import Interval
from gnomon.stats.low_fpr import tpr_at_fpr
from gnomon.stats.rates import rates_at_threshold
from gnomon.stats.roc import auc

ALIKE, LIFT, SLICES = 0.3, 2.5, 4
THRESHOLD, FPR = float(norm.isf(0.3)), 0.01
OVERRIDES = ["distribution-shift", "unseen-models-tell", "labels-mismatch"]
Sides = tuple[np.ndarray, np.ndarray]


def sizes_of(size: int | None, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Household sizes: all alike, or from 1 to 40 with most of them small."""
    if size is not None:
        return np.full(rows // size, size)
    drawn = np.minimum(rng.pareto(1.3, rows) + 1, 40).astype(int)
    return drawn[: int(np.searchsorted(np.cumsum(drawn), rows)) + 1]


def draw(
    remembered: float, size: int | None, rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores of two models (n,), the truth (n,) and the households (n,)."""
    sizes = sizes_of(size, rows, rng)
    homes = np.repeat(np.arange(len(sizes)), sizes)
    member = rng.permutation(np.arange(len(sizes)) % 2 == 0)[homes]
    trait = np.sqrt(ALIKE) * rng.normal(size=len(sizes))[homes]
    scores = [
        trait
        + np.sqrt(1 - ALIKE) * rng.normal(size=len(homes))
        + LIFT * ((rng.random(len(sizes)) < remembered)[homes] & member)
        for _ in range(2)
    ]
    return scores[0], scores[1], member, homes


def sliced(scores: np.ndarray, member: np.ndarray, homes: np.ndarray | None) -> list[Interval]:
    """Intervals of the AUC of slices, at the level at which all hold together; every row's slice is its number's."""
    found, level = [], 1 - 0.05 / SLICES
    for i in range(SLICES):
        part = np.arange(len(scores)) % SLICES == i
        groups = None if homes is None else split_groups(homes[part], member[part])
        sides = scores[part & member], scores[part & ~member]
        found.append(auc(*sides, confidence=level, groups=groups))
    return found


def above(threshold: float, remembered: float) -> float:
    return float((1 - remembered) * norm.sf(threshold) + remembered * norm.sf(threshold - LIFT))


def coverage(runs: int, rows: int) -> None:
    measures: dict[str, Callable[[Sides, Groups | None], Interval | None]] = {
        "AUC": lambda sides, g: auc(*sides, groups=g),
        "accuracy": lambda sides, g: rates_at_threshold(*sides, THRESHOLD, groups=g).accuracy,
        "TPR at 1 % FPR": lambda sides, g: tpr_at_fpr(*sides, FPR, groups=g).tpr,
    }
    print(f"| households | leak | {' | '.join(measures)} | difference of AUCs | AUCs of {SLICES} slices, all |")
    print(f"|---|---|{'---|' * 5}")
    for size in (1, 5, 20, None):
        for remembered in (0.0, 0.3):
            truths = {
                "AUC": 0.5 + remembered * (norm.cdf(LIFT / np.sqrt(2)) - 0.5),
                "accuracy": (1 + above(THRESHOLD, remembered) - 0.3) / 2,
                "TPR at 1 % FPR": above(float(norm.isf(FPR)), remembered),
            }
            rng, hits = np.random.default_rng(1), {name: [0, 0] for name in [*measures, "difference", "slices"]}
            for _ in range(runs):
                first, second, member, homes = draw(remembered, size, rows, rng)
                for i, ids in enumerate((homes, None)):
                    groups = split_groups(ids, member)
                    for name, measure in measures.items():
                        found = measure((first[member], first[~member]), groups)
                        hits[name][i] += found is not None and found.low <= truths[name] <= found.high
                    gap = auc_difference(first, second, member, groups=ids).difference
                    hits["difference"][i] += gap.low <= 0.0 <= gap.high
                    hits["slices"][i] += all(
                        interval.low <= truths["AUC"] <= interval.high for interval in sliced(first, member, ids)
                    )
            cells = " | ".join(f"{100 * a / runs:.1f} ({100 * b / runs:.1f})" for a, b in hits.values())
            print(
                f"| {'of 1 to 40' if size is None else f'of {size}'} | {remembered:.0%} of them | {cells} |", flush=True
            )


def audited(seed: int, size: int, *, grouped: bool) -> Record:
    """A null audit: the model was trained on further households, so neither side is its own."""
    rng = np.random.default_rng(seed)
    count = 800 // size
    homes = np.repeat(np.arange(count), size)
    direction = rng.normal(size=8)
    x = rng.normal(size=(count, 8))[homes] + 0.5 * rng.normal(size=(len(homes), 8))
    y = (x @ direction + 1.5 * rng.normal(size=count)[homes] > 0).astype(int)
    others = rng.normal(size=(200, 8))
    model = LogisticRegression().fit(others, (others @ direction > 0).astype(int))
    sides = homes < count // 2, homes >= count // 2
    tables = [(x[side], y[side]) for side in sides]
    return audit(
        model,
        tables[0],
        tables[1],
        groups=(homes[sides[0]], homes[sides[1]]) if grouped else None,
        shadows=4,
        attacks=("loss", "lira"),
        seed=seed,
        workers=1,
        plan={"preflight": {"override": OVERRIDES}, "attacks": {"ladder": False}},
    ).record


def null_audits(audits: int) -> None:
    print("| households | counted by | headline AUC interval misses 0.5 | verdicts |\n|---|---|---|---|")
    for size in (5, 20):
        for grouped in (True, False):
            missed, levels = 0, Counter[str]()
            for seed in range(audits):
                record = audited(seed, size, grouped=grouped)
                best = next(a for a in record.attacks if a.name == (record.verdict.attack or "loss"))
                missed += best.auc is not None and not best.auc.low <= 0.5 <= best.auc.high
                levels[record.verdict.level] += 1
            words = ", ".join(f"{level} {n}" for level, n in sorted(levels.items()))
            print(
                f"| of {size} | {'household' if grouped else 'record'} | {missed} of {audits} | {words} |", flush=True
            )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--audits", type=int, default=20)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    coverage(arguments.runs, arguments.rows)
    print()
    null_audits(arguments.audits)


if __name__ == "__main__":
    main()
