"""Loops as machine code, where numba is installed (the extra ``fast``)."""

from __future__ import annotations

import os
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
    try:
        return _compiled(function, cache=True)
    except RuntimeError:  # no folder that it may write to
        return _compiled(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a part of the machine code of those that call it; itself without numba.

    Compiled on its own it would be there twice, alone and with its caller. Which of the two runs would depend on what
    was loaded before, and where sums are taken in another order, the last bits with it.
    """
    return _compiled(function, forceinline=True)


def _compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Numba takes settings from a file in the working folder, also where it reads pickles from; it is left out."""
    if not can_compile():
        return function
    numba, settings = import_module("numba"), vars(import_module("numba.core.config"))
    settings["_config_fname"] = os.devnull
    settings["reload_config"]()
    return numba.njit(function, **options, **OPTIONS)  # type: ignore[no-any-return]
