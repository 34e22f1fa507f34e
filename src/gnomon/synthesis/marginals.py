"""Records drawn from each feature's marginal distribution, or noisy versions of real ones (Shokri et al. 2017, V-C).

The attacker knows how often each value of each feature occurs, and no record: `Marginals` holds such counts, comes from
rows or from a file of counts, and draws every feature independently. The records have no labels; the target's answers
give them (`gnomon.synthesis.asking`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from gnomon.core.arrays import Bools, Floats, Ints, Rows, fingerprint
from gnomon.core.data.features import Codes, FeatureSpace, feature_space
from gnomon.core.errors import DataError, UsageError
from gnomon.core.system import write_text

MAX_VALUES = 256  # a numeric feature with more distinct values is counted in ranges
RANGES = 64
BLOCK_NUMBERS = 2**22


@dataclass(frozen=True)
class Cells:
    """How often the values of one feature occur, in codes (see `gnomon.core.data.feature_space`).

    Attributes:
        low: smallest value of each cell; a cell of one value has low = high.
        high: largest value of each cell.
        count: records in each cell; fractions are legal.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    count: tuple[float, ...]


@dataclass(frozen=True)
class Marginals:
    """The marginal distribution of every feature: all that a statistics-based attacker knows.

    Attributes:
        space: kinds and ranges of the features, and the form of the rows.
        cells: counts by feature, in the order of the space.
        smoothing: so many further records are imagined with values drawn evenly from the whole range, so that a value
            that was never seen stays possible.
    """

    space: FeatureSpace
    cells: tuple[Cells, ...]
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.space):
            raise UsageError(f"expected counts for {len(self.space)} features, got {len(self.cells)}")
        if not (np.isfinite(self.smoothing) and self.smoothing >= 0):
            raise UsageError(f"expected smoothing of at least 0, got {self.smoothing}")
        for i, (feature, cells) in enumerate(zip(self.space.features, self.cells, strict=True)):
            problem = _problem(cells, self.space, i)
            if problem:
                raise UsageError(f'marginals of feature "{feature.name}": {problem}')

    @cached_property
    def fingerprint(self) -> str:
        """Digest of everything."""
        return fingerprint(self.space.to_dict(), [asdict(c) for c in self.cells], self.smoothing)

    def weights(self, feature: int) -> tuple[Floats, Floats, Floats]:
        """Cells of one feature, the imagined records in the last one: lowest and highest values, probabilities."""
        cells = self.cells[feature]
        low = np.array([*cells.low, self.space.lows[feature]])
        high = np.array([*cells.high, self.space.highs[feature]])
        weight = np.array([*cells.count, self.smoothing], dtype=np.float64)
        return low, high, weight / weight.sum()

    def means(self) -> Floats:
        """(features,) expected codes of drawn records."""
        return np.array([((low + high) / 2 * p).sum() for low, high, p in map(self.weights, range(len(self.cells)))])

    def draw_codes(self, n: int, rng: np.random.Generator) -> Codes:
        """Codes (n, features) of n records, every feature independent of the others."""
        codes = np.empty((n, len(self.space)), dtype=self.space.code_type)
        block = max(1, BLOCK_NUMBERS // len(self.space))
        for start in range(0, n, block):
            part = codes[start : start + block]
            uniform, inside = rng.random(part.shape), rng.random(part.shape)
            for i in range(len(self.space)):
                low, high, p = self._tables[i]
                cell = np.minimum(np.searchsorted(np.cumsum(p), uniform[:, i], side="right"), len(p) - 1)
                part[:, i] = place_in(low[cell], high[cell], inside[:, i], bool(self.space.sizes[i]))
        return codes

    def draw(self, n: int, rng: np.random.Generator) -> Rows:
        """N records, every feature drawn independently from its marginal distribution.

        >>> from gnomon.core.data.features import infer_features
        >>> x = (np.random.default_rng(0).random((1000, 3)) < [0.1, 0.5, 0.9]).astype(float)
        >>> known = count_marginals(x, infer_features(x))
        >>> known.draw(10_000, np.random.default_rng(1)).mean(axis=0).round(1).tolist()
        [0.1, 0.5, 0.9]
        """
        return self.space.decode(self.draw_codes(n, rng))

    @cached_property
    def _tables(self) -> list[tuple[Floats, Floats, Floats]]:
        return [self.weights(i) for i in range(len(self.space))]


def place_in(low: Floats, high: Floats, uniform: Floats, whole: Bools | bool) -> Floats:
    """Codes (t,) spread evenly over cells from low to high, both included where values are whole."""
    wide = np.minimum(low + np.floor(uniform * (high - low + 1)), high)
    return np.where(whole, wide, low + uniform * (high - low))


def _problem(cells: Cells, space: FeatureSpace, i: int) -> str | None:
    low, high, count = (np.array(v, dtype=np.float64) for v in (cells.low, cells.high, cells.count))
    if not len(low) == len(high) == len(count) > 0:
        return f"expected as many lows as highs and counts, got {len(low)}, {len(high)}, {len(count)}"
    if not (np.isfinite(count).all() and (count >= 0).all() and count.sum() > 0):
        return f"expected counts of at least 0, not all 0, got {cells.count[:8]}"
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low <= high).all()):
        return "expected finite cells with low <= high"
    if low.min() < space.lows[i] or high.max() > space.highs[i]:
        return f"cells reach from {low.min():g} to {high.max():g}, outside of {space.lows[i]:g} to {space.highs[i]:g}"
    if space.sizes[i] and ((low != np.round(low)) | (high != np.round(high))).any():
        return "expected whole limits"
    return None


