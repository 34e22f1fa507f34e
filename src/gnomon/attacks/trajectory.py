"""Liu, Zhao, Backes and Zhang 2022 (TrajectoryMIA): members are told by the course of their loss, not by its end alone.

A record that everybody gets right in the end was learned early if it is easy and late if it had to be memorised. The
paper's attacker distils the target to guess that course; here they see it, since target and shadow models are trained
here: they are given the loss of every record at checkpoints of the training. Shadow models, whose rows are known,
teach an attack model what the course of a member looks like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.boosting import check_learning, learn_trajectories, note_checkpoints
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack, Judge


@dataclass(frozen=True)
class Trajectory(Attack):
    """Boosted trees on the course of a record's loss, learned from shadow models' own rows.

    Score: log-odds of "member" for members and non-members in equal number. Black box but for the checkpoints.
    In place of the paper's network, trees read the scaled logit at every checkpoint, its mean, and its last rise.

    Attributes:
        trees: number of boosted trees.
        max_rows: most pairs of shadow and row to learn from, shared out among the shadows.

    >>> from gnomon.testing import overfitted_world
    >>> world = overfitted_world(np.random.default_rng(0), n=400, m=4)
    >>> says_member = Trajectory().score(world.evidence, np.random.default_rng(0)) >= 0
    >>> float((says_member == world.member).mean()) > 0.85
    True
    """

    name: ClassVar[str] = "trajectory"
    title: ClassVar[str] = "Loss trajectory over checkpoints"
    paper: ClassVar[str] = "Liu, Zhao, Backes, Zhang 2022"
    needs: ClassVar[frozenset[Need]] = frozenset({"checkpoints", "pool"})
    threshold: ClassVar[float | None] = 0.0

    trees: int = 100
    max_rows: int = 40_000

    def __post_init__(self) -> None:
        check_learning(self.name, self.trees, self.max_rows)

    def learn(self, evidence: Evidence, rng: np.random.Generator) -> Judge:
        """The trees."""
        return learn_trajectories(evidence, self.trees, self.max_rows, rng)

    def notes(self, evidence: Evidence) -> list[str]:
        """How many checkpoints were seen."""
        return note_checkpoints(evidence)
