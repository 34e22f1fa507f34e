"""How fast shadow models are trained: by compiled steps, in a stack, in plain loops; and the machine's own product.

    python benchmarks/training.py            # all parts, a few minutes
    python benchmarks/training.py --repeats 3 --parts products

Everything runs in one process of one thread. Contenders take turns within each repeat, and every figure stands as
minimum and median over the repeats, in seconds of CPU time of the thread (wall time beside it), because neighbours on
a shared machine change both. Only ratios within one run mean something; compare minima first.

GFLOP/s count the products that must be computed: forward through all layers, the gradient of every weight, and of the
input of every layer but the first.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from gnomon.models.torch.stacks import fused_steps
from gnomon.models.torch.trainer import TorchTrainer

SIDE = 1024  # of the plain matrix product


@dataclass
class Clock:
    """CPU and wall seconds of one contender, one entry a repeat."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def run(self, work: Callable[[], object]) -> None:
        """Does the work once and notes the times."""
        wall, cpu = time.perf_counter(), time.thread_time()
        work()
        self.cpu.append(time.thread_time() - cpu)
        self.wall.append(time.perf_counter() - wall)


@dataclass(frozen=True)
class Task:
    """One recipe on one shape of data."""

    d: int
    hidden: int
    c: int
    pool: int
    rows: int
    batch: int
    epochs: int
    ones: float = 0.12  # share of bits that are 1

    @property
    def trainer(self) -> TorchTrainer:
        """The recipe."""
        return TorchTrainer(hidden=(self.hidden,), batch=self.batch, epochs=self.epochs, device="cpu")

    @property
    def gflop(self) -> float:
        """Products of one model's training."""
        return 2e-9 * self.rows * self.epochs * (2 * self.d * self.hidden + 3 * self.hidden * self.c)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=7)
    parts = ("step", "products", "location", "dense", "attack", "images")
    arguments.add_argument("--parts", nargs="+", choices=parts, default=parts)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, one thread")
    if "step" in options.parts:
        print("\nA compiled step of an MLP 446-128-30, batch 32, in microseconds by part")
        parts_of_a_step(446, 128, 30, 32, options.repeats)
    if "products" in options.parts:
        print("\nMLP 600-128-100, 5,000 rows, batch 100, Adam")
        race(Task(600, 128, 100, 30_000, 5_000, 100, 4), options.repeats)
    if "location" in options.parts:
        print("\nMLP 446-128-30, 1,600 rows, batch 32, Adam, 100 epochs (Location-30's size)")
        race(Task(446, 128, 30, 5_010, 1_600, 32, 100), max(1, options.repeats // 3))
    if "dense" in options.parts:
        print("\nthe same on dense rows")
        race(Task(446, 128, 30, 5_010, 1_600, 32, 100, ones=0.5), max(1, options.repeats // 3))
    if "attack" in options.parts:
        print("\n30 attack networks 30-64-2 on 192,000 rows in all, unequal, batch 100, Adam, 20 epochs")
        attack_networks(max(1, options.repeats // 3))
    if "images" in options.parts:
        print("\nShokri's CNN, 32 x 32 x 3, batch 100, 4 networks: does stacking convolutions pay?")
        convolutions(max(1, options.repeats // 2))
    print(f"\npeak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def parts_of_a_step(d: int, h: int, c: int, k: int, repeats: int) -> None:
    """What each part of a compiled step takes on its own, and what the machine takes to read and write as much."""
    rng = np.random.default_rng(0)

    def floats(*shape: int) -> NDArray[np.float32]:
        return np.abs(rng.normal(0, 0.01, shape)).astype(np.float32)

    few, weights, last, hidden = rng.random((k, d)) < 0.12, floats(d, h), floats(h, c), floats(k, h)
    bits = np.arange(k), (np.flatnonzero(few) % d).astype(np.int32), np.r_[0, np.cumsum(few.sum(axis=1))]
    rows, signal, back, labels = floats(k, d), floats(k, c), floats(k, h), rng.integers(0, c, k)
    numbers = [floats(d * h + h + h * c + c) for _ in range(4)]
    logits = floats(k, c)
    parts: list[tuple[str, Callable[[], object]]] = [
        ("Adam", lambda: fused_steps.adam_step(*numbers, 9, 1e-3, 0.0)),
        ("  reading and writing as much three times", lambda: [np.multiply(one, 1.0, out=one) for one in numbers[:3]]),
        ("first layer, lists of ones, 12 %", lambda: fused_steps.sum_ones(hidden, weights, *bits)),
        ("  its slopes", lambda: fused_steps.spread_ones(weights, back, *bits)),
        ("first layer, dense", lambda: np.dot(rows, weights, out=hidden)),
        ("  its slopes, dense", lambda: np.dot(rows.T, back, out=weights)),
        ("last layer", lambda: np.dot(hidden, last, out=signal)),
        ("  its slopes", lambda: np.dot(hidden.T, signal, out=last)),
        ("  back through it", lambda: np.dot(signal, last.T, out=back)),
        ("softmax", lambda: fused_steps.softmax_less_label(signal, logits, labels)),
        ("tanh", lambda: fused_steps.activate(hidden, False)),
    ]
    for name, work in parts:
        work()
        clock = Clock()
        for _ in range(max(3, repeats)):
            clock.run(partial(_many, work))
        print(f"  {name:45} {min(clock.cpu) / 300 * 1e6:6.1f}")


def _many(work: Callable[[], object]) -> None:
    for _ in range(300):
        work()


def race(task: Task, repeats: int) -> None:
    """Compiled steps, a stack, three loops and two plain products, in turns."""
    rng = np.random.default_rng(0)
    x = (rng.random((task.pool, task.d)) < task.ones).astype(np.uint8)
    y = rng.integers(0, task.c, task.pool)
    stacked = replace(task.trainer, stack="always")
    m = stacked.batch_size(x, task.c, task.rows)
    rows = [rng.permutation(task.pool)[: task.rows] for _ in range(m)]
    floats, labels = torch.tensor(x[rows[0]], dtype=torch.float32), torch.tensor(y[rows[0]])
    contenders: dict[str, tuple[int, Callable[[], object]]] = {
        f"stacked, {m} at a time": (m, lambda: stacked.train(x, y, task.c, rows, range(m))),
        "careful loop": (1, lambda: careful_loop(task, floats, labels, fused=False)),
        "careful loop, fused Adam": (1, lambda: careful_loop(task, floats, labels, fused=True)),
        "DataLoader loop": (1, lambda: loader_loop(task, floats, labels)),
    }
    if task.trainer.fused:
        k = task.trainer.batch_size(x, task.c, task.rows)
        replace(task.trainer, epochs=1).train(x, y, task.c, rows[:1], [0])  # compiled once, kept between processes
        contenders = {"compiled steps": (k, lambda: task.trainer.train(x, y, task.c, rows[:k], range(k)))} | contenders
    clocks = {name: Clock() for name in contenders}
    products = {name: Clock() for name in PRODUCTS}
    for _ in range(repeats):
        for name, (_, work) in contenders.items():
            for product, multiply in PRODUCTS.items():
                products[product].run(multiply)
            clocks[name].run(work)
    report(task, {name: (models, clocks[name]) for name, (models, _) in contenders.items()}, products)


def report(task: Task, clocks: dict[str, tuple[int, Clock]], products: dict[str, Clock]) -> None:
    """Seconds a model and GFLOP/s, each as minimum / median, then the ratios."""
    ours = next(iter(clocks))
    seconds = {name: [s / models for s in clock.cpu] for name, (models, clock) in clocks.items()}
    for name, (models, clock) in clocks.items():
        wall = [s / models for s in clock.wall]
        gain = f"{ours} {min(seconds[name]) / min(seconds[ours]):.2f} / {ratio(seconds[name], seconds[ours]):.2f} x"
        print(
            f"  {name:26} {min(seconds[name]):7.3f} / {statistics.median(seconds[name]):7.3f} s a model "
            f"(wall {min(wall):.3f} / {statistics.median(wall):.3f})"
            f" {task.gflop / min(seconds[name]):6.1f} GFLOP/s   {'' if name == ours else gain}"
        )
    for name, clock in products.items():
        rates = [2e-9 * SIDE**3 / s for s in clock.cpu]
        best, middle = task.gflop / min(seconds[ours]), task.gflop / statistics.median(seconds[ours])
        print(
            f"  plain product, {name:11} {max(rates):7.1f} / {statistics.median(rates):7.1f} GFLOP/s; {ours} "
            f"reach {best / max(rates):.2f} / {middle / statistics.median(rates):.2f} of it"
        )


def ratio(slow: list[float], fast: list[float]) -> float:
    """Median over the repeats of the paired ratio."""
    return statistics.median(s / f for s, f in zip(slow, fast, strict=True))


def mlp(task: Task) -> torch.nn.Sequential:
    return torch.nn.Sequential(
        torch.nn.Linear(task.d, task.hidden), torch.nn.Tanh(), torch.nn.Linear(task.hidden, task.c)
    )


def careful_loop(task: Task, x: torch.Tensor, y: torch.Tensor, *, fused: bool) -> torch.nn.Module:
    """One model after the other: data in memory as floats, batches by index, torch's own module and optimiser."""
    module = mlp(task)
    steps = torch.optim.Adam(module.parameters(), lr=1e-3, fused=fused)
    for _ in range(task.epochs):
        for index in torch.randperm(len(x)).split(task.batch):
            steps.zero_grad()
            torch.nn.functional.cross_entropy(module(x[index]), y[index]).backward()
            steps.step()
    return module


def loader_loop(task: Task, x: torch.Tensor, y: torch.Tensor) -> torch.nn.Module:
    """The loop of the tutorials."""
    module = mlp(task)
    steps = torch.optim.Adam(module.parameters(), lr=1e-3)
    data = torch.utils.data.TensorDataset(x, y)
    loader = torch.utils.data.DataLoader(data, batch_size=task.batch, shuffle=True)
    for _ in range(task.epochs):
        for rows, labels in loader:
            steps.zero_grad()
            torch.nn.functional.cross_entropy(module(rows), labels).backward()
            steps.step()
    return module


def convolutions(repeats: int) -> None:
    """The rule that convolutions are trained one at a time on a CPU, put to the test."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (400, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, 400)
    rows = [np.arange(400)] * 4
    rules: tuple[Literal["always", "never"], ...] = ("always", "never")
    clocks = {rule: Clock() for rule in rules}
    for _ in range(repeats):
        for rule, clock in clocks.items():
            trainer = TorchTrainer(module="cnn", epochs=1, stack=rule, device="cpu")
            clock.run(partial(trainer.train, x, y, 10, rows, range(4)))
    for rule, clock in clocks.items():
        steps = [1000 * s / 16 for s in clock.cpu]
        print(f"  stack={rule:8} {min(steps):7.1f} / {statistics.median(steps):7.1f} ms a network and step")


def attack_networks(repeats: int) -> None:
    """Shokri's attack: one small binary network a class, on unequal numbers of rows."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(30, 4.0))
    sizes = np.maximum(1, np.round(shares * 192_000)).astype(int)
    xs = [rng.random((n, 30), dtype=np.float32) for n in sizes]
    ys = [rng.integers(0, 2, n) for n in sizes]
    trainer = TorchTrainer(hidden=(64,), activation="relu", batch=100, epochs=20, device="cpu")
    rows = [np.arange(end - n, end) for n, end in zip(sizes, np.cumsum(sizes), strict=True)]
    stacked, apart = Clock(), Clock()
    for _ in range(repeats):
        stacked.run(lambda: trainer.train(np.concatenate(xs), np.concatenate(ys), 2, rows, range(30)))
        apart.run(lambda: [plain_binary(torch.from_numpy(x), torch.from_numpy(y)) for x, y in zip(xs, ys, strict=True)])
    print(f"  rows a network {sizes.min():,} to {sizes.max():,}")
    for name, clock in {"stacked": stacked, "careful loop": apart}.items():
        print(f"  {name:26} {min(clock.cpu):7.2f} / {statistics.median(clock.cpu):7.2f} s (wall {min(clock.wall):.2f})")
    print(f"  stacked is {min(apart.cpu) / min(stacked.cpu):.1f} / {ratio(apart.cpu, stacked.cpu):.1f} x faster")


def plain_binary(x: torch.Tensor, y: torch.Tensor) -> torch.nn.Module:
    module = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, 2))
    steps = torch.optim.Adam(module.parameters(), lr=1e-3)
    for _ in range(20):
        for index in torch.randperm(len(x)).split(100):
            steps.zero_grad()
            torch.nn.functional.cross_entropy(module(x[index]), y[index]).backward()
            steps.step()
    return module


_A, _B, _OUT = (torch.rand(SIDE, SIDE) for _ in range(3))
PRODUCTS: dict[str, Callable[[], object]] = {"torch.mm": lambda: torch.mm(_A, _B, out=_OUT)}
if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
    PRODUCTS["oneDNN"] = lambda: torch.ops.mkldnn._linear_pointwise(_A, _B, None, "none", [], "")

if __name__ == "__main__":
    main()
