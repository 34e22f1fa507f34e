"""Where climbers start and what they propose: the part of the climb that may be done better than in the paper.

A searcher never decides what is accepted: that is Algorithm 1's rule, in `gnomon.synthesis.climbers`, for all of them.
`Plain` is the paper's; `Guided` learns from every answer (gnomon's own).

What a searcher can say about a feature's value are a few levels, with the odds that an attacker believes in beforehand:
a bit has two levels, a category as many as it has values, a number some ranges of values that are about as likely. A
linear model over levels can say more of a number than "more" or "less", and treats all kinds of feature alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Ints
from gnomon.core.data.features import Codes, FeatureSpace
from gnomon.synthesis.marginals import Marginals, place_in
from gnomon.synthesis.streams import Streams

NUMBER_LEVELS = 16
CATEGORY_LEVELS = 256  # a feature with more values is seen through ranges of its codes
POINTS_A_CELL = 33
LEAST_ODDS = 1e-9
MOST_TILT = 30.0  # in natural-log odds; beyond this a float32 says 0 or 1 anyway


class BitLevels:
    """Bits: one column each, 1 against 0.

    Attributes:
        width: number of columns d of the design matrix.
    """

    def __init__(self, space: FeatureSpace, marginals: Marginals | None) -> None:
        self.width = len(space)
        means = np.full(len(space), 0.5) if marginals is None else marginals.means()
        means = np.clip(means, LEAST_ODDS, 1 - LEAST_ODDS)
        self._means = means.astype(np.float32)
        self._logit = np.log(means / (1 - means)).astype(np.float32)

    def design(self, codes: Codes) -> Floats:
        """Records as a float32 matrix (a, d): bits minus the share of ones."""
        return np.asarray(codes - self._means, dtype=np.float32)

    def draw(self, tilt: Floats, rows: Ints, features: Ints, uniform: Floats) -> Floats:
        """Codes (t,) of features: 1 with believed odds times ``exp(tilt)``; tilt is (a, d), rows (t,) point into it."""
        logit = self._logit[features] + np.clip(tilt[rows, features], -MOST_TILT, MOST_TILT)
        return np.asarray(uniform < 1 / (1 + np.exp(-logit)), dtype=np.float64)


class CellLevels:
    """Any features: one column a level, and within a level the believed distribution.

    Attributes:
        width: number of columns d of the design matrix.
    """

    def __init__(self, space: FeatureSpace, marginals: Marginals | None) -> None:
        self._space = space
        tables = [_levels_of(space, marginals, i) for i in range(len(space))]
        self._starts = [starts for starts, _, _ in tables]
        self._count = np.array([len(starts) for starts in self._starts])
        self._first = np.concatenate([[0], np.cumsum(self._count)])[:-1]
        odds = np.concatenate([mass for _, mass, _ in tables])
        self.width, self._odds = len(odds), odds.astype(np.float32)
        self._log_odds = np.log(odds).astype(np.float32)
        parts = [part for _, _, levels in tables for part in levels]  # one list of cells a level
        self._low = np.concatenate([low for low, _, _ in parts])
        self._high = np.concatenate([high for _, high, _ in parts])
        self._cumulated = np.concatenate([level + np.cumsum(share) for level, (_, _, share) in enumerate(parts)])

    def design(self, codes: Codes) -> Floats:
        """Records as a float32 matrix (a, d): one-hot levels minus their believed shares."""
        z = np.tile(-self._odds, (len(codes), 1))
        for i, starts in enumerate(self._starts):
            level = np.searchsorted(starts, codes[:, i], side="right") - 1
            z[np.arange(len(codes)), self._first[i] + level] += 1
        return z

    def draw(self, tilt: Floats, rows: Ints, features: Ints, uniform: Floats) -> Floats:
        """Codes (t,) of features: a level with odds times ``exp(tilt)``, then a value within the level as believed."""
        drawn = np.empty(len(rows))
        counts = self._count[features]
        for count in np.unique(counts):
            here = np.flatnonzero(counts == count)
            columns = self._first[features[here]][:, None] + np.arange(count)
            logit = self._log_odds[columns] + np.clip(tilt[rows[here][:, None], columns], -MOST_TILT, MOST_TILT)
            weight = np.exp(logit - logit.max(axis=1, keepdims=True)).astype(np.float64)
            ends = np.cumsum(weight, axis=1)
            at = uniform[here] * ends[:, -1]
            level = np.minimum((at[:, None] >= ends).sum(axis=1), count - 1)
            row = np.arange(len(here))
            left = np.clip((at - ends[row, level]) / weight[row, level] + 1, 0, 1 - 1e-12)  # a uniform number again
            drawn[here] = self._within(features[here], columns[row, level], left)
        return drawn

    def _within(self, features: Ints, levels: Ints, uniform: Floats) -> Floats:
        cell = np.minimum(np.searchsorted(self._cumulated, levels + uniform, side="right"), len(self._low) - 1)
        start = np.where(cell > 0, self._cumulated[cell - 1], 0.0)
        inside = np.clip((levels + uniform - start) / np.maximum(self._cumulated[cell] - start, 1e-300), 0, 1 - 1e-12)
        return place_in(self._low[cell], self._high[cell], inside, self._space.sizes[features] > 0)


def make_levels(space: FeatureSpace, marginals: Marginals | None) -> BitLevels | CellLevels:
    """Levels of a space; without marginals every legal value is believed to be as likely."""
    return BitLevels(space, marginals) if space.is_binary else CellLevels(space, marginals)


Part = tuple[Floats, Floats, Floats]  # cells of one level: lowest values, highest values, shares that add up to 1


def _levels_of(space: FeatureSpace, marginals: Marginals | None, i: int) -> tuple[Floats, Floats, list[Part]]:
    """Smallest code of each level, its believed probability, and the cells that it is made of."""
    if marginals is None:
        cells: Part = (space.lows[i : i + 1], space.highs[i : i + 1], np.ones(1))
    else:
        cells = marginals.weights(i)
    low, high, p = cells
    size = int(space.sizes[i])
    categorical = space.features[i].kind in ("binary", "categorical")
    if 0 < size <= (CATEGORY_LEVELS if categorical else NUMBER_LEVELS):
        starts = space.lows[i] + np.arange(size, dtype=np.float64)
    else:
        starts = _equal_shares(low, high, p, first=float(space.lows[i]), whole=size > 0)
    ends = np.append(starts[1:], space.highs[i] + (1 if size else 0))
    masses, parts = [], []
    for level, (a, b) in enumerate(zip(starts, ends, strict=True)):
        inner_low, inner_high, share = _cut(low, high, a, b, whole=size > 0, last=level == len(starts) - 1)
        mass = p * share
        if mass.sum() <= 0:
            inner_low, inner_high, mass = np.array([a]), np.array([b - 1 if size else b]), np.array([LEAST_ODDS])
        some = mass > 0
        masses.append(float(mass.sum()))
        parts.append((inner_low[some], inner_high[some], mass[some] / mass.sum()))
    return starts, np.array(masses) / sum(masses), parts


def _equal_shares(low: Floats, high: Floats, p: Floats, *, first: float, whole: bool) -> Floats:
    """Starts of ranges that hold about the same share of the distribution."""
    points = np.linspace(low, high, POINTS_A_CELL).reshape(-1)
    weights = np.tile(p / POINTS_A_CELL, POINTS_A_CELL)
    order = np.argsort(points, kind="stable")
    cumulated = np.cumsum(weights[order])
    at = np.searchsorted(cumulated, np.arange(1, NUMBER_LEVELS) / NUMBER_LEVELS * cumulated[-1])
    inner = points[order][np.minimum(at, len(points) - 1)]
    inner = np.round(inner) if whole else inner
    return np.unique(np.concatenate([[first], inner[inner > first]]))


def _cut(low: Floats, high: Floats, a: float, b: float, *, whole: bool, last: bool) -> Part:
    """What of each cell lies in the level from a to b (b itself only in the last level of a real feature)."""
    inner_low, inner_high = np.maximum(low, a), np.minimum(high, b - 1 if whole else b)
    if whole:
        return inner_low, inner_high, np.maximum(inner_high - inner_low + 1, 0) / (high - low + 1)
    point = high == low
    inside = (low >= a) & ((low < b) | last)
    length = np.maximum(inner_high - inner_low, 0)
    return inner_low, inner_high, np.where(point, inside, length / np.where(point, 1, high - low))


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
