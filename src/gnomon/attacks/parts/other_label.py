"""Where a search for the decision boundary starts: at a row that the target is known to label otherwise."""

from __future__ import annotations

import numpy as np

from gnomon.core.arrays import Float64s, Ints, is_frame
from gnomon.core.evidence import Evidence

STARTS = 1000  # rows among which the nearest with another label is looked for


def mostly_discrete(evidence: Evidence) -> bool:
    """Whether rows are no array of numbers most of which have something in between; `boundary_bits` suits these."""
    x, space = evidence.require("x"), evidence.require("features")
    discrete = sum(f.kind in ("binary", "categorical") for f in space.features)
    return is_frame(x) or 2 * discrete > len(space)


def nearest_otherwise(rows: Float64s, labelled: Ints, labels: Ints, wanted: Ints, rng: np.random.Generator) -> Ints:
    """For each wanted row the nearest of some rows that are labelled otherwise than it should be; -1 where none is."""
    along = rows @ rng.normal(size=rows.shape[1])  # some of the rows, whatever their order
    some = np.argsort(along, kind="stable")[:: -(-len(rows) // STARTS)]
    squares = (rows[some] ** 2).sum(axis=1)
    found = np.full(len(wanted), -1, dtype=np.int64)
    for start in range(0, len(wanted), STARTS):
        part = slice(start, start + STARTS)
        apart = np.round(squares - 2.0 * rows[wanted[part]] @ rows[some].T, 6)  # equal is equal in any order of rows
        apart[labelled[some] == labels[wanted[part]][:, None]] = np.inf
        nearest = apart.argmin(axis=1)
        found[part] = np.where(np.isfinite(apart.min(axis=1)), some[nearest], -1)
    return found
