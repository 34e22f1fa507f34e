"""One-run audits end to end: how often the bound on epsilon exceeds the truth, and how much of it it finds.

Each run is a whole audit with canaries: fresh coins, a training, guesses, the bound at 95 %. The truth is 0 where the
training never sees a canary, and the accountant's epsilon where it is DP-SGD; a bound may exceed it in at most 5 %.
Two kinds of canaries: real digits with a wrong label, and spikes (rows of zeros but for one feature of their own each),
which DP-SGD can hide least. The last lines show what the rule "numbers of guesses are fixed beforehand" is good for.

    python benchmarks/canaries.py --nulls 1000 --runs 60
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.naive_bayes import BernoulliNB
from threadpoolctl import threadpool_limits

from gnomon.auditing.canaries import audit_canaries, draw_canaries
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import RowSplit
from gnomon.auditing.outcome import CanaryTable
from gnomon.auditing.prepare import prepare
from gnomon.core.data.dataset import Dataset, Roles, make_dataset
from gnomon.core.documents.record_parts import CanaryFacts
from gnomon.core.plan import make_plan
from gnomon.core.protocols import Model, Trainer
from gnomon.core.seeds import Seeds
from gnomon.datasets import load_dataset
from gnomon.engines.local import LocalEngine
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch.dp import DPTrainer
from gnomon.models.torch.trainer import TorchTrainer
from gnomon.stats.privacy.one_run import one_run_p_value
from gnomon.store.arrays import ArrayStore

DELTA = 1e-5
Found = tuple[CanaryFacts, CanaryTable]


@dataclass(frozen=True)
class Blind:
    """A recipe that leaves out every row from position ``first`` on: it never sees a canary."""

    trainer: Trainer
    first: int

    def train(self, x: Any, y: Any, n_classes: int, rows: Sequence[Any], seeds: Sequence[int]) -> Sequence[Model]:
        """Trains without the rows behind ``first``."""
        return self.trainer.train(x, y, n_classes, [r[r < self.first] for r in rows], seeds)

    def recipe(self) -> dict[str, Any]:
        """The recipe's own, called blind."""
        return {"kind": "blind", "trainer": self.trainer.recipe()}

    def batch_size(self, x: Any, n_classes: int, size: int) -> int:
        """The recipe's own."""
        return self.trainer.batch_size(x, n_classes, size)


@dataclass(frozen=True)
class Place:
    """Rows, a training set in them, and the plan's canaries."""

    data: Dataset
    train: int
    canaries: dict[str, Any]

    def audits(self, trainer: Trainer, runs: int, folder: Path) -> list[Found]:
        """So many audits, each with coins and a training of its own."""
        found = []
        for run in range(runs):
            plan = make_plan({"seed": run, "data": {"source": "x"}, "canaries": {"delta": DELTA, **self.canaries}})
            seeds = Seeds(run)
            order = seeds.child("rows").generator().permutation(len(self.data))
            train, rest = np.sort(order[: self.train]), np.sort(order[self.train :])
            roles = Roles(train, rest, rest[:0], rest[:0], train, "auditor")
            drawn = draw_canaries(plan.canaries, plan.data, self.data, trainer, roles, seeds)
            assert drawn is not None
            split = RowSplit(train, rest, rest[:0])
            inputs = AuditInputs(self.data, split, False, None, None, trainer, trainer)
            prepared = replace(prepare(plan, inputs, ArrayStore(folder), LocalEngine(1)), roles=roles)
            found.append(audit_canaries(drawn, prepared))
        return found


def digits(count: int) -> Place:
    data = load_dataset("digits")
    scaled = make_dataset(np.asarray(data.x, np.float32) / 16, data.y, classes=data.classes, name="digits")
    return Place(scaled, 600, {"kind": "mislabelled", "count": count})


def spikes(count: int, folder: Path) -> Place:
    file = folder / f"spikes-{count}.npz"
    np.savez(file, x=10 * np.eye(count, dtype=np.float32), y=np.random.default_rng(0).integers(0, 2, count))
    data = make_dataset(np.zeros((110, count), np.float32), np.arange(110) % 2, name="zeros")
    return Place(data, 100, {"kind": "own", "file": str(file)})


