"""Pickles that hold nothing but plain containers, text, bytes, numbers and numpy arrays of numbers.

A pickle is a program. This reader knows three names, those that an array is made of, and calls nothing else, so a
pickle that asks for more is refused before anything in it has run.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from gnomon.core.errors import DataError

_RECONSTRUCT = np.empty(0).__reduce__()[0]  # numpy's own, wherever this version keeps it
ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which plain data do not need")
        return ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f"it refers to something outside of it ({pid!r})")


def read_plain_pickle(content: bytes, source: str) -> Any:
    """What a pickle of plain data holds; Python 2's text comes as bytes.

    >>> read_plain_pickle(pickle.dumps({"labels": [1, 2]}), "batch")
    {'labels': [1, 2]}

    Raises:
        DataError: a damaged pickle, or one that asks for anything but arrays of numbers.
    """
    try:
        return _PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise almost anything
        raise DataError(f"{source}: refused: it is no pickle of plain data ({error})") from error
