"""A small convolutional network that predicts a law of a number from an image and its class.

Bertran et al. (2023) predict so what a model would say of an image that it was not trained on. The network has two
convolutions, mean pooling and one hidden layer that also sees the class. Its last layer begins at the best constant,
and the weights are kept of the epoch that did best on a part held out: so it is no worse there than a constant, even
where an image tells nothing of the number.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gnomon.core.arrays import Floats, Ints
from gnomon.core.seeds import Seeds
from gnomon.models.torch.networks import build_seeded, tensor_rows

CHANNELS = (16, 32)
POOLED = 4  # pixels a side at most that the hidden layer sees
HIDDEN = 64
BATCH = 64
HELD_OUT = 0.2
LEARNING_RATE, WEIGHT_DECAY = 2e-3, 1e-3
LARGEST_LOG_DEVIATION = 6.0  # either way, in units of the numbers' own deviation
BLOCK = 1024

Law = Literal["quantile", "normal"]


@dataclass(frozen=True)
class ImageRegression:
    """How a network is fitted.

    Attributes:
        law: "quantile" minimises the pinball loss of one quantile; "normal" the negative log-likelihood of mean and
            deviation.
        quantile: which one, in (0, 1).
        epochs: passes over the images; the best one on the part held out is kept.
        seed: of weights, order and the part held out.
    """

    law: Law
    quantile: float = 0.5
    epochs: int = 30
    seed: int = 0

    def fit(self, images: Floats, classes: Ints, numbers: Floats, n_classes: int) -> FittedRegression:
        """A network fitted to n images (n, h, w) or (n, h, w, channels), their classes and their numbers (n,).

        Raises:
            DataError: rows that are no images.
        """
        center, spread = float(np.mean(numbers)), float(np.std(numbers)) or 1.0
        pixels = _pixels(images)
        middle, width = pixels.mean(), pixels.std()
        fitted_to = (float(middle), float(width) if float(width) > 0 else 1.0)
        x = (pixels - fitted_to[0]) / fitted_to[1]
        y = torch.tensor((np.asarray(numbers) - center) / spread, dtype=torch.float32)
        c = torch.nn.functional.one_hot(torch.tensor(np.asarray(classes), dtype=torch.int64), n_classes).float()
        network: Any = build_seeded(lambda: _network(tuple(x.shape[1:]), n_classes, self._outputs), self.seed)
        with torch.no_grad():
            best = torch.quantile(y, self.quantile) if self.law == "quantile" else torch.tensor(0.0)
            network.head[-1].weight.zero_()
            network.head[-1].bias.copy_(torch.tensor([float(best)] + [0.0] * (self._outputs - 1)))
        self._train(network, x, c, y)
        return FittedRegression(network.eval(), self.law, center, spread, fitted_to, n_classes)

    @property
    def _outputs(self) -> int:
        return 1 if self.law == "quantile" else 2

    def _loss(self, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return pinball(out[:, 0], y, self.quantile) if self.law == "quantile" else normal_loss(out, y)

    def _train(self, network: nn.Module, x: torch.Tensor, c: torch.Tensor, y: torch.Tensor) -> None:
        order = np.random.default_rng(Seeds(self.seed).child("order").integer())
        shuffled = order.permutation(len(y))
        held, used = np.split(shuffled, [max(1, round(HELD_OUT * len(y)))])
        optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        best, kept = math.inf, copy.deepcopy(network.state_dict())
        for epoch in range(self.epochs + 1):
            network.eval()
            with torch.no_grad():
                now = float(self._loss(_answers(network, x[held], c[held]), y[held]))
            if now < best:
                best, kept = now, copy.deepcopy(network.state_dict())
            if epoch == self.epochs:
                break
            network.train()
            for batch in np.array_split(order.permutation(used), max(1, len(used) // BATCH)):
                optimizer.zero_grad()
                torch.autograd.backward(self._loss(network(x[batch], c[batch]), y[batch]))
                optimizer.step()
        network.load_state_dict(kept)


@dataclass(frozen=True)
class FittedRegression:
    """A fitted network, in the units of the numbers that it was fitted to."""

    network: Any
    law: Law
    center: float
    spread: float
    pixels: tuple[float, float]  # mean and deviation of the pixels that it was fitted to
    n_classes: int

    def predict(self, images: Floats, classes: Ints) -> NDArray[np.float64]:
        """What is predicted for n images: (n, 1) quantiles, or (n, 2) means and deviations."""
        x = (_pixels(images) - self.pixels[0]) / self.pixels[1]
        c = torch.nn.functional.one_hot(torch.tensor(np.asarray(classes), dtype=torch.int64), self.n_classes).float()
        with torch.no_grad():
            out = np.asarray(_answers(self.network, x, c), dtype=np.float64)
        result = self.center + self.spread * out[:, :1]
        if self.law == "quantile":
            return np.asarray(result)
        return np.hstack([result, self.spread * np.exp(_limited(out[:, 1:]))])


def pinball(predicted: torch.Tensor, numbers: torch.Tensor, quantile: float) -> torch.Tensor:
    """Mean pinball loss: least, over constants, at the empirical quantile (Koenker and Bassett 1978)."""
    above = numbers - predicted
    loss: torch.Tensor = (above * quantile).maximum(above * (quantile - 1.0)).mean()
    return loss


def normal_loss(predicted: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Mean negative log-likelihood, less a constant, of normal laws with (n, 2) predicted means and log-deviations."""
    log_deviation = _limited(predicted[:, 1])
    loss: torch.Tensor = (((numbers - predicted[:, 0]) / log_deviation.exp()) ** 2 / 2 + log_deviation).mean()
    return loss


def _limited(log_deviation: Any) -> Any:
    return log_deviation.clip(-LARGEST_LOG_DEVIATION, LARGEST_LOG_DEVIATION)


def _pixels(images: Floats) -> torch.Tensor:
    rows = tensor_rows(images, "image", "cpu")
    return rows.block(0, len(rows.values))


def _answers(network: nn.Module, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    return torch.cat([network(x[i : i + BLOCK], c[i : i + BLOCK]) for i in range(0, len(x), BLOCK)])


def _network(shape: tuple[int, ...], n_classes: int, outputs: int) -> nn.Module:
    first, second = CHANNELS
    side = tuple(min(POOLED, pixels) for pixels in shape[1:])

    class _ImageAndClass(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(shape[0], first, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(2, ceil_mode=True),
                nn.Conv2d(first, second, 3, padding=1),
                nn.ReLU(),
                nn.AdaptiveAvgPool2d(side),
                nn.Flatten(),
            )
            self.head = nn.Sequential(
                nn.Linear(second * math.prod(side) + n_classes, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, outputs)
            )

        def forward(self, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.head(torch.cat([self.features(x), c], dim=1))
            return out

    return _ImageAndClass()
