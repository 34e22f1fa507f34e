"""The engine that a command names."""

from __future__ import annotations

from gnomon.core.errors import UsageError
from gnomon.engines.local import Engine, LocalEngine
from gnomon.engines.ray import OWN, RayEngine

LOCAL = "local"
ENGINE_WORDS = (
    "where models are trained: local (this machine), ray (a Ray cluster on this machine that ends with the command), "
    "or the address of a Ray cluster, HOST:6379 or ray://HOST:10001; see docs/scale.md"
)


def engine_of(name: str, workers: int | None = None) -> Engine:
    """The engine of this name, with at most so many workers.

    Raises:
        UsageError: no engine's name.

    >>> engine_of("local", 2)
    LocalEngine(workers=2)
    >>> engine_of("rai")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: --engine: expected local, ray, HOST:PORT or ray://HOST:PORT, got "rai"
    """
    if name == LOCAL:
        return LocalEngine(workers)
    if name == OWN or name.rpartition(":")[2].isdigit():
        return RayEngine(name, workers)
    raise UsageError(f'--engine: expected local, ray, HOST:PORT or ray://HOST:PORT, got "{name}"')
