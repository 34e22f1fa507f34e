"""Watson, Guo, Cormode and Sablayrolles 2022: a score calibrated by the difficulty of the record.

A record that every model answers with confidence proves nothing by being answered so. The score is the target's
signal less the mean of the same signal over models that were not trained on the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.core.arrays import Bools, Floats
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Attack
from gnomon.stats.laws.moments import outside_moments
from gnomon.stats.signals import loss


@dataclass(frozen=True)
class Watson(Attack):
    """The loss of models that never saw the record, less the target's loss (difficulty calibration).

    Score: mean OUT loss - target's loss, in nats. A record that all shadows were trained on is held against the
    overall mean.

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), gap=6.0)
    >>> scores = Watson().score(world.evidence, np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    name: ClassVar[str] = "watson"
    title: ClassVar[str] = "Difficulty calibration"
    paper: ClassVar[str] = "Watson, Guo, Cormode, Sablayrolles 2022"
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows_out"})

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in nats: how much smaller the target's loss is than that of models without the record."""
        return watson_scores(*evidence.signals(loss))


def watson_scores(observed: Floats, losses: Floats, member: Bools) -> Floats:
    """Difficulty calibration on arrays.

    Args:
        observed: (n,) the target's loss.
        losses: (m, n) the shadows' losses; IN entries may be NaN.
        member: (m, n) the shadow was trained on the row.

    Returns:
        (n,) mean OUT loss less observed loss, higher = member.

    >>> watson_scores(np.array([0.5]), np.array([[1.0], [2.0], [9.0]]), np.array([[False], [False], [True]]))
    array([1.])
    """
    outside = outside_moments(losses, member)
    mean = np.where(outside.count > 0, outside.mean, np.nan_to_num(outside.overall_mean))
    return np.asarray(mean - observed)
