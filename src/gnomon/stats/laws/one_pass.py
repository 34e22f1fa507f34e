"""Sums over shadow models of large tables, in one pass over the bytes: a loop that numba compiles.

numpy makes several passes over each block (masks, products, squares). That costs little where tables are small, and
there compiling would cost more; so it is used from `FEWEST` entries on, and only where numba is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gnomon.core.arrays import Bools, Float64s, Floats
from gnomon.core.compiled import can_compile, compiled

FEWEST = 2**25  # entries
BLOCK_ROWS = 2048  # the sums of a block stay in a core's cache


def suits(signals: Floats, member: Bools) -> bool:
    """Whether signals and masks (m, n) are worth a compiled pass, and lie in memory as it wants them."""
    plain = all(isinstance(part, np.ndarray) and part.flags.c_contiguous for part in (signals, member))
    alike = signals.shape == member.shape and signals.dtype == np.float32 and member.dtype == np.bool_
    return plain and alike and signals.size >= FEWEST and can_compile()


def sum_over_models(signals: Floats, member: Bools) -> tuple[Float64s, Float64s]:
    """Counts, sums and sums of squares (3, n) over IN models and over OUT models.

    Args:
        signals: (m, n) float32, contiguous; NaN counts in neither group.
        member: (m, n) the model was trained on the row.
    """
    values, inside = np.asarray(signals).view(), np.asarray(member).view(np.uint8)
    for part in (values, inside):
        part.flags.writeable = False  # as mapped files are, so that one machine code serves all
    found = np.zeros((6, signals.shape[1]))
    _machine_code()(values, inside, found)
    return found[:3], found[3:] - found[:3]


@cache
def _machine_code() -> Callable[..., None]:
    return compiled(_add_all)


def _add_all(values: Any, inside: Any, found: Any) -> None:
    """Blocks of rows, and in them models, four at a time: three sums over IN models, then three over all.

    The sums of a block stand in one array, one behind the other, so that a compiler sees that they do not overlap, and
    works on several rows at a time.
    """
    m, n = values.shape
    sums = np.empty(6 * BLOCK_ROWS)
    for start in range(0, n, BLOCK_ROWS):
        end = min(start + BLOCK_ROWS, n)
        sums[:] = 0.0
        for i in range(0, m - 3, 4):
            a, b, c, d = (
                values[i, start:end], values[i + 1, start:end], values[i + 2, start:end], values[i + 3, start:end],
            )  # fmt: skip
            in_a, in_b, in_c, in_d = (
                inside[i, start:end], inside[i + 1, start:end], inside[i + 2, start:end], inside[i + 3, start:end],
            )  # fmt: skip
            for j in range(end - start):
                u, v, w, x = np.float64(a[j]), np.float64(b[j]), np.float64(c[j]), np.float64(d[j])
                on_u = 1.0 if u == u else 0.0
                on_v = 1.0 if v == v else 0.0
                on_w = 1.0 if w == w else 0.0
                on_x = 1.0 if x == x else 0.0
                u = u if u == u else np.float64(0.0)
                v = v if v == v else np.float64(0.0)
                w = w if w == w else np.float64(0.0)
                x = x if x == x else np.float64(0.0)
                p, q, r, s = float(in_a[j]), float(in_b[j]), float(in_c[j]), float(in_d[j])
                sums[j] += on_u * p + on_v * q + on_w * r + on_x * s
                sums[j + 3 * BLOCK_ROWS] += on_u + on_v + on_w + on_x
                sums[j + 4 * BLOCK_ROWS] += u + v + w + x
                p, q, r, s = p * u, q * v, r * w, s * x
                sums[j + BLOCK_ROWS] += p + q + r + s
                sums[j + 2 * BLOCK_ROWS] += p * u + q * v + r * w + s * x
                sums[j + 5 * BLOCK_ROWS] += u * u + v * v + w * w + x * x
        for i in range(m - m % 4, m):
            for j in range(end - start):
                value, weight = np.float64(values[i, start + j]), float(inside[i, start + j])
                if value == value:
                    sums[j] += weight
                    sums[j + BLOCK_ROWS] += weight * value
                    sums[j + 2 * BLOCK_ROWS] += weight * value * value
                    sums[j + 3 * BLOCK_ROWS] += 1.0
                    sums[j + 4 * BLOCK_ROWS] += value
                    sums[j + 5 * BLOCK_ROWS] += value * value
        for k in range(6):
            found[k, start:end] = sums[k * BLOCK_ROWS : k * BLOCK_ROWS + end - start]
