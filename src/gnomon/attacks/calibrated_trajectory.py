"""The course of a record's loss, measured against the courses that it took in other models (gnomon, 2026).

`gnomon.attacks.trajectory` holds all records to one measure; here the other shadow models say how fast this record is
learned by who is trained on it and by who is not. As in `gnomon.attacks.calibrated`, each shadow model in turn plays
the target and others calibrate it, record by record, at every checkpoint; boosted trees learn from these rehearsals
what sets a member's course apart. How a rehearsal is drawn so that it gives nothing away stands in
`gnomon.attacks.parts.leave_two_out`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts import leave_two_out
from gnomon.attacks.parts.boosting import check_learning, learn_trajectories, learn_trees, note_checkpoints
from gnomon.attacks.parts.shadow_rows import OnlineOffline, in_own_order
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Float64s, Floats
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Judge, variant
from gnomon.stats.signals import logit_of_loss


@dataclass(frozen=True)
class CalibratedTrajectory(OnlineOffline):
    """The loss trajectory against IN and OUT models of the same record (offline: OUT models only).

    Score: log-odds of "member"; 0 = undecided. With fewer than 4 shadow models it is `trajectory`, and a note says so.

    Attributes:
        trees: number of boosted trees.
        lessons: most rehearsed pairs of (shadow, record) to learn from.
        online: with models that were trained on the record (`trajectory_online`), or without (`trajectory_offline`).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), m=6, gap=6.0)
    >>> scores = CalibratedTrajectory(trees=10).score(world.evidence, np.random.default_rng(0))
    >>> float(((scores > 0) == world.member).mean()) > 0.9
    True
    """

    trees: int = 100
    lessons: int = 20_000
    online: bool = variant(True)

    names: ClassVar[tuple[str, str]] = ("trajectory_online", "trajectory_offline")
    heading: ClassVar[str] = "Loss trajectory, calibrated record by record"
    paper: ClassVar[str] = "gnomon 2026, after Liu et al. 2022 and Carlini et al. 2022"
    reads: ClassVar[frozenset[Need]] = frozenset({"checkpoints", "pool"})
    threshold: ClassVar[float | None] = 0.0

    def __post_init__(self) -> None:
        check_learning(self.name, self.trees, self.lessons)

    def learn(self, evidence: Evidence, rng: np.random.Generator) -> Judge:
        """Priors and trees; with too few shadow models those of the plain attack."""
        evidence.require("checkpoints")
        online = self.online
        pool = in_own_order(evidence.require("pool"))
        sample = leave_two_out.draw_sample(pool, rng)
        lessons = leave_two_out.draw_lessons(sample.member, sample.usable, self.lessons, rng)
        if pool.n_shadows < leave_two_out.FEWEST_SHADOWS or lessons.member.all() or not lessons.member.any():
            return learn_trajectories(evidence, self.trees, self.lessons, rng)
        logits = _trajectories(sample)
        priors = [leave_two_out.learn_priors(values, sample.member) for values in logits]
        steps = [slice(t, t + 1) for t in range(len(logits))]
        facts = [leave_two_out.rehearsed_facts(logits[t], sample.member, lessons, priors[t], online) for t in steps]
        model = learn_trees(_columns(facts), lessons.member, self.trees, rng, lessons.weight)

        def judge_all(audited: Evidence) -> Floats:
            own, shadows, scores = audited.require("checkpoints"), self.shadows_of(audited), np.empty(len(audited))
            for start in range(0, len(scores), leave_two_out.BLOCK_ROWS):
                rows = np.arange(start, min(start + leave_two_out.BLOCK_ROWS, len(scores)))
                block, mine = shadows.at(rows), np.asarray(logit_of_loss(own[rows]).T, dtype=np.float64)
                others = _trajectories(block)
                each = [leave_two_out.judge(mine[t], others[t], block.member, priors[t], online) for t in steps]
                scores[rows] = model(_columns(each))
            return scores

        return judge_all

    def notes(self, evidence: Evidence) -> list[str]:
        """How many checkpoints were seen, and whether there were too few shadow models."""
        few = leave_two_out.note_few(evidence.require("pool"), "calibrate with", "scored uncalibrated")
        return [*note_checkpoints(evidence), *few]


def _trajectories(shadows: ShadowAnswers) -> Float64s:
    """Scaled logits (k, m, n) of m shadows at k checkpoints, NaN where hidden."""
    if "checkpoints" not in shadows.observed:
        raise UsageError("the evidence lacks losses of the shadow models at checkpoints, which this attack needs")
    courses = [logit_of_loss(shadows.observation("checkpoints", i)).T for i in range(shadows.n_shadows)]
    return np.stack(courses, axis=1)


def _columns(facts: Sequence[leave_two_out.Facts]) -> Float64s:
    """(b, f): at every checkpoint the scaled logit, how far off it is from either law, and the log ratio of the laws.

    Beside these the means over the course, and what the last checkpoint's laws say of the record.
    """
    columns: list[Float64s] = []
    for fact in facts:
        off = fact.own[0] - fact.location[0]
        columns += [fact.own[0], off[0], *(off / np.exp(fact.log_variance / 2.0)), fact.log_ratio]
    means = [np.mean([fact.own[0] for fact in facts], axis=0), np.mean([fact.log_ratio for fact in facts], axis=0)]
    return np.column_stack([*columns, *means, *facts[-1].location[0], *facts[-1].log_variance])
