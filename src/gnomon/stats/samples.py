"""Scores of members and of non-members: the checks at the border, and how often scores tie.

A score is any number; higher means "more like a member". Plus and minus infinity are legal scores (a log-likelihood
ratio may reach them), NaN is not. Every function of this package takes the two samples apart, ``members (n1,)`` and
``nonmembers (n0,)``; `split_scores` makes them from one array and a mask.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gnomon.core.errors import DataError

Doubles: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]


def check_scores(scores: ArrayLike, *, source: str) -> Doubles:
    """One sample of scores as float64 ``(n,)``.

    Args:
        scores: numbers ``(n,)``; plus and minus infinity are legal.
        source: what the scores are, for the message ("members").

    Raises:
        DataError: empty, not one-dimensional, not numbers, or with NaN (their number is named).

    >>> check_scores([1, -np.inf], source="members")
    array([  1., -inf])
    """
    array = np.asarray(scores)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{source}: scores must be real numbers, got {array.dtype}")
    if array.ndim != 1:
        raise DataError(f"{source}: expected scores of shape (n,), got {array.shape}")
    if array.size == 0:
        raise DataError(f"{source}: expected at least one score, got none")
    array = array.astype(np.float64, copy=False)
    missing = int(np.count_nonzero(np.isnan(array)))
    if missing:
        raise DataError(
            f"{source}: {missing} of {array.size} scores are NaN; an attack must give every row a number "
            "(minus infinity is legal and means: certainly no member)"
        )
    return array


def split_scores(scores: ArrayLike, member: ArrayLike) -> tuple[Doubles, Doubles]:
    """Splits scores ``(n,)`` by the mask of true members ``(n,)`` into ``(members, nonmembers)``.

    Raises:
        DataError: shapes differ, the mask is not boolean, a side is empty, or scores hold NaN.

    >>> split_scores([0.1, 0.9, 0.4], [False, True, False])
    (array([0.9]), array([0.1, 0.4]))
    """
    array = check_scores(scores, source="scores")
    mask = np.asarray(member)
    if mask.dtype != np.bool_ or mask.shape != array.shape:
        raise DataError(
            f"member: expected a boolean mask of shape {array.shape}, one entry a score, "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    members, nonmembers = array[mask], array[~mask]
    if members.size == 0 or nonmembers.size == 0:
        raise DataError(
            f"expected at least one member and one non-member, got {members.size} members "
            f"and {nonmembers.size} non-members"
        )
    return members, nonmembers


def sorted_pair(members: ArrayLike, nonmembers: ArrayLike) -> tuple[Doubles, Doubles]:
    """Both samples checked and sorted upwards."""
    return (
        np.sort(check_scores(members, source="members")),
        np.sort(check_scores(nonmembers, source="nonmembers")),
    )


def tied_share(scores: ArrayLike) -> float:
    """Share of rows whose score another row has too, in [0, 1].

    >>> tied_share([1.0, 1.0, 2.0, 3.0])
    0.5
    """
    _, counts = np.unique(check_scores(scores, source="scores"), return_counts=True)
    return float(counts[counts > 1].sum() / counts.sum())
