"""Watching a stack of networks while it is trained: losses on chosen rows at checkpoints.

Weights of checkpoints are not kept: that would be k networks for each one. The rows are asked on the way, and a number
a row and checkpoint is all that stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.models.observations import checkpoints
from gnomon.models.torch.networks import Layout, Scratch, TensorRows, seeded, tensor_rows
from gnomon.models.torch.stacks.mlp_stack import Network

WATCHED_ROWS = 4096  # asked at once


@dataclass(frozen=True, eq=False)
class Watched:
    """What is watched: rows, their class ids (n,), and at how many checkpoints."""

    x: Rows
    y: Ints
    checkpoints: int


@dataclass
class Watch:
    """Losses of m networks on the watched rows at checkpoints, filled while they are trained."""

    rows: TensorRows
    labels: torch.Tensor  # (n,) int64 on the rows' device
    epochs: list[int]  # (k,) after which to look
    networks: int

    def __post_init__(self) -> None:
        self.losses = np.full((self.networks, len(self.labels), len(self.epochs)), np.nan, dtype=np.float32)

    def look(self, stack: Network, slot: int, network: int, epoch: int) -> None:
        """Called at the end of an epoch; leaves the network and torch's random streams as they were."""
        due = [j for j, at in enumerate(self.epochs) if at == epoch]
        if due:
            with seeded(0, str(self.labels.device)):
                self.losses[network][:, due] = self._losses(stack, slot)[:, None]

    def _losses(self, stack: Network, slot: int) -> Floats:
        parts = []
        for start in range(0, len(self.labels), WATCHED_ROWS):
            own = self.labels[start : start + WATCHED_ROWS]
            where = torch.arange(start, start + len(own), device=own.device)
            logits = stack.logits(slot, self.rows.take(where, Scratch()))
            parts.append(precise_loss(logits.double(), own))
        losses: Floats = torch.cat(parts).float().cpu().numpy()
        return losses

    def course(self, network: int, last: Floats) -> Floats:
        """Losses (n, k) of a network whose training ended with these losses (n,).

        Checkpoints that it did not live to see (it stopped early), and the last one, are those of the network itself.
        """
        course = self.losses[network]
        course[:, -1] = last
        return np.where(np.isnan(course), np.asarray(last, dtype=np.float32)[:, None], course)


def start_watch(
    watched: Watched, layout: Layout, device: str, epochs: int, networks: int, *, whole: bool = False
) -> Watch:
    """A watch over so many networks."""
    labels = torch.tensor(watched.y, device=device)
    rows = tensor_rows(watched.x, layout, device, whole=whole)
    return Watch(rows, labels, checkpoints(epochs, watched.checkpoints), networks=networks)


def precise_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy (n,) from float64 logits (n, c); not 0 where the probability of the label rounds to 1."""
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], -torch.inf).logsumexp(1)
    return torch.nn.functional.softplus(others - own[:, 0], threshold=700.0)
