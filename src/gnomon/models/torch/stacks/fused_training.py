"""Training of fully connected networks by compiled steps, one network after the other.

A network of some hundred units is too small for a library call a layer: most of the time goes into the calls and into
reading the optimiser's moments again. Here one compiled pass does a whole step, and rows of few ones are lists of them.
Everything that chance decides (initial weights, held-out rows, order of the batches, dropped units) is drawn from the
same streams as in `gnomon.models.torch.stacks.stacked_training`, so both train the same network, to rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gnomon.core.arrays import Ints
from gnomon.core.compiled import can_compile
from gnomon.models.torch.checkpoints import Watch
from gnomon.models.torch.networks import Activation, Scratch, TensorRows
from gnomon.models.torch.stacks.fused_steps import steps
from gnomon.models.torch.stacks.stacked_training import (
    Course,
    Regime,
    State,
    check_finite,
    epoch_ends,
    factors,
    start_course,
)

AT_ONCE = 4  # networks a call: they gain nothing from company, and a run that is killed loses a call
SPARSE = 0.2  # share of ones up to which lists of them are faster than products
CHUNK_BYTES = 2**21  # rows that are gathered at once


@functools.cache
def fused_version() -> str | None:
    """What compiles the steps, with its version, for a recipe; None where nothing does."""
    return None if not can_compile() else f"numba {metadata.version('numba')}"


@dataclass
class FusedNetwork:
    """One network's numbers as the compiled steps want them, and the face that others look at."""

    names: list[str]  # of its parameters: weights, biases, layer after layer
    widths: NDArray[np.int64]
    numbers: NDArray[np.float32]
    activation: Activation
    memory: list[NDArray[np.float32]] = field(init=False)  # slopes, and the optimiser's two moments
    taken: int = 0

    def __post_init__(self) -> None:
        self.memory = [np.zeros_like(self.numbers) for _ in range(3)]

    @classmethod
    def of(cls, module: nn.Module, activation: Activation) -> FusedNetwork:
        """The numbers of a module of linear layers, activations and dropout."""
        named = dict(module.named_parameters())
        tensors = [value.detach().numpy() for value in named.values()]
        widths = [tensors[0].shape[1], *(len(bias) for bias in tensors[1::2])]
        flat = [np.ravel(t.T if t.ndim == 2 else t) for t in tensors]
        return cls(list(named), np.array(widths), np.concatenate(flat), activation)

    def state(self, slot: int) -> State:  # noqa: ARG002 - of one network
        """A copy of its parameters by name, in torch's layout."""
        return {name: value.clone() for name, value in zip(self.names, self._parameters(), strict=True)}

    def logits(self, slot: int, x: torch.Tensor) -> torch.Tensor:  # noqa: ARG002 - of one network
        """Outputs ``(n, c)`` without dropout."""
        found = self._parameters()
        for i in range(0, len(found), 2):
            x = torch.addmm(found[i + 1], x, found[i].T)
            if i < len(found) - 2:
                x = x.tanh_() if self.activation == "tanh" else x.relu_()
        return x

    def _parameters(self) -> list[torch.Tensor]:
        """Views of its parameters, in torch's layout."""
        views, at = [], 0
        for d, h in pairwise(int(width) for width in self.widths):
            views.append(torch.from_numpy(self.numbers[at : at + d * h].reshape(d, h).T))
            views.append(torch.from_numpy(self.numbers[at + d * h : at + d * h + h]))
            at += d * h + h
        return views


