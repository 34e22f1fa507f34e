"""What fits a budget of time: experiments in order of how much they tell, their costs known or measured.

Costs are seconds on a reference machine (two quiet cores), given with each experiment; a short calibration and the
cells that have already run say how much slower this machine is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gnomon.core.errors import UsageError
from gnomon.engines.threads import one_thread
from gnomon.models import torch as networks

REFERENCE_SECONDS = 0.65  # that `calibrate` takes on the reference machine
PRIOR_SECONDS = 60.0  # cells' seconds that the calibration counts as much as
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class BudgetItem:
    """One cell: its key, what it costs on the reference machine, and what it took if it has run."""

    key: str
    seconds: float
    took: float | None = None


@dataclass(frozen=True)
class Decision:
    """Whether an experiment fits: what its missing cells are expected to cost here, and what is left for them."""

    fits: bool
    estimate: float  # seconds
    left: float  # seconds of the budget; infinite without one


@dataclass(frozen=True)
class TimeLedger:
    """What has been spent, and how fast this machine is; every cell counts once, whoever asks for it.

    Attributes:
        budget: seconds; None for no limit.
        scale: how many times slower than the reference machine, by the calibration.
        counted: cells that have run, by key.
    """

    budget: float | None
    scale: float
    counted: Mapping[str, BudgetItem]

    @property
    def spent(self) -> float:
        """Seconds that the counted cells took."""
        return sum(work.took or 0.0 for work in self.counted.values())

    @property
    def slowness(self) -> float:
        """How many times slower than the reference machine: the calibration, and more and more the cells themselves."""
        expected = sum(work.seconds for work in self.counted.values())
        return (PRIOR_SECONDS * self.scale + self.spent) / (PRIOR_SECONDS + expected)

    def after(self, work: BudgetItem, took: float) -> TimeLedger:
        """The ledger once a cell has run."""
        done = BudgetItem(work.key, work.seconds, took)
        return TimeLedger(self.budget, self.scale, {**self.counted, work.key: done})

    def decide(self, cells: Sequence[BudgetItem]) -> Decision:
        """Whether these cells fit what is left; those that have run cost what they took, those counted nothing.

        >>> ledger = TimeLedger(budget=100.0, scale=1.0, counted={})
        >>> ledger.decide([BudgetItem("a", 40.0), BudgetItem("b", 50.0)]).fits, ledger.decide([BudgetItem("a",
        101.0)]).fits (True, False)
        """
        new = {work.key: work for work in cells if work.key not in self.counted}
        ran = sum(work.took for work in new.values() if work.took is not None)
        estimate = self.slowness * sum(work.seconds for work in new.values() if work.took is None)
        left = float("inf") if self.budget is None else self.budget - self.spent
        return Decision(ran + estimate <= left, estimate, left)


def parse_duration(text: str) -> float:
    """Seconds from "60m", "1h30m", "90s", "45".

    Raises:
        UsageError: no duration.

    >>> parse_duration("1h30m"), parse_duration("45"), parse_duration("2.5m")
    (5400.0, 45.0, 150.0)
    """
    parts = re.findall(r"([\d.]+)\s*([smh]?)", text.strip())
    whole = re.fullmatch(r"(\s*\d+(\.\d+)?\s*[smh])+\s*|\s*\d+(\.\d+)?\s*", text)
    if not whole:
        raise UsageError(f'--budget: expected a time such as 60m, 1h30m or 90s, got "{text}"')
    seconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    if seconds <= 0:
        raise UsageError(f'--budget: expected more than no time, got "{text}"')
    return seconds


def calibrate() -> float:
    """How many times slower than the reference machine this one trains: a small stack of networks, best of two."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 2, (1000, 600)).astype(np.uint8), rng.integers(0, 100, 1000)
    trainer = networks.TorchTrainer(epochs=20, device="cpu")
    rows = [np.arange(1000)] * 8
    taken = []
    with one_thread():  # as in audits, whose processes have a core each
        for _ in range(3):  # the first one warms up
            start = time.perf_counter()
            trainer.train(x, y, 100, rows, list(range(8)))
            taken.append(time.perf_counter() - start)
    return min(taken[1:]) / REFERENCE_SECONDS
