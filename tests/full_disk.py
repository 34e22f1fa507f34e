"""A disk that is full, for one process: files grow to so many bytes and no further."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def full_disk(at: int = 1000) -> Iterator[None]:
    """Writes within the block end as on a full disk: in part, then with an error.

    Args:
        at: bytes that fit into a file.
    """
    resource = pytest.importorskip("resource", reason="limits of a process are Unix's")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
