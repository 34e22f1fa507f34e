"""Shokri's learned attack on LiRA's evidence (gnomon, 2026).

Shokri et al. (2017) learn what a member's answer looks like from shadow models, but hold all records to one measure.
LiRA (2022) measures each record by shadow models that knew it and that did not, but fixes the form of the likelihoods.
Here each shadow model in turn plays the target and others calibrate it, record by record; a gradient-boosted attack
model learns from all these rehearsals what sets a member apart, and then scores the real target. No audited row's
membership is used: the rehearsals are about the shadows' own training rows.

How a rehearsal is drawn so that it gives nothing away stands in `gnomon.attacks.parts.leave_two_out`.

The same is done for the course of a record's loss: `gnomon.attacks.trajectory` holds all records to one measure; here
the other shadow models say how fast this record is learned by who is trained on it and by who is not, at every
checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from gnomon.attacks.parts import leave_two_out
from gnomon.attacks.parts.boosting import (
    ON_SHADOWS,
    LogOdds,
    check_learning,
    grow_trees,
    learn_trajectories,
    learn_trees,
    note_checkpoints,
)
from gnomon.attacks.parts.queries import note_versions
from gnomon.attacks.parts.shadow_rows import OnlineOffline, in_own_order
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Float64s, Floats
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Need
from gnomon.core.protocols import Judge, variant
from gnomon.stats.laws.conditional import ConditionalLaw, fit_conditional_law
from gnomon.stats.laws.student import Prior
from gnomon.stats.signals import logit_of_loss

FEWEST_LESSONS = 100  # of members and of non-members
CLIP = 30.0  # nats: bounds what one law may say against the trees

Learner: TypeAlias = Literal["both", "law", "trees"]


@dataclass(frozen=True)
class Calibrated(OnlineOffline):
    """Learned from rehearsals of the shadows, calibrated record by record with IN and OUT models (offline: OUT only).

    Score: log-odds for member; 0 is the decision when half of the candidates are members. With several queries a
    record, their mean. With fewer than 4 shadow models it is BaVarIA's log ratio, and a note says so.

    Attributes:
        lessons: most rehearsed pairs of (shadow, record) to learn from.
        learner: "law" learns two laws of the target's scaled logit, given what the other shadows say of the record;
            "trees" boosts trees on the same evidence; "both" takes the mean of their log-odds.
        trees: number of boosted trees.
        online: with models that were trained on the record (`calibrated`), or without (`calibrated_offline`).

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), m=6, gap=6.0)
    >>> scores = Calibrated(trees=10).score(world.evidence, np.random.default_rng(0))
    >>> float(((scores > 0) == world.member).mean()) > 0.9
    True
    """

    lessons: int = 20_000
    learner: Learner = "both"
    trees: int = 60
    online: bool = variant(True)

    names: ClassVar[tuple[str, str]] = ("calibrated", "calibrated_offline")
    heading: ClassVar[str] = "Calibrated attack model"
    paper: ClassVar[str] = "gnomon 2026, after Shokri et al. 2017 and Carlini et al. 2022"
    reads: ClassVar[frozenset[Need]] = frozenset({"answers", "pool"})
    threshold: ClassVar[float | None] = 0.0

    def __post_init__(self) -> None:
        if self.lessons < 2 * FEWEST_LESSONS or self.trees < 1:
            raise UsageError(
                f"{self.name}: expected at least {2 * FEWEST_LESSONS} lessons and 1 tree, got lessons={self.lessons}, "
                f"trees={self.trees}"
            )

    def learn(self, evidence: Evidence, rng: np.random.Generator) -> Judge:
        """Priors and attackers, one of each a query, learned on the pool's answers to the same query."""
        own_pool = evidence.require("pool")
        learned: list[tuple[Sequence[tuple[Prior, Prior]], _Attacker | None]] = []
        start = rng
        for query in evidence.queries:
            rng = deepcopy(start)  # the same rehearsals for each query
            pool = in_own_order(query.pool or own_pool)
            sample = leave_two_out.draw_sample(pool, rng)
            signals = np.stack([sample.signal(signal) for signal in leave_two_out.SIGNALS]).astype(np.float64)
            priors = [leave_two_out.learn_priors(values, sample.member) for values in signals]
            lessons = leave_two_out.draw_lessons(sample.member, sample.usable, self.lessons, rng)
            enough = pool.n_shadows >= leave_two_out.FEWEST_SHADOWS and _both_kinds(lessons.member)
            attacker = _learn(signals, sample.member, lessons, priors, self, rng) if enough else None
            learned.append((priors, attacker))

        def judge_all(audited: Evidence) -> Floats:
            parts = [
                _score_query(query.require("answers"), self.shadows_of(query), priors, attacker, self.online)
                for query, (priors, attacker) in zip(audited.queries, learned, strict=True)
            ]
            return np.asarray(np.mean(parts, axis=0))

        return judge_all

    def notes(self, evidence: Evidence) -> list[str]:
        """Says if there were too few shadow models to learn from."""
        few = leave_two_out.note_few(evidence.require("pool"), "learn from", "scored by BaVarIA's likelihoods")
        return [*note_versions(evidence), *few]


