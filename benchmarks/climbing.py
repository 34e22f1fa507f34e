"""Climbing in one batch a step against the same climb with one query a call, and what the guided searcher saves.

    python benchmarks/climbing.py

The target is a neural network (600-128-100, tanh) trained here on rows of `baskets`. Both climbs find the very same
records: every climber reads its own random stream, so only the time differs. Everything runs in one process on one
thread; each climb is run several times, in turns, and the least processor time counts, so that busy neighbours do not
decide the ratio.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from gnomon.core.data.features import FeatureSpace, infer_features
from gnomon.datasets import load_dataset
from gnomon.synthesis import Climb, climb, count_marginals

Ask = Callable[[Any], Any]


def train_target(x: Any, y: Any, n_classes: int, epochs: int) -> torch.nn.Module:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 128), torch.nn.Tanh(), torch.nn.Linear(128, n_classes))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    rows, labels = torch.from_numpy(x), torch.from_numpy(y)
    for _ in range(epochs):
        for batch in torch.randperm(len(rows)).split(100):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(rows[batch]), labels[batch]).backward()
            optimizer.step()
    return model.eval()


def asker(model: torch.nn.Module) -> Ask:
    def ask(x: Any) -> Any:
        with torch.inference_mode():
            return torch.log_softmax(model(torch.from_numpy(x)), dim=1).numpy()

    return ask


def timed(ask: Ask, space: FeatureSpace, names: list[str], per_class: int, **options: Any) -> tuple[Climb, float]:
    start = time.process_time()
    found = climb(ask, space, names, per_class, np.random.default_rng(0), **options)
    return found, time.process_time() - start


def target_alone(ask: Ask, space: FeatureSpace, rows: int) -> float:
    x, calls = space.random(rows, np.random.default_rng(0)), max(5, 20_000 // rows)
    start = time.process_time()
    for _ in range(calls):
        ask(x)
    return 1e6 * (time.process_time() - start) / (calls * rows)


def line(what: str, found: Climb, seconds: float) -> None:
    reached = len(found.classes) - len(found.unreached)
    print(
        f"{what:<34} {len(found):>6} records  {found.queries_per_record:>7.1f} queries a record  "
        f"{reached:>3} of {len(found.classes)} classes  {seconds:>7.2f} s  "
        f"{len(found) / seconds:>8.1f} records/s  {1e6 * seconds / found.queries:>7.2f} us a query"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--per-class", type=int, default=50)
    parser.add_argument("--climbers", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    baskets = load_dataset("baskets")
    x, y = baskets.x.astype(np.float32), baskets.y
    order = np.random.default_rng(0).permutation(len(x))
    n_classes = int(y.max()) + 1
    ask = asker(train_target(x[order[:10_000]], y[order[:10_000]], n_classes, options.epochs))
    space = infer_features(x, one_hot=False)
    names = [str(c) for c in range(n_classes)]
    timed(ask, space, names, 1)  # warm up

    rounds = []
    for _ in range(options.rounds):
        batched, seconds = timed(ask, space, names, options.per_class, climbers=options.climbers)
        few, few_seconds = timed(ask, space, names, 1, climbers=1)
        rounds.append((seconds, few_seconds))
    seconds, few_seconds = (min(times) for times in zip(*rounds, strict=True))
    line(f"batched, {options.climbers} climbers", batched, seconds)
    line("one query a call", few, few_seconds)
    same, _ = timed(ask, space, names, 1, climbers=options.climbers)
    assert few.queries == same.queries and (few.x == same.x).all(), "both must climb the same climb"
    speed, slow = batched.queries / seconds, few.queries / few_seconds
    print(f"speed-up: {speed / slow:.1f} times as many steps of the same climb a second")
    for rows in (1, options.climbers):
        print(f"of this, the target itself: {target_alone(ask, space, rows):.2f} us a query, {rows} rows a call")

    guided, seconds = timed(ask, space, names, options.per_class, searcher="guided")
    line("guided, knows nothing", guided, seconds)
    known = count_marginals(x[order[20_000:]], space)
    informed, seconds = timed(ask, space, names, options.per_class, searcher="guided", marginals=known)
    line("guided, knows the marginals", informed, seconds)
    for what, found in (("knows nothing", guided), ("knows the marginals", informed)):
        ratio = batched.queries_per_record / found.queries_per_record
        print(f"guided, {what}: {ratio:.1f} times fewer queries a record")


if __name__ == "__main__":
    main()
