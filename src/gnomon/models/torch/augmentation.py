"""Rows that are a little different every time they are trained on: flipped bits, mirrored and shifted images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch

from gnomon.core.arrays import Ints, Rows, is_frame
from gnomon.core.errors import DataError, UsageError
from gnomon.models.torch.networks import Layout

_STEPS = 65536  # rates are multiples of 1 / 65536


@dataclass(frozen=True)
class TrainingAugmentation:
    """What is done to the rows of every batch, from a stream of the model's own seed.

    Rows of a table have each of their binary features (those that are 0 or 1 in all rows) flipped with some
    probability. Images are mirrored left to right with probability 1/2, and shifted along both axes; what is shifted
    in repeats the edge.

    Args:
        rate: of a table the probability of a flip; of images the longest shift, as a share of their side (rounded up).
        mirror: whether images are mirrored too.
    """

    rate: float = 0.05
    mirror: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.rate < 0.5:
            raise UsageError(f"augmentation: expected a rate above 0 and below 0.5, got {self.rate:g}")

    def moves(self, x: Rows, layout: Layout, device: str) -> Moves:
        """The moves for such rows.

        Args:
            x: all rows, as the trainer gets them.
            layout: how the network wants them.
            device: torch device, resolved.

        Raises:
            DataError: rows that are neither images nor a table with a binary feature.
        """
        shape = np.shape(x)[1:]
        if not is_frame(x) and len(shape) in (2, 3):
            height, width = shape[:2]
            channels = shape[2] if len(shape) == 3 else 1
            first = layout == "image"
            image = (channels, height, width) if first else (height, width, channels)
            return Shifts(image, first, tuple(math.ceil(self.rate * side) for side in (height, width)), self.mirror)
        array = np.asarray(x)
        binary = ((array == 0) | (array == 1)).all(axis=0)
        if not binary.any():
            raise DataError("augmentation flips bits or moves images, but no feature of these rows is 0 or 1 in all")
        return Flips(self.rate, torch.from_numpy(binary).to(device))


class Shifts:
    """Images mirrored and shifted."""

    def __init__(self, image: tuple[int, ...], channels_first: bool, shifts: tuple[int, ...], mirror: bool) -> None:
        self._image, self._first, self._shifts, self._mirror = image, channels_first, shifts, mirror

    def apply(self, x: torch.Tensor, counts: Ints, chance: Sequence[np.random.Generator]) -> torch.Tensor:
        """Images (a, b, ...) of a networks, each with a count of rows and chance of its own; the rest is padding."""
        images = x.reshape(-1, *self._image)
        if not self._first:
            images = images.movedim(-1, 1)
        draws = [self._draw(rng, int(count), x.shape[1]) for rng, count in zip(chance, counts, strict=True)]
        down, right, mirrored = (np.concatenate([draw[i] for draw in draws])[:, None] for i in range(3))
        height, width = images.shape[2:]
        lines = np.clip(np.arange(height) - down, 0, height - 1)
        columns = np.clip(np.arange(width) - right, 0, width - 1)
        columns = np.where(mirrored, width - 1 - columns, columns)
        where = [torch.from_numpy(index).to(x.device) for index in (np.arange(len(images)), lines, columns)]
        moved = images.permute(0, 2, 3, 1)[where[0][:, None, None], where[1][:, :, None], where[2][:, None, :]]
        return (moved.movedim(-1, 1) if self._first else moved).reshape(x.shape)

    def _draw(self, rng: np.random.Generator, count: int, width: int) -> list[np.ndarray[Any, Any]]:
        found = [rng.integers(-most, most + 1, count) for most in self._shifts]
        found.append(rng.integers(0, 2 if self._mirror else 1, count))
        return [np.pad(values, (0, width - count)) for values in found]


class Flips:
    """Bits flipped in the rows of a table."""

    def __init__(self, rate: float, binary: torch.Tensor) -> None:
        self._steps = max(1, round(rate * _STEPS))
        self._binary = binary

    def apply(self, x: torch.Tensor, counts: Ints, chance: Sequence[np.random.Generator]) -> torch.Tensor:
        """Rows (a, b, d) of a networks, each with a count of rows and chance of its own; the rest is padding."""
        dice = np.full(x.shape, _STEPS - 1, dtype=np.uint16)
        for slot, (rng, count) in enumerate(zip(chance, counts, strict=True)):
            dice[slot, :count] = rng.integers(0, _STEPS, size=(count, *x.shape[2:]), dtype=np.uint16)
        flipped = torch.from_numpy(dice < self._steps).to(x.device) & self._binary
        return torch.where(flipped, 1 - x, x)


Moves: TypeAlias = Shifts | Flips  # what is done to the rows of a batch
