"""What the course of a record's loss over checkpoints tells of membership, learned from shadow models' own rows."""

from __future__ import annotations

import numpy as np

from gnomon.attacks.parts.boosting import known_rows, learn_trees
from gnomon.core.arrays import Float64s, Floats
from gnomon.core.evidence import Evidence
from gnomon.core.protocols import Judge
from gnomon.stats.signals import logit_of_loss


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
