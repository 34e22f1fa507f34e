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
