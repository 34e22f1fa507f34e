"""Where climbers start and what they propose: the part of the climb that may be done better than in the paper.

A searcher never decides what is accepted: that is Algorithm 1's rule, in `gnomon.synthesis.climbers`, for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gnomon.core.arrays import Floats, Ints
from gnomon.core.data.features import Codes, FeatureSpace
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


class Searcher(Protocol):
    """Starts and proposals of many climbers at once."""

    def start(self, classes: Ints, streams: Streams) -> Codes:
        """First records (a, features) of new climbers of these classes (a,)."""
        ...

    def propose(self, spot: Spot, streams: Streams) -> Codes:
        """Next records (a, features): x* with at most k features changed."""
        ...

    def learn(self, codes: Codes, answers: Floats) -> None:
        """Takes note of what the target answered, natural-log probabilities (a, c), on records (a, features)."""
        ...

    def save(self) -> Arrays:
        """What was learned, as arrays."""
        ...

    def load(self, arrays: Arrays) -> None:
        """Goes on from what was learned before."""
        ...


class Plain:
    """The paper's searcher: random records, and k features re-drawn at random (Shokri et al. 2017, Algorithm 1)."""

    def __init__(self, space: FeatureSpace) -> None:
        self.space = space

    def start(self, classes: Ints, streams: Streams) -> Codes:
        """RandRecord(): every feature uniform over its legal values."""
        d = len(self.space)
        uniform = streams.uniform_rows(d).reshape(-1)
        codes = self.space.draw(np.tile(np.arange(d), len(classes)), uniform)
        return codes.reshape(len(classes), d).astype(self.space.code_type)

    def propose(self, spot: Spot, streams: Streams) -> Codes:
        """RandRecord(x*, k): k features of x*, chosen at random, drawn anew."""
        proposed = spot.codes.copy()
        rows, features, uniform = streams.picks(len(self.space), spot.k)
        proposed[rows, features] = self.space.draw(features, uniform).astype(proposed.dtype)
        return proposed

    def learn(self, codes: Codes, answers: Floats) -> None:
        """The paper's climb forgets what it asked."""

    def save(self) -> Arrays:
        """Nothing."""
        return {}

    def load(self, arrays: Arrays) -> None:
        """Nothing."""
