"""What a searcher can say about a feature's value: a few levels, with the odds that an attacker believes in beforehand.

A bit has two levels, a category as many as it has values, a number some ranges of values that are about as likely. A
linear model over levels can say more of a number than "more" or "less", and treats all kinds of feature alike.
"""

from __future__ import annotations

import numpy as np

from gnomon.core.arrays import Floats, Ints
from gnomon.core.data.features import Codes, FeatureSpace
from gnomon.synthesis.marginals import Marginals, place_in

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
