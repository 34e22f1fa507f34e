"""How often two seeds of one recipe, audited on the same rows, differ beyond what the choice of records explains.

python benchmarks/retrained_pairs.py
"""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from gnomon.datasets import load_dataset
from gnomon.stats.comparison import auc_difference
from gnomon.stats.roc import auc

SEEDS, ROWS = 12, 3000


def main() -> None:
    data = load_dataset("baskets", classes=10)
    rows = np.random.default_rng(0).permutation(len(data))[:ROWS]
    x, y, member = data.x[rows].astype(float), data.y[rows], np.arange(ROWS) < ROWS // 2
    scores = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for seed in range(SEEDS):
            model = MLPClassifier((32,), max_iter=25, random_state=seed, batch_size=100).fit(x[member], y[member])
            scores.append(model.predict_log_proba(x)[np.arange(ROWS), np.searchsorted(model.classes_, y)])
    areas = [auc(s[member], s[~member]).value for s in scores]
    pairs = list(combinations(scores, 2))
    flagged = sum(auc_difference(a, b, member).change != "within noise" for a, b in pairs)
    spread = float(np.std(areas, ddof=1))
    beyond = sum(abs(a - b) > 2.2 * np.sqrt(2) * spread for a, b in combinations(areas, 2))
    print(f"AUC of {SEEDS} seeds: {min(areas):.4f} to {max(areas):.4f}, standard deviation {spread:.4f}")
    print(f"paired interval of the records alone (95 %): {flagged} of {len(pairs)} pairs differ")
    print(f"spread between trainings alone (95 %, 11 degrees of freedom): {beyond} of {len(pairs)} pairs differ")


if __name__ == "__main__":
    main()
