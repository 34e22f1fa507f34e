"""How much privacy a noisy training spends, and how much noise a wanted privacy takes: Opacus' accountants.

A training of T steps draws each row into a step with probability q (Poisson sampling), clips each row's gradient to a
norm of C and adds Gaussian noise of standard deviation sigma * C to their sum. What that promises for two data sets of
which one holds one row more is an (epsilon, delta) that an accountant bounds from (sigma, q, T).
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Literal, TypeAlias

import numpy as np

from gnomon.core.errors import MissingExtraError, UsageError

Accountant: TypeAlias = Literal["prv", "rdp"]

LEAST_PRV_NOISE = 0.4  # below, PRV takes up to a minute (or ends in infinity) to say little less of a vacuous epsilon
MOST_PRV_EPSILON = 150.0  # a wanted epsilon above it leads there


def import_opacus(what: str) -> ModuleType:
    """The opacus package, or the error that says how to install it."""
    try:
        with quiet():
            import opacus
    except ImportError:
        raise MissingExtraError("opacus", "dp", what) from None
    return opacus  # type: ignore[no-any-return]


@contextmanager
def quiet() -> Iterator[None]:
    """Opacus' remarks on orders of the Renyi divergence, logarithms of 0 and overflow, torch's on its hooks.

    Its bounds hold all the same: what overflows ends in an infinite epsilon, never in one that is too small.
    """
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        warnings.filterwarnings("ignore", message="Optimal order is the (largest|smallest) alpha", category=UserWarning)
        warnings.filterwarnings("ignore", message="Full backward hook is firing", category=UserWarning)
        yield


def usual_delta(rows: int) -> float:
    """The largest power of ten below one over the number of rows.

    >>> usual_delta(999), usual_delta(1000), usual_delta(1)
    (0.001, 0.0001, 0.1)
    """
    return float(f"1e-{len(str(rows))}")


def accountant_for(wanted: Accountant, *, noise: float | None, epsilon: float | None) -> Accountant:
    """The accountant that can do it: PRV is tighter, and only RDP has an answer where there is hardly any noise."""
    bare = (noise is not None and noise < LEAST_PRV_NOISE) or (epsilon is not None and epsilon > MOST_PRV_EPSILON)
    return "rdp" if bare else wanted


@functools.cache  # a search of seconds, asked again for each model of a pool; a pure function of five numbers
def noise_for(epsilon: float, delta: float, sample_rate: float, steps: int, accountant: Accountant) -> float:
    """The noise multiplier sigma that keeps a training within (epsilon, delta).

    Args:
        epsilon: wanted, above 0.
        delta: in (0, 1).
        sample_rate: q, a row's chance to be in a step.
        steps: T.
        accountant: ``prv`` (Gopi et al., 2021) or ``rdp`` (Mironov, 2017).

    Raises:
        UsageError: no noise is enough.
    """
    import_opacus("DP-SGD")
    from opacus.accountants.utils import get_noise_multiplier

    try:
        with quiet():
            found = get_noise_multiplier(
                target_epsilon=epsilon,
                target_delta=delta,
                sample_rate=sample_rate,
                steps=steps,
                accountant=accountant,
                epsilon_tolerance=min(0.01, epsilon / 100),
            )
    except ValueError as error:
        other = ' or accountant = "prv"' if accountant == "rdp" else ""
        raise UsageError(
            f"no noise keeps {steps} steps within epsilon {epsilon:g} at delta {delta:g}: ask for a larger epsilon, "
            f"fewer epochs{other}"
        ) from error
    return float(found)


@functools.cache
def spent(noise: float, delta: float, sample_rate: float, steps: int, accountant: Accountant) -> float | None:
    """The epsilon that a training has spent at this delta; None where there is no bound (no noise).

    >>> spent(0.0, 1e-5, 0.1, 100, "rdp") is None
    True
    """
    if noise == 0:
        return None
    import_opacus("DP-SGD")
    from opacus.accountants import create_accountant

    counter = create_accountant(mechanism=accountant)
    counter.history = [(noise, sample_rate, steps)]
    with quiet():
        epsilon = float(counter.get_epsilon(delta=delta))
    if not math.isfinite(epsilon):  # too little noise for the grid of PRV; RDP still has a bound
        return spent(noise, delta, sample_rate, steps, "rdp") if accountant == "prv" else None
    return epsilon
