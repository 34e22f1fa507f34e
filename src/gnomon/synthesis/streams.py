"""Random numbers of many climbers at once, each from its own stream.

A climber's numbers are hashes of its key and a counter (SplitMix64: Steele, Lea & Flood, 2014), so they do not depend
on which climbers are computed beside it: the same climb comes out whatever the size of the batch.
"""

from __future__ import annotations

import numpy as np

from gnomon.core.arrays import Floats, Ints
from gnomon.core.seeds import GOLDEN, Words, mix

TO_UNIT_32 = 2.0**-32
TO_UNIT_53 = 2.0**-53


def stream_keys(root: int, classes: Ints, attempts: Ints) -> Words:
    """Keys (t,) of the streams of climbers, each named by its class and its attempt at that class."""
    with np.errstate(over="ignore"):
        words = mix(np.asarray(classes, dtype=np.uint64) * GOLDEN + np.uint64(root))
        return mix(words + np.asarray(attempts, dtype=np.uint64) * GOLDEN)


def words_at(keys: Words, counters: Words) -> Words:
    """The random words (t,) at these places of these streams."""
    with np.errstate(over="ignore"):
        return mix(keys + (counters + np.uint64(1)) * GOLDEN)


def uniform_at(keys: Words, counters: Words) -> Floats:
    """Uniform numbers in [0, 1), 53 bits each, at these places of these streams."""
    return (words_at(keys, counters) >> np.uint64(11)) * TO_UNIT_53


class Streams:
    """The streams of a batch of climbers, and how far each has been read."""

    def __init__(self, keys: Words, used: Words) -> None:
        self.keys = keys
        self.used = used

    def uniform(self) -> Floats:
        """One uniform number (a,) from every stream."""
        numbers = uniform_at(self.keys, self.used)
        self.used = self.used + np.uint64(1)
        return numbers

    def uniform_rows(self, width: int) -> Floats:
        """So many uniform numbers from every stream, (a, width)."""
        words = self._read(np.full(len(self.keys), width))
        return ((words >> np.uint64(11)) * TO_UNIT_53).reshape(len(self.keys), width)

    def picks(self, d: int, k: Ints) -> tuple[Ints, Ints, Floats]:
        """For every stream i, ``k[i]`` distinct features of d chosen at random, with a uniform number for each.

        The first k distinct values of a sequence of independent uniform choices are a uniform choice of k.

        Returns:
            Rows (t,), features (t,) and numbers in [0, 1) (t,), t = k.sum().
        """
        repeats = k * k / (2.0 * np.maximum(d - k, 1))  # expected, a little high
        length = np.where(2 * k > d, 0, k + np.ceil(repeats + 3 * np.sqrt(repeats)).astype(np.int64))
        words = self._read(length)
        features = ((words >> np.uint64(32)) * np.uint64(d) >> np.uint64(32)).astype(np.int64)
        rows = np.repeat(np.arange(len(k)), length)
        place = np.arange(len(rows), dtype=np.int32)
        cell = rows * d + features
        first_at = np.empty(len(k) * d, dtype=np.int32)
        first_at[cell[::-1]] = place[::-1]  # of equal cells the last write stays: the first choice
        fresh = first_at[cell] == place
        count = np.concatenate([[0], np.cumsum(fresh)])
        before, after = count[np.cumsum(length) - length], count[np.cumsum(length)]
        enough = after - before >= k
        # A row's first k fresh choices; rows with too few of them take none here.
        chosen = np.flatnonzero(fresh & (count[1:] <= np.repeat(np.where(enough, before + k, -1), length)))
        rows, features = rows[chosen], features[chosen]
        uniform = (words[chosen] & np.uint64(0xFFFFFFFF)) * TO_UNIT_32
        if not enough.all():
            more = self._picks_by_order(d, k, np.flatnonzero(~enough))
            rows, features = np.concatenate([rows, more[0]]), np.concatenate([features, more[1]])
            uniform = np.concatenate([uniform, more[2]])
        return rows, features, uniform

    def _picks_by_order(self, d: int, k: Ints, short: Ints) -> tuple[Ints, Ints, Floats]:
        """The same for few rows or large k: the k smallest of d random words a row."""
        length = np.zeros(len(k), dtype=np.int64)
        length[short] = 2 * d
        words = self._read(length).reshape(len(short), 2 * d)
        order = np.argsort(words[:, :d], axis=1, kind="stable")
        keep = np.arange(d) < k[short][:, None]
        rows, features = np.repeat(short, k[short]), order[keep]
        uniform = (words[:, d:][keep] >> np.uint64(11)) * TO_UNIT_53
        return rows, features, uniform

    def _read(self, length: Ints) -> Words:
        """The next ``length[i]`` words of every stream i, one after the other."""
        ends = np.cumsum(length)
        with np.errstate(over="ignore"):
            first = self.keys + (self.used + np.uint64(1) - (ends - length).astype(np.uint64)) * GOLDEN
            words = np.repeat(first, length)
            words += np.arange(len(words), dtype=np.uint64) * GOLDEN
        self.used = self.used + length.astype(np.uint64)
        return mix(words)
