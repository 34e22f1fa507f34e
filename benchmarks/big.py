"""Time and memory of audits of large data on one machine, each in a process of its own.

    python benchmarks/big.py                       # all cases, some minutes
    python benchmarks/big.py --cases answers --scale 0.1

- rows: 200,000 rows x 50 columns, a logistic regression, 16 shadow models.
- answers: 1,000,000 rows of exported answers (half members), 10 classes, no model.
- classes: 20,000 rows, 1,000 classes, a naive Bayes classifier, 16 shadow models.

``--scale`` multiplies the numbers of rows. Memory is the largest of the audit's own process; workers are told apart.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

import gnomon
from gnomon.core.protocols import Trainer
from gnomon.models.sklearn import SklearnTrainer

ATTACKS = ("loss", "lira", "lira_offline", "rmia", "bavaria", "calibrated")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--alone", action="store_true", help="in this process: one row of the table")
    options = parser.parse_args()
    if options.alone:
        print(CASES[options.cases[0]](options.scale))
        return
    print(f"load {os.getloadavg()[0]:.1f} at the start")
    print(
        "| case | s | processor s | by stage | memory, GB | of a worker | verdict |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    for case in options.cases:
        words = [sys.executable, __file__, "--cases", case, "--scale", str(options.scale), "--alone"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        print(done.stdout.strip() or f"| {case} | failed: {done.stderr.strip().splitlines()[-1]} |", flush=True)


def rows(scale: float) -> str:
    """Many rows."""
    n, rng = int(200_000 * scale), np.random.default_rng(0)
    x = rng.normal(size=(n, 50)).astype(np.float32)
    y = (x[:, :5].sum(axis=1) + rng.normal(size=n) > 0).astype(np.int64)
    return audited(f"{n:,} rows x 50", x, y, SklearnTrainer(LogisticRegression(max_iter=50)))


def classes(scale: float) -> str:
    """Many classes."""
    n, rng = int(20_000 * scale), np.random.default_rng(0)
    y = rng.permutation(np.arange(n) % 1000)
    x = (rng.normal(size=(1000, 20))[y] + 0.5 * rng.normal(size=(n, 20))).astype(np.float32)
    return audited(f"{n:,} rows, 1,000 classes", x, y, SklearnTrainer(GaussianNB()))


def audited(title: str, x: Any, y: Any, trainer: Trainer) -> str:
    """A row of the table: half of the rows are members."""
    n = len(x) // 2
    return told(
        title,
        lambda: gnomon.audit(
            members=(x[:n], y[:n]), nonmembers=(x[n:], y[n:]), trainer=trainer, shadows=16, attacks=ATTACKS
        ),
    )


def answers(scale: float) -> str:
    """Exported answers only."""
    n, rng = int(1_000_000 * scale) // 2, np.random.default_rng(0)
    labels, answered = [], []
    for sharper in (1.3, 1.0):  # members are answered better
        labels.append(rng.integers(0, 10, n))
        logits = rng.normal(size=(n, 10))
        logits[np.arange(n), labels[-1]] += 2.0
        probabilities = np.exp(sharper * logits)
        answered.append(probabilities / probabilities.sum(axis=1, keepdims=True))
    inside, outside = ((None, side) for side in labels)
    shown = (answered[0], answered[1])
    return told(f"{2 * n:,} rows of answers", lambda: gnomon.audit(None, inside, outside, trainer=None, answers=shown))


def told(title: str, audit: Callable[[], Any]) -> str:
    """Carries out an audit and makes a row of the table of it."""
    start = time.perf_counter()
    outcome = audit()
    seconds, own = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    stages = ", ".join(f"{k} {v:.0f}" for k, v in outcome.record.provenance.seconds.items() if k != "total" and v >= 1)
    workers = stop_and_count()
    spent = own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime
    memory = f"{own.ru_maxrss / 2**20:.2f} | {workers.ru_maxrss / 2**20:.2f}"
    return f"| {title} | {seconds:.0f} | {spent:.0f} | {stages} | {memory} | {outcome.verdict.level} |"


def stop_and_count() -> resource.struct_rusage:
    """What the worker processes used, counted when they have ended."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN)


CASES: dict[str, Callable[[float], str]] = {"rows": rows, "answers": answers, "classes": classes}

if __name__ == "__main__":
    main()
