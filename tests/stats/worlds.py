"""Populations of scores whose ROC curve is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

Draw = Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class World:
    name: str
    draw: Draw  # (rng, n1, n0) -> members, nonmembers
    auc: float
    tpr: Callable[[float], float]  # at a population false-positive rate


def gaussian(auc: float) -> World:
    shift = float(np.sqrt(2) * norm.ppf(auc))
    return World(
        f"gaussian {auc}",
        lambda rng, n1, n0: (rng.normal(shift, 1, n1), rng.normal(0, 1, n0)),
        auc,
        lambda f: float(norm.sf(norm.isf(f) - shift)),
    )


def heavy(shift: float) -> World:
    """Both samples t-distributed with 3 degrees of freedom."""
    grid = (np.arange(20_000) + 0.5) / 20_000
    return World(
        f"heavy {shift}",
        lambda rng, n1, n0: (rng.standard_t(3, n1) + shift, rng.standard_t(3, n0)),
        float(t.sf(t.isf(grid, 3) - shift, 3).mean()),
        lambda f: float(t.sf(t.isf(f, 3) - shift, 3)),
    )


def lattice(auc: float) -> World:
    """A Gaussian world rounded to halves: a few dozen distinct scores, ties everywhere."""
    shift = float(np.sqrt(2) * norm.ppf(auc))
    grid = np.arange(-30, 40)
    above0, above1 = norm.sf((grid - 0.5) / 2), norm.sf((grid - 0.5) / 2 - shift)
    mass0, mass1 = -np.diff(np.append(above0, 0.0)), -np.diff(np.append(above1, 0.0))
    return World(
        f"lattice {auc}",
        lambda rng, n1, n0: (np.round(2 * rng.normal(shift, 1, n1)), np.round(2 * rng.normal(0, 1, n0))),
        float((mass1 * (1 - above0 + mass0 / 2)).sum()),
        lambda f: float(above1[above0 <= f].max()),
    )


def exposed(share: float) -> World:
    """A share of the members stands far above everybody, the others look like non-members."""

    def draw(rng: np.random.Generator, n1: int, n0: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(0, 1, n1) + 50 * (rng.random(n1) < share), rng.normal(0, 1, n0)

    return World(f"exposed {share}", draw, 0.5 + share / 2, lambda f: share + (1 - share) * f)


def yes_or_no(recall: float, fpr: float) -> World:
    """Scores 0 and 1, as the gap attack gives them."""
    return World(
        f"yes_or_no {recall} {fpr}",
        lambda rng, n1, n0: (1.0 * (rng.random(n1) < recall), 1.0 * (rng.random(n0) < fpr)),
        0.5 + (recall - fpr) / 2,
        lambda f: recall if fpr <= f else 0.0,
    )


def tied_top(share: float) -> World:
    """Half of the non-members and ``share`` of the members tie at the top, at plus infinity."""

    def draw(rng: np.random.Generator, n1: int, n0: int) -> tuple[np.ndarray, np.ndarray]:
        m, n = rng.random(n1), rng.random(n0)
        return np.where(m < share, np.inf, m - 1), np.where(n < 0.5, np.inf, n - 1)

    def tpr(f: float) -> float:
        return 0.0 if f < 0.5 else share + (1 - share) * (f - 0.5) / 0.5

    # Below the tie, members spread over [share - 1, 0) and non-members over [-0.5, 0), both evenly.
    def below(u: np.ndarray) -> np.ndarray:
        return np.clip((u + 0.5) / 0.5, 0, 1) * 0.5

    spread = (np.arange(200_000) + 0.5) / 200_000 * (1 - share) + share - 1
    area = share * (0.5 + 0.25) + (1 - share) * float(below(spread).mean())
    return World(f"tied_top {share}", draw, area, tpr)
