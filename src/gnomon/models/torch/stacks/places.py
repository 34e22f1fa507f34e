"""Which rows a step's batches hold, as positions on the device where the rows are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from gnomon.core.arrays import Ints


@dataclass(frozen=True)
class Drawn:
    """A network's next batch: a part of its rows in this epoch's order."""

    order: Ints  # all rows of the epoch
    start: int
    stop: int

    @property
    def rows(self) -> Ints:
        """Positions of the batch's rows."""
        return self.order[self.start : self.stop]

    @property
    def ends(self) -> bool:
        """Whether the epoch ends with it."""
        return self.stop == len(self.order)


@dataclass
class Places:
    """Where the rows of a step's batches are, on the stack's device.

    Networks with equally many rows go through their epochs together: their orders are sent once an epoch and cut there.
    """

    device: torch.device
    _orders: torch.Tensor | None = field(init=False, default=None)  # (a, n) of this epoch

    def of(self, drawn: Sequence[Drawn]) -> tuple[torch.Tensor, torch.Tensor, Ints]:
        """Positions (a, b) of rows, their weights (a, b, 1), and how many rows (a,) of each network are no padding."""
        counts = np.array([one.stop - one.start for one in drawn])
        first = drawn[0]
        if any((one.start, one.stop, len(one.order)) != (first.start, first.stop, len(first.order)) for one in drawn):
            self._orders = None
            return (*self._padded(drawn, counts), counts)
        if self._orders is None or first.start == 0:
            self._orders = self._sent(np.stack([one.order for one in drawn]))
        where = self._orders[:, first.start : first.stop]
        return where, equal_weights(where), counts

    def _padded(self, drawn: Sequence[Drawn], counts: Ints) -> tuple[torch.Tensor, torch.Tensor]:
        width = int(counts.max())
        table = np.zeros((len(drawn), width), dtype=np.int64)
        for row, one in zip(table, drawn, strict=True):
            row[: one.stop - one.start] = one.rows
        weights = ((np.arange(width) < counts[:, None]) / counts[:, None]).astype(np.float32)
        return self._sent(table), self._sent(weights).unsqueeze(2)

    def _sent(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)


def equal_weights(where: torch.Tensor) -> torch.Tensor:
    """Weights (a, b, 1) of rows at positions (a, b), none of which is padding."""
    return torch.full((1, 1, 1), 1 / where.shape[1], device=where.device).expand(*where.shape, 1)
