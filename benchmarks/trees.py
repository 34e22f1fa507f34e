"""Do shadow models of trees use all cores? Adult, 16 shadow models of scikit-learn's and XGBoost's boosted trees.

    python benchmarks/trees.py                # a minute on two quiet cores
    python benchmarks/trees.py --rows 4000    # smaller

Prints the time of one fit by itself, that of the pool, and how many fits at a time that is: as many as cores would be
perfect. Processor time says what processes cost on top; the load says what else ran.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from xgboost import XGBClassifier

from gnomon.core.arrays import take_rows
from gnomon.core.data.dataset import Dataset
from gnomon.core.protocols import Trainer
from gnomon.core.system import available_cores
from gnomon.datasets.adult import load_adult
from gnomon.engines.local import LocalEngine, one_thread
from gnomon.models.sklearn import SklearnTrainer
from gnomon.shadow.pool import ShadowPool
from gnomon.store.arrays import ArrayStore

LEARNERS = {
    "HistGradientBoostingClassifier": HistGradientBoostingClassifier(max_iter=200, early_stopping=False),
    "XGBClassifier": XGBClassifier(n_estimators=200, tree_method="hist"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="training rows of a model")
    parser.add_argument("--shadows", type=int, default=16)
    options = parser.parse_args()
    data = load_adult()
    cores = available_cores()
    print(f"{options.shadows} models of {options.rows:,} rows of Adult, {cores} cores, load {os.getloadavg()[0]:.1f}")
    print("| model | one fit, s (processor) | all, s (processor) | fits at a time | of cores |")
    print("|---|---|---|---|---|")
    for name, learner in LEARNERS.items():
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        coded = make_column_transformer((encoder, make_column_selector(dtype_include=object)), remainder="passthrough")
        row(name, SklearnTrainer(make_pipeline(coded, learner)), data, options.rows, options.shadows, cores)


def row(name: str, trainer: Trainer, data: Dataset, size: int, shadows: int, cores: int) -> None:
    """One row of the table."""
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.permutation(len(data))[:size]) for _ in range(shadows)]
    asked = np.arange(0, len(data), 10)
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        pool = ShadowPool(ArrayStore(Path(folder)), LocalEngine(cores), trainer)
        pool.answers(data, [r[:200] for r in rows[:cores]], asked, range(cores))  # processes have started and imported
        start = clock()
        [model] = trainer.train(data.x, data.y, data.n_classes, rows[:1], [0])
        model.log_probs(take_rows(data.x, asked))
        one, start = since(start), clock()
        pool.answers(data, rows, asked, range(shadows))
        whole = since(start)
    at_once = shadows * one[0] / whole[0]
    times = f"{one[0]:.2f} ({one[1]:.2f}) | {whole[0]:.1f} ({whole[1]:.1f})"
    print(f"| {name} | {times} | {at_once:.2f} | {at_once / cores:.0%} |", flush=True)


def clock() -> tuple[float, float]:
    """Wall seconds, and seconds of processor time of this process and of the workers that still run."""
    return time.perf_counter(), time.process_time() + sum(map(processor_time, workers()))


def since(start: tuple[float, float]) -> tuple[float, float]:
    """What has passed of both."""
    now = clock()
    return now[0] - start[0], now[1] - start[1]


def workers() -> list[int]:
    """Processes that this one started."""
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return [int(number) for number in own.read_text(encoding="ascii").split()]


def processor_time(process: int) -> float:
    """Seconds of processor time of a running process."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
