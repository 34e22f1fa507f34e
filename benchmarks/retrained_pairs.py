"""How often two seeds of one recipe, audited on the same rows, differ beyond what the choice of records explains.

The second part audits a leaking recipe with nine seeds and compares all 36 pairs as `gnomon diff` does, four attacks
each: on the same rows, and on rows that are drawn anew.

    python benchmarks/retrained_pairs.py
    python benchmarks/retrained_pairs.py --audits 9
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import RowSplit
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.run import run_audit
from gnomon.core.data.dataset import make_dataset
from gnomon.core.plan import make_plan
from gnomon.datasets import load_dataset
from gnomon.engines.local import LocalEngine
from gnomon.models.sklearn import SklearnTrainer
from gnomon.runs.compare import compare
from gnomon.stats.comparison import auc_difference
from gnomon.stats.roc import auc
from gnomon.store.arrays import ArrayStore

SEEDS, ROWS = 12, 3000
SIDE = 200  # members, and non-members, of an audit
ATTACKS = ("loss", "lira", "calibrated", "reference")
MOVED = ("worse", "better", "mixed")


def outcome(seed: int, same_rows: bool, folder: Path) -> Outcome:
    """An audit of a forest that leaks (AUC .75), trained with this seed."""
    x, y = make_classification(40 * SIDE, 10, n_informative=5, n_redundant=0, flip_y=0.2, random_state=0)
    drawn = np.arange(len(x)) if same_rows else np.random.default_rng(seed).permutation(len(x))
    rows = drawn[: 2 * SIDE]
    trainer = SklearnTrainer(RandomForestClassifier(15, min_samples_leaf=3))
    values = {
        "seed": seed,
        "data": {"members": "(in memory)", "nonmembers": "(in memory)"},
        "shadow": {"count": 6},
        "attacks": {"names": ATTACKS, "ladder": False, "rehearsals": 4},
    }
    inputs = AuditInputs(
        data=make_dataset(x[rows], y[rows], ids=[str(i) for i in rows]),
        parts=RowSplit(np.arange(SIDE), np.arange(SIDE, 2 * SIDE), np.empty(0, np.int64)),
        own_ids=True,
        model=None,
        answers=None,
        trainer=trainer,
        shadow_trainer=trainer,
    )
    return run_audit(make_plan(values, "audit"), inputs, store=ArrayStore(folder), engine=LocalEngine(1))


def diff_table(seeds: int) -> None:
    print("| rows | pairs | `gnomon diff`: worse or better | attack by attack: worse or better |\n|---|---|---|---|")
    for same_rows in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            outcomes = [outcome(seed, same_rows, Path(folder)) for seed in range(seeds)]
        whole, each = Counter[str](), Counter[str]()
        for first, second in combinations(outcomes, 2):
            found = compare(first, second)
            whole[found.change] += 1
            each.update(a.change for a in found.attacks)
        moved = [sum(n for change, n in counts.items() if change in MOVED) for counts in (whole, each)]
        rows = "the same" if same_rows else "drawn anew"
        print(f"| {rows} | {whole.total()} | {moved[0]} | {moved[1]} of {each.total()} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audits", type=int, default=0, help="whole audits to compare in pairs, instead of networks")
    asked = parser.parse_args()
    if asked.audits:
        diff_table(asked.audits)
        return
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
