"""One root seed, named children: no global seeds anywhere.

>>> seeds = Seeds(7)
>>> seeds.child("shadow", 3).integer() == Seeds(7).child("shadow", 3).integer()
True
>>> seeds.child("shadow", 3).integer() == seeds.child("target").integer()
False
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # the step of SplitMix64


@dataclass(frozen=True)
class Seeds:
    """A node in the tree of random streams: a root seed and the path of names that leads here."""

    root: int
    path: tuple[str | int, ...] = ()

    def child(self, *names: str | int) -> Seeds:
        """The stream of this name, independent of all others."""
        return Seeds(self.root, (*self.path, *names))

    def integer(self) -> int:
        """A 63-bit seed for libraries that want one integer."""
        text = json.dumps([self.root, *self.path]).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1

    def generator(self) -> np.random.Generator:
        """A fresh generator at the start of this stream."""
        return np.random.default_rng(self.integer())


def mix(words: Words) -> Words:
    """The finaliser of SplitMix64 (Steele, Lea & Flood, 2014): a bijection of 64-bit words that scatters neighbours."""
    words = words.copy()
    with np.errstate(over="ignore"):
        words ^= words >> np.uint64(30)
        words *= np.uint64(0xBF58476D1CE4E5B9)
        words ^= words >> np.uint64(27)
        words *= np.uint64(0x94D049BB133111EB)
        words ^= words >> np.uint64(31)
    return words
