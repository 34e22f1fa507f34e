"""Loops as machine code, where numba is installed (the extra ``fast``)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

# Sums may be taken in another order, but NaN and infinity stay what they are: training that diverges must be seen.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": {"contract", "reassoc", "nsz", "arcp"}}


def can_compile() -> bool:
    """Whether numba is installed; it is imported when the first function is compiled."""
    return find_spec("numba") is not None


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, kept between processes where there is a place to keep it; itself without numba."""
    if not can_compile():
        return function
    numba = import_module("numba")
    try:
        return numba.njit(function, cache=True, **OPTIONS)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder that it may write to
        return numba.njit(function, **OPTIONS)  # type: ignore[no-any-return]
