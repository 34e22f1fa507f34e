"""Boosted trees that tell members from others, learned from shadow models' rows or from a known half.

They learn from observations, such as the course of a record's loss over checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from gnomon.attacks.parts.shadow_rows import in_own_order
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Float64s, Floats
from gnomon.core.errors import DataError, UsageError
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import Judge
from gnomon.stats.signals import logit_of_loss

LogOdds: TypeAlias = Callable[[Floats], Floats]  # features (n, f) -> log-odds of "member" (n,)
BINS = 64
ON_SHADOWS = {"l2_regularization": 1.0, "max_bins": BINS}  # there are rows enough to be coarse


def check_learning(name: str, trees: int, max_rows: int) -> None:
    """Refuses options that nothing can be learned with.

    Raises:
        UsageError: fewer than 1 tree or 2 rows.
    """
    if trees < 1 or max_rows < 2:
        raise UsageError(f"{name}: expected trees >= 1 and max_rows >= 2, got trees={trees}, max_rows={max_rows}")


def known_rows(pool: ShadowAnswers, name: str, most: int, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Observations of shadows on rows that they may teach from, and whether the shadow was trained on them.

    Args:
        pool: shadow models on the attacker's rows.
        name: of the observation.
        most: pairs of shadow and row, shared out among the shadows.
        rng: where chance comes from.

    Returns:
        (q, k) observations and (q,) membership, of at most ``most`` pairs.

    Raises:
        UsageError: the shadows were not observed.
        DataError: no members, or no non-members.
    """
    if name not in pool.observed:
        raise UsageError(f'the evidence lacks the observation "{name}" of the shadow models, which this attack needs')
    pool = in_own_order(pool)
    quota = -(-most // pool.n_shadows)
    values, member = [], []
    for i, usable in enumerate(pool.usable):
        rows = np.sort(rng.permutation(np.flatnonzero(usable))[:quota])
        values.append(pool.at(rows).observation(name, i))
        member.append(pool.member[i][rows])
    inside = np.concatenate(member)
    check_both_kinds(inside)
    return np.concatenate(values), inside


def check_both_kinds(member: Bools) -> None:
    """Refuses shadow rows of which nothing can be learned.

    Raises:
        DataError: no members, or no non-members.
    """
    if member.all() or not member.any():
        raise DataError(
            f"expected shadow rows of both kinds, got {int(member.sum())} in and {int((~member).sum())} out; give "
            "shadow models rows that they are not trained on"
        )


def grow_trees(
    features: Floats, member: Bools, trees: int, seed: int, *, leaf: int, weight: Floats | None = None, **options: Any
) -> LogOdds:
    """Log-odds of "member" by boosted trees of 8 leaves.

    Args:
        features: (q, f) finite numbers.
        member: (q,) the truth.
        trees: how many.
        seed: of the trees.
        leaf: rows of a leaf, at least.
        weight: (q,) what each row counts; default all alike.
        options: further ones of scikit-learn's HistGradientBoostingClassifier.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    edges = [] if weight is None else [bin_edges(column, weight) for column in features.T]
    classifier = HistGradientBoostingClassifier(
        max_iter=trees, max_leaf_nodes=8, min_samples_leaf=leaf, early_stopping=False, random_state=seed, **options
    )
    grown = classifier.fit(_binned(features, edges), member, sample_weight=weight)
    return lambda rows: np.asarray(grown.decision_function(_binned(rows, edges)), dtype=np.float64)


def bin_edges(column: Floats, weight: Floats, bins: int = BINS) -> Float64s:
    """Edges (e,) between bins of equal weight, none where a column has no more values than bins.

    What scikit-learn finds as well, which sorts the column again for every edge: most of the time of a small attack.

    Args:
        column: (q,) numbers.
        weight: (q,) above 0.
        bins: how many.

    >>> bin_edges(np.arange(8.0), np.ones(8), bins=4).tolist()
    [1.5, 3.5, 5.5]
    """
    if len(np.unique(column)) <= bins:
        return np.empty(0)
    order = np.argsort(column)
    values, up_to = column[order].astype(np.float64), np.cumsum(weight[order])
    wanted = np.linspace(0.0, 1.0, bins + 1)[1:-1] * up_to[-1]
    at = np.minimum(np.searchsorted(up_to, wanted), len(values) - 1)
    above = np.minimum(at + (up_to[at] - wanted <= np.finfo(np.float64).eps), len(values) - 1)
    return np.unique((values[at] + values[above]) / 2.0)


def _binned(features: Floats, edges: Sequence[Float64s]) -> Floats:
    """Features (n, f) with the bin in place of the number where a column has edges."""
    if not any(len(edge) for edge in edges):
        return features
    columns = zip(features.T, edges, strict=True)
    return np.column_stack([np.searchsorted(edge, column) if len(edge) else column for column, edge in columns])


def learn_trees(
    features: Floats, member: Bools, trees: int, rng: np.random.Generator, weight: Floats | None = None
) -> LogOdds:
    """Log-odds of "member" by boosted trees on shadow rows, for members and non-members in equal number.

    Args:
        features: (q, f) finite numbers.
        member: (q,) the truth.
        trees: how many.
        rng: where chance comes from.
        weight: (q,) what each counts; default all alike.
    """
    grown = grow_trees(features, member, trees, int(rng.integers(2**31)), leaf=20, weight=weight, **ON_SHADOWS)
    counts = np.ones(len(member)) if weight is None else weight
    odds = float(np.log(counts[member].sum() / counts[~member].sum()))
    return lambda rows: grown(rows) - odds


def learn_trajectories(evidence: Evidence, trees: int, max_rows: int, rng: np.random.Generator) -> Judge:
    """Log-odds (n,) of "member" by boosted trees, all records held to one measure.

    Args:
        evidence: with losses at checkpoints, of the target and of the shadows.
        trees: how many.
        max_rows: most pairs of shadow and row to learn from, shared out among the shadows.
        rng: where chance comes from.
    """
    evidence.require("checkpoints")
    losses, member = known_rows(evidence.require("pool"), "checkpoints", max_rows, rng)
    log_odds = learn_trees(trajectory_features(losses), member, trees, rng)
    return lambda audited: log_odds(trajectory_features(audited.require("checkpoints")))


def trajectory_features(losses: Floats) -> Float64s:
    """What a course of losses (n, k) tells, (n, k + 2): the scaled logits, their mean, and how much the last rose.

    >>> trajectory_features(np.log(np.array([[2.0, 2.0, 4.0]]))).round(3).tolist()
    [[0.0, 0.0, -1.099, -0.366, -0.732]]
    """
    logits = logit_of_loss(losses)
    mean = logits.mean(axis=1)
    return np.column_stack([logits, mean, logits[:, -1] - mean])


def note_checkpoints(evidence: Evidence) -> list[str]:
    """How many checkpoints were seen."""
    return [f"sees the loss at {evidence.require('checkpoints').shape[1]} checkpoints of the training"]
