"""How exactly a device computes: products of 32-bit numbers by default, and the same bits each time.

On a GPU torch would use TF32 (10 bits of fraction in place of 23) for convolutions, and kernels whose sums come in any
order: a network alone and the same in a stack then differ by 6e-3 in log-probability.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from gnomon.core.errors import UsageError
from gnomon.core.network_recipe import NetworkRecipe, Precision


@contextmanager
def computing(precision: Precision, device: str) -> Iterator[None]:
    """Products inside have this precision, and kernels are deterministic where torch has such; on a GPU only.

    Args:
        precision: ``fp32``; ``tf32``, products of numbers with 10 bits of fraction; or ``bf16``, products
            of 16-bit numbers, while weights and their updates stay 32-bit.
        device: torch device, resolved.
    """
    if torch.device(device).type != "cuda":
        yield
        return
    cudnn: Any = torch.backends.cudnn
    benchmark = cudnn.benchmark
    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)  # a module of the user's own may need what has no other
    try:
        with _products(tf32=precision == "tf32"), rounding(precision, "cuda"):
            yield
    finally:
        cudnn.benchmark = benchmark
        torch.use_deterministic_algorithms(strict, warn_only=warns)


@contextmanager
def _products(*, tf32: bool) -> Iterator[None]:
    """Products of 32-bit numbers inside are TF32's, or exact; afterwards they are as the user had them.

    Since version 2.9 torch has a setting by operation, and raises where the older ones are read after that was used.
    """
    cudnn: Any = torch.backends.cudnn
    values: tuple[object, object]
    places, name, values = [torch.backends.cuda.matmul, cudnn], "allow_tf32", (False, True)
    if hasattr(cudnn, "conv"):
        places, name, values = [torch.backends.cuda.matmul, cudnn.conv, cudnn.rnn], "fp32_precision", ("ieee", "tf32")
    before = [getattr(place, name) for place in places]
    for place in places:
        setattr(place, name, values[tf32])
    try:
        yield
    finally:
        for place, own in zip(places, before, strict=True):
            setattr(place, name, own)


def rounding(precision: Precision, kind: str) -> Any:
    """Products of 16-bit numbers inside, for ``bf16``; weights change at every step, so no copy of them is kept."""
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=precision == "bf16", cache_enabled=False)


def check_gpu_options(recipe: NetworkRecipe, device: str) -> None:
    """Refuses what a device can't do.

    Raises:
        UsageError: less than fp32, or a CUDA graph, on a CPU.
    """
    if torch.device(device).type == "cuda":
        return
    if recipe.precision != "fp32":
        raise UsageError(f'precision "{recipe.precision}" is for a GPU, got device "{device}": leave it out (fp32)')
    if recipe.graph:
        raise UsageError(f'graph = true is for a GPU, got device "{device}": leave it out')
