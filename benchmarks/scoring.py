"""Scoring speed: LiRA and RMIA over (m, n) shadow signals in a memory-mapped file.

    python benchmarks/scoring.py                      # 1,000,000 rows x 256 shadows, a file of 1 GB
    python benchmarks/scoring.py --rows 100000 --shadows 64

Prints, for each attack, its time, its ratio to one plain pass over the file (`np.sum` by blocks), and the process's
peak memory; and LiRA's time a record beside the loop over records that published tools use (scipy's normal law, fitted
and evaluated for each record).
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from gnomon.attacks.lira import lira_offline_scores, lira_scores
from gnomon.attacks.rmia import SMALLEST, offline_mean, online_mean, share_beaten

BLOCK = 20_000
POPULATION = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--shadows", type=int, default=256)
    parser.add_argument("--loop-rows", type=int, default=2_000, help="records that the published loop is timed on")
    parser.add_argument("--repeats", type=int, default=3, help="the best of so many runs is printed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), options.rows, options.shadows, options.loop_rows, options.repeats)


def run(folder: Path, rows: int, shadows: int, loop_rows: int, repeats: int) -> None:
    rng = np.random.default_rng(0)
    write_files(folder, rows, shadows, rng)
    logits = np.load(folder / "logits.npy", mmap_mode="r")
    probabilities = np.load(folder / "probabilities.npy", mmap_mode="r")
    member = np.load(folder / "member.npy", mmap_mode="r")
    observed = rng.normal(3.0, 2.0, rows)
    own = 1.0 / (1.0 + np.exp(-observed))
    population = rng.lognormal(0.0, 0.5, POPULATION)

    plain = best_of(repeats, lambda: plain_pass(logits))
    print(
        f"{rows:,} rows x {shadows} shadows, {logits.nbytes / 2**30:.2f} GB; one plain pass: {plain:.2f} s "
        f"({logits.nbytes / 2**30 / plain:.1f} GB/s)"
    )
    attacks: dict[str, Callable[[], Any]] = {
        "lira, global variance": lambda: lira_scores(observed, logits, member, "global"),
        "lira, variance a record": lambda: lira_scores(observed, logits, member, "record"),
        "lira_offline": lambda: lira_offline_scores(observed, logits, member, "global"),
        "rmia": lambda: share_beaten(
            own / np.maximum(online_mean(probabilities, member, 0.3), SMALLEST), population, 2.0
        ),
        "rmia_offline": lambda: share_beaten(
            own / np.maximum(offline_mean(probabilities, member, 0.3), SMALLEST), population, 2.0
        ),
    }
    seconds = {}
    for name, attack in attacks.items():
        seconds[name] = best_of(repeats, attack)
        print(f"{name:26s} {seconds[name]:7.2f} s   {seconds[name] / plain:6.1f} x one plain pass")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB, the mapped file included")

    few = slice(0, loop_rows)
    loop = best_of(1, lambda: published_loop(observed[few], np.array(logits[:, few]), np.array(member[:, few])))
    ours = seconds["lira, variance a record"] / rows
    print(
        f"a record: published loop {1e6 * loop / loop_rows:.1f} us, lira {1e6 * ours:.2f} us, "
        f"{loop / loop_rows / ours:.0f} times faster"
    )


def write_files(folder: Path, rows: int, shadows: int, rng: np.random.Generator) -> None:
    """Random signals and balanced masks, written shadow by shadow."""
    shape = (shadows, rows)
    logits = np.lib.format.open_memmap(folder / "logits.npy", "w+", np.float32, shape)
    probabilities = np.lib.format.open_memmap(folder / "probabilities.npy", "w+", np.float32, shape)
    member = np.lib.format.open_memmap(folder / "member.npy", "w+", np.bool_, shape)
    for i in range(shadows):
        member[i] = ~member[i - 1] if i % 2 else rng.random(rows) < 0.5
        logits[i] = rng.normal(1.0, 1.0, rows) + 3.0 * member[i]
        probabilities[i] = 1.0 / (1.0 + np.exp(-logits[i]))
    for array in (logits, probabilities, member):
        array.flush()


def plain_pass(signals: np.ndarray) -> float:
    return float(sum(np.sum(signals[:, start : start + BLOCK]) for start in range(0, signals.shape[1], BLOCK)))


def published_loop(observed: np.ndarray, signals: np.ndarray, member: np.ndarray) -> list[float]:
    """Online LiRA, one record at a time, with scipy's normal law, as in the code that came with the paper."""
    scores = []
    for j, phi in enumerate(observed):
        inside, outside = signals[member[:, j], j], signals[~member[:, j], j]
        p_in = norm.logpdf(phi, inside.mean(), inside.std() + 1e-30)
        p_out = norm.logpdf(phi, outside.mean(), outside.std() + 1e-30)
        scores.append(float(p_in - p_out))
    return scores


def best_of(repeats: int, run: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