def count_marginals(x: Rows, space: FeatureSpace, *, smoothing: float = 1.0) -> Marginals:
    """Counts how often each value of each feature occurs.

    A numeric feature with more than 256 distinct values is counted in ranges: 64 with as many records each, but single
    values that hold more than a range's share keep a cell of their own.

    Args:
        x: (n, ...) rows.
        space: kinds and ranges of the features.
        smoothing: see `Marginals`.

    Raises:
        DataError: no rows, or rows that are not legal in this space.
    """
    codes = space.encode(x)
    if len(codes) == 0:
        raise DataError("expected at least one row to count marginals, got none")
    return Marginals(space, tuple(_count(codes[:, i]) for i in range(len(space))), smoothing)


def _count(column: Floats) -> Cells:
    known = column[~np.isnan(column)] if column.dtype.kind == "f" else column
    values, counts = np.unique(known.astype(np.float64), return_counts=True)
    if len(values) <= MAX_VALUES:
        return _cells(values, values, counts)
    heavy = counts * RANGES > len(column)
    rest = np.repeat(values[~heavy], counts[~heavy])
    parts = [part for part in np.array_split(rest, RANGES) if len(part)]
    low, high = (np.array([part[end] for part in parts]) for end in (0, -1))
    sizes = np.array([len(part) for part in parts], dtype=np.int64)
    return _cells(
        np.concatenate([values[heavy], low]),
        np.concatenate([values[heavy], high]),
        np.concatenate([counts[heavy], sizes]),
    )


def _cells(low: Floats, high: Floats, count: Ints) -> Cells:
    return Cells(tuple(low.tolist()), tuple(high.tolist()), tuple(float(c) for c in count))


class _Document(BaseModel):
    """The file: closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gnomon_marginals: int
    space: dict[str, Any]
    cells: tuple[Cells, ...]
    smoothing: float = 1.0


def save_marginals(marginals: Marginals, path: Path) -> None:
    """Writes counts and ranges, and no record, as JSON; atomically."""
    document = {
        "gnomon_marginals": 1,
        "smoothing": marginals.smoothing,
        "space": marginals.space.to_dict(),
        "cells": [asdict(c) for c in marginals.cells],
    }
    write_text(path, json.dumps(document, allow_nan=False) + "\n")


def load_marginals(path: Path) -> Marginals:
    """Reads a file of marginals.

    Raises:
        DataError: no such file, not JSON, or counts that can't be.
    """
    try:
        document = _Document.model_validate_json(path.read_text(encoding="utf-8"))
        if document.gnomon_marginals != 1:
            raise DataError(f"{path}: expected marginals of version 1, got {document.gnomon_marginals}")
        return Marginals(feature_space(document.space), document.cells, document.smoothing)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file of marginals") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "document"
        raise DataError(f"{path}: not a file of marginals ({place}: {problem['msg']})") from None
    except UsageError as error:
        raise DataError(f"{path}: {error}") from None


def noisy(x: Rows, space: FeatureSpace, rate: float, rng: np.random.Generator) -> Rows:
    """Real records in which each feature, with probability ``rate``, takes another value.

    A bit is flipped, as in the paper (which flips 10 % and 20 % of them). A feature of another kind takes one of its
    other legal values, each as likely; it never keeps its value, so that ``rate`` is the share of features that differ,
    whatever their kind. Only a feature with one legal value stays as it is. A one-hot group is one feature.

    Args:
        x: (n, ...) rows, array or data frame.
        space: kinds and ranges of the features.
        rate: share of features to change, in [0, 1].
        rng: source of randomness.

    Returns:
        Rows in the same form, the records' labels still hold.

    Raises:
        UsageError: a rate outside [0, 1].
        DataError: rows that are not legal in this space.

    >>> from gnomon.core.data.features import infer_features
    >>> bits = np.tile(np.array([0, 1], dtype=np.uint8), (500, 10))
    >>> round(float((noisy(bits, infer_features(bits), 0.1, np.random.default_rng(0)) != bits).mean()), 2)
    0.1
    """
    return space.flip(x, rate, rng)
