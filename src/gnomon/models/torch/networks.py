"""Networks for the torch trainer: built-in modules, modules of the user's own, and rows as tensors.

The built-in networks consist of torch's own layers only, so that they can be pickled without code of ours.
"""

from __future__ import annotations

import functools
import importlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import nn

from gnomon.core.arrays import Rows, is_frame, is_sparse
from gnomon.core.errors import DataError, ModelError, UsageError, did_you_mean
from gnomon.core.seeds import Seeds
from gnomon.models.recipe_hash import describe

Activation: TypeAlias = Literal["tanh", "relu"]
Layout: TypeAlias = Literal["as_is", "flat", "image"]
ModuleFactory: TypeAlias = "Callable[[tuple[int, ...], int], nn.Module]"

BUILT_IN: dict[str, Layout] = {"mlp": "flat", "cnn": "image"}
CNN_CHANNELS = (32, 64)


def count_gpus() -> int:
    """GPUs that torch can use here."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def resolve_device(device: str, gpus: int | None = None) -> str:
    """``auto`` becomes ``cuda`` where a GPU answers and ``cpu`` elsewhere; other names are checked.

    Args:
        device: as torch names it, or ``auto``.
        gpus: GPUs that there are; None: as many as torch sees.

    Raises:
        UsageError: no device, or none that is here.

    >>> resolve_device("auto", gpus=0), resolve_device("cuda:1", gpus=2)
    ('cpu', 'cuda:1')
    """
    seen = count_gpus() if gpus is None else gpus
    if device == "auto":
        device = "cuda" if seen else "cpu"
    try:
        found = torch.device(device)
    except RuntimeError:
        raise UsageError(f'expected device "auto", "cpu" or "cuda", got {device!r}') from None
    if found.type == "cuda":
        if not seen:
            raise UsageError(f'device {device!r}: torch sees no GPU here; use "auto" or "cpu"')
        if (found.index or 0) >= seen:
            last = f' to "cuda:{seen - 1}"' if seen > 1 else ""
            raise UsageError(f'device {device!r}: torch sees {seen} GPU{"s" if last else ""} here, "cuda:0"{last}')
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read at its first product; else bits may differ
    return device


def mlp(
    input_shape: Sequence[int], n_classes: int, hidden: Sequence[int], activation: Activation, dropout: float
) -> nn.Sequential:
    """Fully connected layers with dropout after each hidden activation; no hidden layer is logistic regression."""
    layers: list[nn.Module] = []
    width = math.prod(input_shape)
    for units in hidden:
        layers += [nn.Linear(width, units), _activation(activation)]
        layers += [nn.Dropout(dropout)] if dropout else []
        width = units
    return nn.Sequential(*layers, nn.Linear(width, n_classes))


def cnn(
    input_shape: Sequence[int], n_classes: int, hidden: Sequence[int], activation: Activation, dropout: float
) -> nn.Sequential:
    """The network of Shokri et al. (2017) for images: two convolutions 5 x 5 with max-pooling, then an `mlp`.

    ``input_shape`` is (channels, height, width). The paper gives no number of filters; these are 32 and 64.
    """
    channels, height, width = input_shape
    if min(height, width) < 4:
        raise DataError(f"the network cnn halves an image twice: expected 4 x 4 pixels or more, got {height} x {width}")
    layers: list[nn.Module] = []
    for filters in CNN_CHANNELS:
        layers += [nn.Conv2d(channels, filters, 5, padding=2), _activation(activation), nn.MaxPool2d(2)]
        channels = filters
    head = mlp((channels, height // 4, width // 4), n_classes, hidden, activation, dropout)
    return nn.Sequential(*layers, nn.Flatten(), *head)


def _activation(name: Activation) -> nn.Module:
    return nn.Tanh() if name == "tanh" else nn.ReLU()


def layout_of(module: str | ModuleFactory) -> Layout:
    """How a network wants its rows: ``flat`` for mlp, ``image`` for cnn, ``as_is`` for a user's own."""
    return BUILT_IN.get(module, "as_is") if isinstance(module, str) else "as_is"


def find_factory(module: str | ModuleFactory) -> ModuleFactory:
    """The function ``(input_shape, n_classes) -> torch.nn.Module`` behind ``package.module:function``.

    Raises:
        UsageError: no built-in network and no importable function has this name.
    """
    if callable(module):
        return module
    path, colon, name = module.partition(":")
    if not colon:
        raise UsageError(
            f'unknown network "{module}"{did_you_mean(module, BUILT_IN)}; your own is given as "module:function"'
        )
    try:
        found = functools.reduce(getattr, name.split("."), importlib.import_module(path))
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f'network "{module}" cannot be imported: {error}') from None
    if not callable(found):
        raise UsageError(f'network "{module}": expected a function of (input_shape, n_classes), got {type(found)}')
    return found


