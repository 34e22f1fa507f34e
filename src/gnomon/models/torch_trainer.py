"""The torch recipe: networks trained from rows and seeds, many at once where that pays."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, check_labels, count_rows
from gnomon.core.errors import DataError, UsageError
from gnomon.core.seeds import Seeds
from gnomon.models.batched import Rates, Regime, fit
from gnomon.models.networks import (
    BUILT_IN,
    Activation,
    ModuleFactory,
    TensorRows,
    build_seeded,
    cnn,
    describe_factory,
    find_factory,
    import_torch,
    layout_of,
    mlp,
    resolve_device,
    tensor_rows,
)
from gnomon.models.torch_functional import Alone, Probe, VmapStack, is_dropout, named_values, probe
from gnomon.models.torch_model import TorchModel, put_weights, read_weights
from gnomon.models.torch_stacks import MlpStack, Stack

if TYPE_CHECKING:
    import torch
    from torch import nn

PROBE_ROWS = 4
CPU_STACK_BYTES = 12 * 2**20  # weights, gradients, moments and batches of a stack should stay in the cache
CUDA_STACK_SHARE = 0.25  # ... and on a GPU in this share of its memory
MOST_NETWORKS = 256


@dataclass(frozen=True)
class Stacking:
    """Whether several networks are trained as one stack, and why or why not."""

    stacked: bool
    reason: str


@dataclass(frozen=True)
class TorchTrainer:
    """Trains `torch` classifiers by minibatch gradient descent on the cross-entropy.

    Several models of one call are trained as a stack: one batched product a layer for all of them. Initial weights,
    order of batches and dropped units come from the model's own seed, so a model is the same (to 1e-4 in
    log-probability after a few epochs) alone and in a stack. Modules with running statistics, random numbers of their
    own or code that ``torch.func.vmap`` can't follow are trained one at a time, and so are convolutions on a CPU, where
    stacking them is slower; `stacking` says which and why. The rule is fixed, not timed at run time, so that a run
    that is resumed beside a busier neighbour still gives the same bits.

    Rows are float32 for every network; images of bytes (uint8, ``(n, h, w)`` or ``(n, h, w, channels)``) are scaled to
    [0, 1]. Dropout is `torch.nn.Dropout` and its channel-wise kin.

    Args:
        module: ``mlp`` (fully connected), ``cnn`` (Shokri et al. 2017: two convolutions 5 x 5 with max-pooling, then
            fully connected layers), ``package.module:function``, or a function ``(input_shape, n_classes)`` that
            returns a `torch.nn.Module` giving logits.
        hidden: units of the fully connected hidden layers (mlp, cnn).
        activation: ``tanh`` or ``relu`` (mlp, cnn).
        dropout: rate after each fully connected hidden layer (mlp, cnn).
        optimizer: ``adam`` or ``sgd``.
        learning_rate: step size.
        weight_decay: L2 penalty, added to the gradient as lambda times the weight.
        momentum: of ``sgd``.
        batch: rows a step; an epoch's last batch may be smaller.
        epochs: passes over the rows, at most.
        patience: early stopping after so many epochs without a better loss on a tenth of the rows, which is held out
            for it; the weights of the best epoch are kept. None trains on all rows to the end.
        device: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.
        stack: ``auto`` (as said above), ``always`` where it is possible, or ``never``.

    >>> import numpy as np
    >>> x, y = np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1])
    >>> trainer = TorchTrainer(hidden=(8,), epochs=100, learning_rate=0.05)
    >>> models = trainer.train(x, y, 2, rows=[np.arange(4), np.arange(2)], seeds=[0, 1])
    >>> models[0].log_probs(x).argmax(axis=1).tolist()
    [0, 1, 0, 1]
    """

    module: str | ModuleFactory = "mlp"
    hidden: tuple[int, ...] = (128,)
    activation: Activation = "tanh"
    dropout: float = 0.0
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.0
    batch: int = 100
    epochs: int = 60
    patience: int | None = None
    device: str = "auto"
    stack: Literal["auto", "always", "never"] = "auto"

    def __post_init__(self) -> None:
        choices = {"activation": ("tanh", "relu"), "optimizer": ("adam", "sgd"), "stack": ("auto", "always", "never")}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise UsageError(f"torch trainer: expected {name} {' or '.join(known)}, got {getattr(self, name)!r}")
        if self.module not in BUILT_IN:
            find_factory(self.module)
        rules = {
            "dropout": 0 <= self.dropout < 1,
            "learning_rate": self.learning_rate > 0,
            "weight_decay": self.weight_decay >= 0,
            "momentum": 0 <= self.momentum < 1,
            "batch": self.batch >= 1,
            "epochs": self.epochs >= 1,
            "patience": self.patience is None or self.patience >= 1,
            "hidden": all(units >= 1 for units in self.hidden),
        }
        for name, holds in rules.items():
            if not holds:
                raise UsageError(f"torch trainer: {name}={getattr(self, name)!r} is out of range")
        if self.momentum and self.optimizer == "adam":
            raise UsageError(f'momentum={self.momentum:g} is for optimizer "sgd"; adam has its own')

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[TorchModel]:
        """Trains one network per entry of ``rows``, each with its own seed; numbers of rows may differ.

        Args:
            x: numbers ``(n, ...)``, or a data frame of numeric columns.
            y: class ids (n,).
            n_classes: number of classes c.
            rows: for each model its positions in ``x``.
            seeds: for each model its seed.

        Raises:
            MissingExtraError: torch is not installed.
            DataError: rows, labels or positions that can't be trained on.
            ModelError: the network does not fit the rows, or its training diverged.
        """
        import_torch("the torch trainer")
        labels = check_labels(y, rows=count_rows(x), classes=n_classes, source="torch trainer")
        positions = _check_rows(rows, seeds, len(labels), 1 if self.patience is None else 2)
        if not positions:
            return []
        device = resolve_device(self.device)
        data = tensor_rows(x, layout_of(self.module), device)
        targets = _on_device(labels, device)
        subject = self._subject(data, n_classes)
        size = self._group(subject, device)
        models: list[TorchModel] = []
        for start in range(0, len(positions), size):
            part = slice(start, start + size)
            models += self._train_group(subject, data, targets, positions[part], seeds[part])
        return models

    def recipe(self) -> dict[str, Any]:
        """Everything that decides what comes out, as JSON; of a function of the user's own also its source's digest."""
        fields = {name: value for name, value in self.__dict__.items() if name != "module"}
        fields |= {"hidden": list(self.hidden), "device": resolve_device(self.device)}
        return {"kind": "torch", "module": describe_factory(self.module), **fields}

    def stacking(self, x: Rows, n_classes: int) -> Stacking:
        """Whether models for such rows are trained as a stack, and why or why not; a Record should say it.

        >>> import numpy as np
        >>> TorchTrainer().stacking(np.zeros((2, 5)), 3).stacked
        True
        """
        subject = self._subject(
            tensor_rows(x[:PROBE_ROWS], layout_of(self.module), resolve_device(self.device)), n_classes
        )
        return subject.stacking

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:
        """How many models of ``size`` rows one call of `train` should get.

        On a CPU as many as keep weights, gradients, moments and a batch within the cache, since the optimiser's step
        is memory traffic; on a GPU as many as fit into a quarter of its memory; 1 where models are trained alone.
        """
        device = resolve_device(self.device)
        subject = self._subject(tensor_rows(x[:PROBE_ROWS], layout_of(self.module), device), n_classes)
        return self._group(subject, device, size)

    def factory(self, input_shape: tuple[int, ...], n_classes: int) -> Callable[[], nn.Module]:
        """A function that builds the network for rows of this shape, as the network sees them."""
        if self.module == "mlp":
            return functools.partial(mlp, input_shape, n_classes, self.hidden, self.activation, self.dropout)
        if self.module == "cnn":
            return functools.partial(cnn, input_shape, n_classes, self.hidden, self.activation, self.dropout)
        return functools.partial(find_factory(self.module), input_shape, n_classes)

    def _subject(self, data: TensorRows, n_classes: int) -> _Subject:
        """What there is to know of the network before it is trained on such rows."""
        if n_classes < 2:
            raise DataError(f"a classifier needs 2 classes or more, got {n_classes}")
        build = self.factory(data.shape, n_classes)
        first = build_seeded(build, 0)
        weights = sum(p.numel() for p in first.parameters())
        numbers = math.prod(data.shape)
        rates: Rates
        if self.module == "mlp":
            rates = {
                name: (layer.p, (units,)) for (name, layer), units in zip(_dropouts(first), self.hidden, strict=False)
            }
            stacking = self._decide(Probe(None, False, 0, {}), device="cpu")
            activations = numbers + 2 * sum(self.hidden) + n_classes
            return _Subject(build, n_classes, stacking, rates, weights, activations, own_dice=False)
        found = probe(first, data.block(0, PROBE_ROWS), n_classes)
        rates = {
            name: (layer.p, found.mask_shapes[name]) for name, layer in _dropouts(first) if name in found.mask_shapes
        }
        unstackable = found.problem is not None
        return _Subject(
            build, n_classes, self._decide(found, data.values.device.type), {} if unstackable else rates, weights,
            numbers + 3 * found.activations, own_dice=unstackable,
        )  # fmt: skip

    def _decide(self, found: Probe, device: str) -> Stacking:
        if found.problem is not None:
            return Stacking(False, f"trained one at a time: {found.problem}")
        if self.stack == "never":
            return Stacking(False, 'trained one at a time: the recipe says stack = "never"')
        if self.stack == "auto" and found.convolves and device == "cpu":
            return Stacking(False, "trained one at a time: convolutions on a CPU are slower in a stack")
        return Stacking(True, "stacked")

    def _group(self, subject: _Subject, device: str, size: int | None = None) -> int:
        if not subject.stacking.stacked:
            return 1
        rows = self.batch if size is None else min(self.batch, size)
        copies = 4 if self.optimizer == "adam" else 3
        each = 4 * (copies * subject.weights + rows * subject.activations)
        return int(min(max(_budget(device) // each, 1), MOST_NETWORKS))

    def _train_group(
        self, subject: _Subject, data: TensorRows, y: torch.Tensor, rows: Sequence[Ints], seeds: Sequence[int]
    ) -> list[TorchModel]:
        import torch

        device = str(data.values.device)
        modules = [build_seeded(subject.build, seed) for seed in seeds]
        stack: Stack
        with torch.random.fork_rng(enabled=subject.own_dice):
            if subject.own_dice:
                torch.manual_seed(Seeds(seeds[0]).child("dice").integer())
            if self.module == "mlp" and subject.stacking.stacked:
                stack = MlpStack(modules, self.activation, device)
            elif subject.stacking.stacked:
                stack = VmapStack(modules, device)
            else:
                stack = Alone(modules[0], device, own_dice=subject.own_dice)
            states = fit(stack, data, y, rows, seeds, self._regime(subject))
        for module, state in zip(modules, states, strict=True):
            values = named_values(module)
            for name, value in state.items():
                values[name].data.copy_(value)
        layout = layout_of(self.module)
        classes = subject.n_classes
        return [TorchModel(module, classes, layout=layout, device=self.device) for module in modules]

    def _regime(self, subject: _Subject) -> Regime:
        return Regime(
            self.optimizer, self.learning_rate, self.weight_decay, self.momentum, self.batch, self.epochs,
            self.patience, subject.dropout, join_last=subject.own_dice,
        )  # fmt: skip


def train_stack(
    xs: Sequence[Floats], ys: Sequence[Ints], n_classes: int, trainer: TorchTrainer, seeds: Sequence[int]
) -> list[TorchModel]:
    """Trains one network per data set, all at once: c attack networks for c classes, say.

    Every network sees each of its own rows once an epoch and none of the others', whatever their numbers.

    Args:
        xs: for each network its rows ``(n_i, ...)``; all rows are of one shape.
        ys: for each network its class ids ``(n_i,)``.
        n_classes: number of classes, the same for all.
        trainer: the recipe.
        seeds: one a network.

    Raises:
        DataError: an empty data set, or rows of different shapes.

    >>> import numpy as np
    >>> xs, ys = [np.eye(2), np.eye(2)[[1, 0, 1]]], [np.array([0, 1]), np.array([1, 0, 1])]
    >>> models = train_stack(xs, ys, 2, TorchTrainer(hidden=(8,), learning_rate=0.05), seeds=[0, 1])
    >>> [int(model.log_probs(np.eye(2)).argmax(axis=1)[0]) for model in models]
    [0, 0]
    """
    if not len(xs) == len(ys) == len(seeds):
        raise DataError(f"expected as many data sets as labels and seeds, got {len(xs)}, {len(ys)} and {len(seeds)}")
    if not xs:
        return []
    shapes = {np.shape(x)[1:] for x in xs}
    if len(shapes) > 1:
        raise DataError(f"networks of one stack need rows of one shape, got {sorted(shapes)}")
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if len(x) != len(y):
            raise DataError(f"data set {i}: expected one label a row, got {len(x)} rows and {len(y)} labels")
    ends = np.cumsum([len(x) for x in xs])
    rows = [np.arange(end - len(x), end) for x, end in zip(xs, ends, strict=True)]
    return trainer.train(np.concatenate(xs), np.concatenate(ys), n_classes, rows, seeds)


def load_torch(path: Path, trainer: TorchTrainer, x_shape: tuple[int, ...], n_classes: int) -> TorchModel:
    """A trained network from its recipe and a file of weights (.safetensors, .pt, .pth); no code in it is run.

    Args:
        path: weights, from `gnomon.models.torch_model.save_weights` or ``torch.save(module.state_dict(), path)``.
        trainer: the recipe; only what decides the network's shape matters.
        x_shape: shape of one row, as the trainer gets it: ``(d,)``, ``(h, w)`` or ``(h, w, channels)``.
        n_classes: number of classes c.

    Raises:
        ModelError: the file holds no weights, or weights of another network.
    """
    weights = read_weights(path)
    example = tensor_rows(np.zeros((1, *x_shape), dtype=np.float32), layout_of(trainer.module), "cpu")
    module = build_seeded(trainer.factory(example.shape, n_classes), 0)
    put_weights(module, weights, str(path))
    return TorchModel(module, n_classes, layout=layout_of(trainer.module), device=trainer.device)


@dataclass(frozen=True)
class _Subject:
    build: Callable[[], nn.Module]
    n_classes: int
    stacking: Stacking
    dropout: Rates
    weights: int  # numbers in one network
    activations: int  # numbers a row leaves on its way through the network
    own_dice: bool


def _dropouts(module: nn.Module) -> list[tuple[str, Any]]:
    return [(name, layer) for name, layer in module.named_modules() if is_dropout(layer)]


def _budget(device: str) -> int:
    import torch

    if torch.device(device).type != "cuda":
        return CPU_STACK_BYTES
    return int(CUDA_STACK_SHARE * torch.cuda.get_device_properties(device).total_memory)


def _on_device(labels: Ints, device: str) -> torch.Tensor:
    import torch

    return torch.tensor(labels, device=device)


def _check_rows(rows: Sequence[Ints], seeds: Sequence[int], n: int, least: int) -> list[Ints]:
    if len(rows) != len(seeds):
        raise DataError(f"expected one seed a model, got {len(rows)} models and {len(seeds)} seeds")
    checked = []
    for i, positions in enumerate(rows):
        array = np.asarray(positions)
        if array.dtype == np.bool_ or array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise DataError(f"rows of model {i}: expected positions (k,), got {array.dtype} of shape {array.shape}")
        if len(array) < least:
            why = "" if least == 1 else " (early stopping holds some out)"
            raise DataError(f"rows of model {i}: expected {least} or more{why}, got {len(array)}")
        if array.min() < 0 or array.max() >= n:
            raise DataError(
                f"rows of model {i}: positions must lie in 0 .. {n - 1}, got {array.min()} .. {array.max()}"
            )
        checked.append(array.astype(np.int64))
    return checked