@dataclass(frozen=True)
class _Attacker:
    """What was learned: two laws of the scaled logit, and trees (None: law only)."""

    inside: ConditionalLaw
    outside: ConditionalLaw
    trees: LogOdds | None
    learner: Learner

    def log_odds(self, facts: leave_two_out.Facts) -> Float64s:
        law = _law_log_odds(self.inside, self.outside, facts)
        if self.trees is None:
            return law
        trees = self.trees(facts.tree_columns(law))
        return trees + 1e-6 * law if self.learner == "trees" else (trees + law) / 2.0


def _score_query(
    answers: Floats,
    shadows: ShadowAnswers,
    priors: Sequence[tuple[Prior, Prior]],
    attacker: _Attacker | None,
    online: bool,
) -> Float64s:
    scores = np.empty(len(shadows.rows))
    for start in range(0, len(scores), leave_two_out.BLOCK_ROWS):
        rows = np.arange(start, min(start + leave_two_out.BLOCK_ROWS, len(scores)))
        block = shadows.at(rows)
        own = np.stack([signal(answers[rows], block.labels) for signal in leave_two_out.SIGNALS]).astype(np.float64)
        others = np.stack([block.signal(signal) for signal in leave_two_out.SIGNALS]).astype(np.float64)
        facts = leave_two_out.judge(own, others, block.member, priors, online)
        scores[rows] = facts.log_ratio if attacker is None else attacker.log_odds(facts)
    return scores


def _learn(
    signals: Float64s,
    member: Bools,
    lessons: leave_two_out.Lessons,
    priors: Sequence[tuple[Prior, Prior]],
    attack: Calibrated,
    rng: np.random.Generator,
) -> _Attacker:

    facts = leave_two_out.rehearsed_facts(signals, member, lessons, priors, attack.online)
    columns = facts.law_columns()
    laws = [
        fit_conditional_law(columns[kind], facts.own[0][kind], lessons.weight[kind])
        for kind in (lessons.member, ~lessons.member)
    ]
    trees = None
    if attack.learner != "law":
        columns = facts.tree_columns(_law_log_odds(laws[0], laws[1], facts))
        seed = int(rng.integers(2**31))
        trees = grow_trees(columns, lessons.member, attack.trees, seed, leaf=50, weight=lessons.weight, **ON_SHADOWS)
    return _Attacker(laws[0], laws[1], trees, attack.learner)


def _law_log_odds(inside: ConditionalLaw, outside: ConditionalLaw, facts: leave_two_out.Facts) -> Float64s:
    columns = facts.law_columns()
    ratio = inside.log_density(columns, facts.own[0]) - outside.log_density(columns, facts.own[0])
    return CLIP * np.tanh(ratio / CLIP)  # bounded, but without ties


def _both_kinds(member: Bools) -> bool:
    return min(int(member.sum()), int((~member).sum())) >= FEWEST_LESSONS


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