def describe_factory(module: str | ModuleFactory) -> Any:
    """A network of ours by its name, the user's own as `describe` has it: with hashes of its code."""
    return {"name": module} if isinstance(module, str) and module in BUILT_IN else describe(find_factory(module))


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Torch's own random streams begin at a seed inside, and go on outside as if nothing had been."""
    gpu = torch.device(device).type == "cuda"
    with torch.random.fork_rng(devices=[device] if gpu else []):
        torch.default_generator.manual_seed(seed)
        if gpu:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def build_seeded(factory: Callable[[], Any], seed: int) -> nn.Module:
    """A module whose initial weights are decided by its seed alone; torch's own random state is left as it was.

    Raises:
        ModelError: the factory raised, or returned something that is no module.
    """
    with seeded(Seeds(seed).child("weights").integer()):
        try:
            module = factory()
        except (TypeError, ValueError, RuntimeError) as error:
            raise ModelError(f"the network cannot be built: {error}") from error
    if not isinstance(module, torch.nn.Module):
        raise ModelError(f"expected the network's function to return a torch.nn.Module, got {type(module).__name__}")
    return module


class Scratch:
    """Buffers that are used again at every step: fresh memory costs more than what is done in it."""

    def __init__(self) -> None:
        self._buffers: dict[str, torch.Tensor] = {}

    def get(self, name: str, shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
        """A tensor of this shape, of the type and device of ``like``, with whatever it held before."""
        size = math.prod(shape)
        if name not in self._buffers or self._buffers[name].numel() < size:
            self._buffers[name] = like.new_empty(size)
        return self._buffers[name][:size].view(*shape)


@dataclass(frozen=True)
class TensorRows:
    """Rows on a device, as small as they came; floats are made of a batch when it is drawn."""

    values: torch.Tensor  # uint8, float32 or, where numbers stay whole, int64 (n, ...)
    scale: float
    whole: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row, as the network sees it."""
        return tuple(self.values.shape[1:])

    def take(self, index: torch.Tensor, scratch: Scratch) -> torch.Tensor:
        """Rows ``(*index.shape, *row shape)`` at these positions, float32 but for whole numbers.

        They live until the scratch is used again.
        """
        rows = scratch.get("rows", (index.numel(), *self.shape), self.values)
        torch.index_select(self.values, 0, index.reshape(-1), out=rows)
        if not rows.is_floating_point() and not self.whole:
            floats = scratch.get("floats", rows.shape, torch.empty(0, dtype=torch.float32, device=rows.device))
            rows = floats.copy_(rows)
        if self.scale != 1.0:
            rows *= self.scale
        return rows.view(*index.shape, *self.shape)

    def block(self, start: int, stop: int) -> torch.Tensor:
        """Rows ``start .. stop - 1``, float32 but for whole numbers."""
        rows = self.values[start:stop] if self.whole else self.values[start:stop].float()
        return rows if self.scale == 1.0 else rows * self.scale


def tensor_rows(x: Rows, layout: Layout, device: str, *, whole: bool = False) -> TensorRows:
    """Rows for a network: numbers as float32; images of bytes (uint8, two or three axes a row) scaled to [0, 1].

    Args:
        x: numbers ``(n, ...)`` or a data frame of numeric columns. Binary rows may stay uint8 or bool.
        layout: ``flat`` makes each row a vector; ``image`` takes ``(n, h, w)`` or ``(n, h, w, channels)`` and puts
            the channels first, as torch wants them; ``as_is`` leaves shapes alone.
        device: torch device, resolved.
        whole: keep whole numbers (tokens) whole, as int64; rows of other numbers are float32 all the same.

    Raises:
        DataError: rows that are no numbers, hold NaN or infinity, or are no images where images are needed.
    """
    if whole and is_whole(x):
        return TensorRows(torch.tensor(np.asarray(x).astype(np.int64), device=device), 1.0, whole=True)
    array = _numbers(x)
    scale = 1 / 255 if array.dtype == np.uint8 and array.ndim >= 3 else 1.0
    if layout == "image":
        if array.ndim not in (3, 4):
            raise DataError(f"the network cnn needs images (n, h, w) or (n, h, w, channels), got shape {array.shape}")
        array = array[:, None] if array.ndim == 3 else np.moveaxis(array, 3, 1)
    elif layout == "flat":
        array = array.reshape(len(array), math.prod(array.shape[1:]))
    values = torch.tensor(array, device=device)  # a copy: the caller's array may be read-only or change later
    if values.is_floating_point() and not bool(torch.isfinite(values).all()):
        raise DataError("rows for a network must be finite, got NaN or infinity (impute or drop these rows)")
    return TensorRows(values, scale)


def is_whole(x: Rows) -> bool:
    """Whether rows are whole numbers, and no images of bytes."""
    kinds = [x[name].dtype.kind for name in x.columns] if is_frame(x) else [np.asarray(x).dtype.kind]
    return set(kinds) <= {"i", "u"} and not (np.ndim(x) > 2 and np.asarray(x).dtype == np.uint8)


def _numbers(x: Rows) -> np.ndarray[Any, Any]:
    if is_sparse(x):
        raise DataError("a network needs dense rows, got sparse ones: give x.toarray() if it fits in memory")
    try:
        array = x.to_numpy(dtype=np.float32) if is_frame(x) else np.asarray(x)
    except (TypeError, ValueError) as error:
        raise DataError(f"a network needs numeric columns (encode the others first): {error}") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"a network needs numbers, got {array.dtype} (encode categories first)")
    if array.ndim < 2:
        raise DataError(f"a network needs rows (n, d) or images, got shape {array.shape}")
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    return array if array.dtype == np.uint8 else array.astype(np.float32, copy=False)