def line(name: str, truth: float | None, found: Sequence[Found], seconds: float) -> None:
    bounds = np.array([facts.epsilon for facts, _ in found])
    promised = [facts.promised for facts, _ in found if facts.promised is not None]
    truth = max(promised) if promised else truth
    least = min(promised) if promised else truth
    above = "" if least is None else f"{int((bounds > least).sum()):4d} of {len(bounds)}"
    share = "" if not truth else f"{np.median(bounds) / truth:.2f}"
    spelt = "none" if truth is None else f"{truth:.2f}"
    ceiling = np.median([facts.ceiling for facts, _ in found])
    print(
        f"  {name:<42} {spelt:>6} {above:>13} {np.median(bounds):8.2f} {share:>8} {ceiling:8.2f} "
        f"{1000 * seconds / len(bounds):9.0f}",
        flush=True,
    )


def shown(name: str, truth: float | None, audits: Callable[[], list[Found]]) -> list[Found]:
    start = time.perf_counter()
    found = audits()
    line(name, truth, found, time.perf_counter() - start)
    return found


def peeked(found: Sequence[Found]) -> tuple[int, int]:
    """Of null audits, positive bounds if the number of guesses is chosen by looking; and as gnomon does it."""
    wrong = 0
    for _, table in found:
        order = np.argsort(table.score, kind="stable")
        said = np.arange(len(order)) >= len(order) // 2
        hits = table.included[order] == said  # guesses from both ends inwards
        numbers = range(10, len(order) + 1, 20)
        counts = [(r, int(hits[: r // 2].sum() + hits[len(order) - (r - r // 2) :].sum())) for r in numbers]
        wrong += any(one_run_p_value(len(order), r, v, 0.0, delta=DELTA) < 0.05 for r, v in counts)
    return wrong, sum(facts.epsilon > 0 for facts, _ in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nulls", type=int, default=1000, help="audits of a model that never sees a canary")
    parser.add_argument("--runs", type=int, default=60, help="audits of every other model")
    arguments = parser.parse_args()
    if min(arguments.nulls, arguments.runs) < 1:
        parser.error("expected at least one null and one run")
    net = TorchTrainer(hidden=(32,), epochs=10, batch=100, optimizer="sgd", learning_rate=1.0)
    linear = TorchTrainer(hidden=(), epochs=10, batch=100, optimizer="sgd", learning_rate=1.0)
    with tempfile.TemporaryDirectory() as name, threadpool_limits(limits=1):
        folder = Path(name)
        print(
            f"Lower bounds on epsilon at 95 % and delta {DELTA:g}; a bound may be above the truth in 5 % of audits.\n"
        )
        print(f"  {'':<42} {'truth':>6} {'above':>13} {'median':>8} {'/ truth':>8} {'ceiling':>8} {'ms/audit':>9}")
        runs, place = arguments.runs, digits(400)
        blind = Blind(SklearnTrainer(BernoulliNB(binarize=0.5)), len(place.data))
        nulls = shown("never sees a canary", 0.0, partial(place.audits, blind, arguments.nulls, folder))
        private = DPTrainer(net, epsilon=8.0, delta=DELTA)
        shown("DP-SGD, digits, 8", None, partial(place.audits, private, runs, folder))
        there = spikes(500, folder)
        for epsilon in (1.0, 4.0, 8.0):
            trainer = DPTrainer(linear, epsilon=epsilon, delta=DELTA)
            shown(f"DP-SGD, spikes, {epsilon:g}", None, partial(there.audits, trainer, runs, folder))
        shown("clipped, no noise, spikes", None, partial(there.audits, DPTrainer(linear, noise=0.0), 10, folder))
        long = TorchTrainer(hidden=(128,), epochs=300, learning_rate=1e-2)
        shown("no privacy, overfitted, digits", None, partial(place.audits, long, 10, folder))
        wrong, right = peeked(nulls)
        print(f"\nPositive bounds in {len(nulls):,} audits of a model that never sees a canary (5 % promised)")
        print(f"  numbers of guesses fixed beforehand (gnomon)       {right:5d}  {100 * right / len(nulls):5.1f} %")
        print(f"  the best number of guesses, found by looking       {wrong:5d}  {100 * wrong / len(nulls):5.1f} %")


if __name__ == "__main__":
    main()
