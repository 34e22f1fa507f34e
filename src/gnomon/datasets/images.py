"""What image sets have in common: parts, ids, and pixels as features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Ints
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.data.features import Feature, FeatureSpace
from gnomon.core.data.layouts import layout_of


@dataclass(frozen=True)
class ImagePart:
    """Images of one part, such as the training part.

    Attributes:
        images: (n, height, width) or (n, height, width, 3) uint8.
        labels: (n,) class ids.
    """

    images: NDArray[np.uint8]
    labels: Ints


def join_parts(parts: Mapping[str, ImagePart], classes: tuple[str, ...], name: str, note: str) -> Dataset:
    """One data set of all parts, one after the other, with ids such as ``train:12``; pixels range from 0 to 255."""
    x = np.concatenate([part.images for part in parts.values()])
    return make_dataset(
        x,
        np.concatenate([part.labels for part in parts.values()]),
        classes=classes,
        ids=[f"{title}:{row}" for title, part in parts.items() for row in range(len(part.labels))],
        features=FeatureSpace(
            tuple(Feature(pixel, "integer", (j,), 0, 255) for j, pixel in enumerate(_pixels(x.shape[1:]))),
            layout_of(x),
        ),
        name=name,
        note=note,
    )


def _pixels(shape: tuple[int, ...]) -> list[str]:
    return ["-".join(str(k) for k in place) for place in np.ndindex(*shape)]