@dataclass(frozen=True)
class FusedRows:
    """Rows of all networks: as floats, drawn when they are needed, or as lists of ones."""

    rows: TensorRows
    labels: Ints
    ones: NDArray[np.int32] | None  # columns that are 1, row after row; None where products are faster
    starts: Ints  # (n + 1,) where each row's ones begin

    @classmethod
    def of(cls, rows: TensorRows, labels: torch.Tensor) -> FusedRows:
        """Looks at the rows once; what they are decides, so that it is the same every time."""
        values = rows.values.numpy()
        filled, ones = np.count_nonzero(values), values == 1
        if filled > SPARSE * values.size or rows.scale != 1.0 or np.count_nonzero(ones) < filled:
            return cls(rows, labels.numpy(), None, np.zeros(1, dtype=np.int64))
        counts, columns = np.count_nonzero(ones, axis=1), np.flatnonzero(ones) % values.shape[1]
        return cls(rows, labels.numpy(), columns.astype(np.int32), np.concatenate([[0], np.cumsum(counts)]))

    def chunk(self, batch: int) -> int:
        """How many batches one call of the compiled steps gets."""
        width = self.rows.values.shape[1] if self.ones is None else 1
        return max(1, CHUNK_BYTES // (4 * width * batch))

    def floats(self, order: Ints) -> NDArray[np.float32]:
        """Rows in an order, (len(order), d); none where there are lists of ones."""
        if self.ones is not None:
            return np.empty((0, self.rows.values.shape[1]), dtype=np.float32)
        return self.rows.take(torch.from_numpy(order), Scratch()).numpy()


def fit_fused(
    modules: Sequence[nn.Module],
    x: TensorRows,
    y: torch.Tensor,
    rows: Sequence[Ints],
    seeds: Sequence[int],
    regime: Regime,
    activation: Activation,
    watch: Watch | None = None,
) -> list[State]:
    """As `gnomon.models.torch.stacks.stacked_training.fit`, on a CPU, for modules of linear layers trained on labels.

    Raises:
        ModelError: a network's weights became infinite or NaN.
    """
    table = FusedRows.of(x, y)
    states, together = [], 1 if watch is not None or regime.recipe.patience is not None else regime.recipe.epochs
    for i, (module, own, seed) in enumerate(zip(modules, rows, seeds, strict=True)):
        network, course = FusedNetwork.of(module, activation), start_course(own, seed, regime)
        over = False
        while not over:
            _train(network, course, table, regime, together)
            course.epoch += together - 1
            over = epoch_ends(network, 0, course, x, y, regime)
            if watch is not None:
                watch.look(network, 0, i, course.epoch)
        states.append(course.best or network.state(0))
    check_finite(states, seeds, regime.recipe.learning_rate)
    return states


def _train(network: FusedNetwork, course: Course, table: FusedRows, regime: Regime, epochs: int) -> None:
    """So many epochs, in as few calls as keep the rows of a call small."""
    size, batches = table.chunk(regime.recipe.batch), list[Ints]()
    while epochs:
        drawn = next(course.batches)
        batches.append(drawn.rows)
        epochs -= drawn.ends
        if len(batches) == size or not epochs:
            _steps(network, course, table, regime, batches)
            batches = []


def _steps(network: FusedNetwork, course: Course, table: FusedRows, regime: Regime, batches: list[Ints]) -> None:
    order, stops, recipe = np.concatenate(batches), np.cumsum([len(batch) for batch in batches]), regime.recipe
    masks = np.empty((0, 0), dtype=np.float32)
    if regime.dropout:
        masks = np.concatenate([_masks(course, len(batch), regime) for batch in batches])
    ones = np.empty(0, dtype=np.int32) if table.ones is None else table.ones
    network.taken = steps(
        table.floats(order), order, ones, table.starts, table.labels[order], masks, network.widths, network.numbers,
        *network.memory, network.taken, stops, recipe.optimizer == "adam", network.activation == "relu",
        recipe.learning_rate, recipe.weight_decay, recipe.momentum,
    )  # fmt: skip


def _masks(course: Course, rows: int, regime: Regime) -> NDArray[np.float32]:
    """Dropout's factors of a batch, (rows, units of all hidden layers)."""
    counts = np.array([rows])
    layers = [factors([course.dice], counts, rows, rate, shape)[0] for rate, shape in regime.dropout.values()]
    return np.concatenate(layers, axis=1)
