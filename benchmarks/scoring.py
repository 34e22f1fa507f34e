"""Scoring speed: LiRA and RMIA over (m, n) shadow signals in a memory-mapped file.

    python benchmarks/scoring.py                      # 1,000,000 rows x 256 shadows, a file of 1 GB
    python benchmarks/scoring.py --rows 100000 --shadows 64

Prints, for each attack, its processor time (of one thread), its ratio to one plain pass over the file (`np.sum` by
blocks) and the process's peak memory so far; and LiRA's time a record next to the loop over records that published
tools use (scipy's normal law, fitted and evaluated for each record).
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
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
    observed = rng.normal(3.0, 2.0, rows)
    own = 1.0 / (1.0 + np.exp(-observed))
    population = rng.lognormal(0.0, 0.5, POPULATION)

    def mapped(name: str) -> np.ndarray:  # mapped anew for each attack, so that memory is what one attack needs
        array: np.ndarray = np.load(folder / f"{name}.npy", mmap_mode="r")
        return array

    def rmia(mean: Callable[..., np.ndarray]) -> np.ndarray:
        normaliser = mean(mapped("probabilities"), mapped("member"), 0.3)
        return share_beaten(own / np.maximum(normaliser, SMALLEST), population, 2.0)

    plain = best_of(repeats, lambda: plain_pass(mapped("logits")))
    size = 4 * rows * shadows / 2**30
    print(f"{rows:,} rows x {shadows} shadows, {size:.2f} GB; one plain pass: {plain:.2f} s ({size / plain:.1f} GB/s)")
    attacks: dict[str, Callable[[], Any]] = {
        "lira, global variance": lambda: lira_scores(observed, mapped("logits"), mapped("member"), "global"),
        "lira, variance a record": lambda: lira_scores(observed, mapped("logits"), mapped("member"), "record"),
        "lira_offline": lambda: lira_offline_scores(observed, mapped("logits"), mapped("member"), "global"),
        "rmia": lambda: rmia(online_mean),
        "rmia_offline": lambda: rmia(offline_mean),
    }
    seconds = {}
    for name, attack in attacks.items():
        seconds[name] = best_of(repeats, attack)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{name:26s} {seconds[name]:7.2f} s   {seconds[name] / plain:6.1f} x one plain pass   {peak:.2f} GB")

    few = slice(0, loop_rows)
    signals, member = np.array(mapped("logits")[:, few]), np.array(mapped("member")[:, few])
    loop = best_of(1, lambda: published_loop(observed[few], signals, member)) / loop_rows
    ours = seconds["lira, variance a record"] / rows
    print(f"a record: published loop {1e6 * loop:.1f} us, lira {1e6 * ours:.2f} us, {loop / ours:.0f} times faster")


def write_files(folder: Path, rows: int, shadows: int, rng: np.random.Generator) -> None:
    """Random signals and balanced masks, written shadow by shadow."""
    header = {"fortran_order": False, "shape": (shadows, rows)}
    with ExitStack() as stack:
        files = {}
        for name, kind in (("logits", "<f4"), ("probabilities", "<f4"), ("member", "|b1")):
            files[name] = stack.enter_context((folder / f"{name}.npy").open("wb"))
            np.lib.format.write_array_header_1_0(files[name], {**header, "descr": kind})
        inside = np.zeros(rows, dtype=np.bool_)
        for i in range(shadows):
            inside = ~inside if i % 2 else rng.random(rows) < 0.5
            logits = (rng.normal(1.0, 1.0, rows) + 3.0 * inside).astype(np.float32)
            logits.tofile(files["logits"])
            (1.0 / (1.0 + np.exp(-logits))).tofile(files["probabilities"])
            inside.tofile(files["member"])


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
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
