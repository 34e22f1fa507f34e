"""Tasks for workers of a cluster, in a module that imports little: each worker imports it anew."""

import os
import signal
import time
from typing import Any

import numpy as np

from gnomon.core.errors import ModelError


def wait_and_keep(number: int, *, keep: Any) -> int:
    time.sleep(0.3)
    keep(f"array {number}", np.full(200_000, number, dtype=np.float32), {"number": number})
    return number * number


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse(number: int) -> int:
    raise ModelError(f"no {number}")


class Unknown:
    """Something whose module a worker does not have."""

    def __reduce__(self) -> Any:
        return absent, ()


def absent() -> None:
    raise ModuleNotFoundError("No module named 'mine'")


def one_of_many(shared: Any, number: int) -> Any:
    return shared[number]
