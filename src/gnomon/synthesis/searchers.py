"""Where climbers start and what they propose: the part of the climb that may be done better than in the paper.

A searcher never decides what is accepted: that is Algorithm 1's rule, in `gnomon.synthesis.climbers`, for all of them.
`Plain` is the paper's; `Guided` learns from every answer (gnomon's own).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Ints
from gnomon.core.data.features import Codes, FeatureSpace
from gnomon.synthesis.levels import make_levels
from gnomon.synthesis.marginals import Marginals
from gnomon.synthesis.streams import Streams

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Spot:
    """Where a batch of climbers stands: what a searcher may look at when it proposes.

    Attributes:
        codes: (a, features) the best record of each, x*.
        answers: (a, c) natural-log probabilities of the target on x*.
        classes: (a,) the class that each climbs.
        k: (a,) features to re-draw.
    """

    codes: Codes
    answers: Floats
    classes: Ints
    k: Ints


class Plain:
    """The paper's searcher: random records, and k features re-drawn at random (Shokri et al. 2017, Algorithm 1)."""

    def __init__(self, space: FeatureSpace) -> None:
        self.space = space

    def start(self, classes: Ints, streams: Streams) -> Codes:
        """First records (a, features) of new climbers: RandRecord(), every feature uniform over its legal values."""
        d = len(self.space)
        uniform = streams.uniform_rows(d).reshape(-1)
        codes = self.space.draw(np.tile(np.arange(d), len(classes)), uniform)
        return codes.reshape(len(classes), d).astype(self.space.code_type)

    def propose(self, spot: Spot, streams: Streams) -> Codes:
        """Next records (a, features): RandRecord(x*, k), k features of x*, chosen at random, drawn anew."""
        proposed = spot.codes.copy()
        rows, features, uniform = streams.picks(len(self.space), spot.k)
        proposed[rows, features] = self.space.draw(features, uniform).astype(proposed.dtype)
        return proposed

    def learn(self, codes: Codes, answers: Floats) -> None:
        """Takes note of answers, natural-log probabilities (a, c); the paper's climb forgets what it asked."""

    def save(self) -> Arrays:
        """What was learned, as arrays: nothing."""
        return {}

    def load(self, arrays: Arrays) -> None:
        """Goes on from what was learned before: nothing."""


FLOOR = 12.0  # log-probabilities this far below the largest are all as good as zero
LEARNED_ROWS = 512  # answers a step that the model learns from: enough, and cheap beside asking
EXPLORED = 0.1  # share of proposals drawn without the model, so that a wrong one can't lock a climber in
RATE = 0.3  # of gradient descent, in units of the largest spread of the records
MOMENTUM = 0.9


class Guided:
    """Starts and proposals drawn with odds that a running linear model of the target tilts towards the class.

    Every answer is a whole probability vector, and so tells something about every class. A linear model of the target's
    centred log-probabilities, fitted as the answers come in, says which values of which features speak for a class.
    Records are then drawn, instead of uniformly, with odds tilted by it: the start of a climber from the tilted
    distribution of all features, its proposals by re-drawing k features given the others, as a Gibbs sampler does.
    Drawing, instead of taking the best value, keeps the records as different from each other as the target allows; an
    attacker who knows the marginal distributions tilts these, and gets records that look like real ones.
    """

    def __init__(self, space: FeatureSpace, n_classes: int, marginals: Marginals | None, sharpness: float) -> None:
        self._space = space
        self._sharpness = sharpness
        self._levels = make_levels(space, marginals)
        d = self._levels.width
        self._weights = np.zeros((d, n_classes), dtype=np.float32)
        self._velocity = np.zeros((d, n_classes), dtype=np.float32)
        self._bias = np.zeros(n_classes, dtype=np.float32)
        self._direction: Floats = np.full(
            d, d**-0.5, dtype=np.float32
        )  # along which records spread most (power iteration)
        self._step = 0

    def learn(self, codes: Codes, answers: Floats) -> None:
        """One step of gradient descent of the linear model on these answers."""
        every = max(1, -(-len(codes) // LEARNED_ROWS))
        some = slice(self._step % every, None, every)
        self._step += 1
        z = self._levels.design(codes[some])
        wanted = np.maximum(answers[some], answers.max() - FLOOR)
        wanted = wanted - wanted.mean(axis=1, keepdims=True)
        along = z.T @ (z @ self._direction) / len(z)
        spread = float(np.linalg.norm(along)) + 1e-6
        self._direction = along / spread
        error = wanted - z @ self._weights - self._bias
        if float((error**2).mean()) > 2 * float((wanted**2).mean()) + 1:  # worse than knowing nothing: begin again
            self._weights[:], self._velocity[:], self._bias[:] = 0, 0, wanted.mean(axis=0)
            return
        self._velocity = np.asarray(MOMENTUM * self._velocity + z.T @ error / len(z), dtype=np.float32)
        self._weights += RATE / spread * self._velocity
        self._bias += error.mean(axis=0) / 2

    def start(self, classes: Ints, streams: Streams) -> Codes:
        """Records drawn from the believed distribution of all features, tilted towards the class."""
        a, d = len(classes), len(self._space)
        tilt = (self._weights[:, classes] - self._weights.mean(axis=1, keepdims=True)).T
        rows, features = np.repeat(np.arange(a), d), np.tile(np.arange(d), a)
        uniform = streams.uniform_rows(d).reshape(-1)
        codes = self._levels.draw(self._sharpness * tilt, rows, features, uniform)
        return codes.reshape(a, d).astype(self._space.code_type)

    def propose(self, spot: Spot, streams: Streams) -> Codes:
        """RandRecord(x*, k) with odds tilted towards the class, and away from the rivals that the target saw in x*."""
        tilt = self._weights[:, spot.classes].T - np.exp(spot.answers) @ self._weights.T
        tilt[streams.uniform() < EXPLORED] = 0
        proposed = spot.codes.copy()
        rows, features, uniform = streams.picks(len(self._space), spot.k)
        codes = self._levels.draw(self._sharpness * tilt, rows, features, uniform)
        proposed[rows, features] = codes.astype(proposed.dtype)
        return proposed

    def save(self) -> Arrays:
        """The linear model and how it moves."""
        arrays: dict[str, NDArray[Any]] = {
            "weights": self._weights,
            "velocity": self._velocity,
            "bias": self._bias,
            "direction": self._direction,
            "step": np.array(self._step),
        }
        return arrays

    def load(self, arrays: Arrays) -> None:
        """Goes on with the saved model."""
        self._weights, self._velocity = arrays["weights"].copy(), arrays["velocity"].copy()
        self._bias, self._direction = arrays["bias"].copy(), arrays["direction"].copy()
        self._step = int(arrays["step"])


Searcher: TypeAlias = Plain | Guided  # starts and proposals of many climbers at once
