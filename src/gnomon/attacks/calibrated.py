"""Shokri's learned attack on LiRA's evidence (gnomon, 2026).

Shokri et al. (2017) learn what a member's answer looks like from shadow models, but hold all records to one measure.
LiRA (2022) measures each record by shadow models that knew it and that did not, but fixes the form of the likelihoods.
Here each shadow model in turn plays the target and others calibrate it, record by record; a gradient-boosted attack
model learns from all these rehearsals what sets a member apart, and then scores the real target. No audited row's
membership is used: the rehearsals are about the shadows' own training rows.

How a rehearsal is drawn so that it gives nothing away stands in `gnomon.attacks.lessons`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks.asking import note_versions
from gnomon.attacks.demand import demand
from gnomon.attacks.lessons import (
    BLOCK_ROWS,
    SIGNALS,
    Facts,
    Lessons,
    draw_lessons,
    judge,
    learn_priors,
    rehearsed_facts,
)
from gnomon.attacks.shadow_order import in_own_order
from gnomon.core.answers import ShadowAnswers
from gnomon.core.arrays import Bools, Floats
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Need
from gnomon.stats.conditional import ConditionalLaw, fit_conditional_law
from gnomon.stats.student import Prior

PAPER = "gnomon 2026, after Shokri et al. 2017 and Carlini et al. 2022"
FEWEST_SHADOWS = 4  # with fewer, a rehearsal that leaves two out has nothing left to calibrate with
FEWEST_LESSONS = 100  # of members and of non-members
SAMPLE_ROWS = 20_000  # of the pool
CLIP = 30.0  # nats: bounds what one law may say against the trees

Learner: TypeAlias = Literal["both", "law", "trees"]
_Float64s: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """Learned from rehearsals of the shadows, calibrated record by record with IN and OUT models (online).

    Score: log-odds for member; 0 is the decision when half of the candidates are members. With several queries a
    record, their mean. With fewer than 4 shadow models it is BaVarIA's log ratio, and a note says so.

    Attributes:
        lessons: most rehearsed pairs of (shadow, record) to learn from.
        learner: "law" learns two laws of the target's scaled logit, given what the other shadows say of the record;
            "trees" boosts trees on the same evidence; "both" takes the mean of their log-odds.
        trees: number of boosted trees.

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), m=6, gap=6.0)
    >>> scores = Calibrated(trees=10).score(world.evidence, np.random.default_rng(0))
    >>> float(((scores > 0) == world.member).mean()) > 0.9
    True
    """

    lessons: int = 20_000
    learner: Learner = "both"
    trees: int = 60

    name: ClassVar[str] = "calibrated"
    title: ClassVar[str] = "Calibrated attack model, online"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows", "pool"})
    threshold: ClassVar[float | None] = 0.0

    def __post_init__(self) -> None:
        _check_options(self.name, self.lessons, self.trees)

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,): log-odds for member."""
        return _score(evidence, rng, _Options(self.lessons, self.learner, self.trees, online=True))

    def notes(self, evidence: Evidence) -> list[str]:
        """Says if there were too few shadow models to learn from."""
        return _notes(evidence)


@dataclass(frozen=True)
class CalibratedOffline:
    """The same with models only that were not trained on the record: members' answers are known from the pool.

    Score, attributes and the fall-back below 4 shadow models (BaVarIA's offline score) as for `Calibrated`.

    >>> from gnomon.testing.toy import difficulty_world
    >>> world = difficulty_world(np.random.default_rng(0), m=6, gap=6.0)
    >>> scores = CalibratedOffline(trees=10).score(world.evidence, np.random.default_rng(0))
    >>> float(((scores > 0) == world.member).mean()) > 0.9
    True
    """

    lessons: int = 20_000
    learner: Learner = "both"
    trees: int = 60

    name: ClassVar[str] = "calibrated_offline"
    title: ClassVar[str] = "Calibrated attack model, offline"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "shadows_out", "pool"})
    threshold: ClassVar[float | None] = 0.0

    def __post_init__(self) -> None:
        _check_options(self.name, self.lessons, self.trees)

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,): log-odds for member."""
        return _score(evidence, rng, _Options(self.lessons, self.learner, self.trees, online=False))

    def notes(self, evidence: Evidence) -> list[str]:
        """Says if there were too few shadow models to learn from."""
        return _notes(evidence)


@dataclass(frozen=True)
class _Options:
    lessons: int
    learner: Learner
    trees: int
    online: bool


@dataclass(frozen=True)
class _Attacker:
    """What was learned: two laws of the scaled logit, and trees (None: law only)."""

    inside: ConditionalLaw
    outside: ConditionalLaw
    trees: Any
    learner: Learner

    def log_odds(self, facts: Facts) -> _Float64s:
        law = _law_log_odds(self.inside, self.outside, facts)
        if self.learner == "law":
            return law
        trees = np.asarray(self.trees.decision_function(facts.tree_columns(law)), dtype=np.float64)
        return trees + 1e-6 * law if self.learner == "trees" else (trees + law) / 2.0


def _score(evidence: Evidence, rng: np.random.Generator, options: _Options) -> Floats:
    """Mean log-odds over the queries; each is learned on the pool's answers to the same query."""
    own_pool = demand(evidence.pool, "shadow models on the attacker's own rows")
    parts, start = [], rng
    for query in (evidence, *evidence.variants):
        rng = deepcopy(start)  # the same rehearsals for each query
        pool = in_own_order(query.pool or own_pool)
        sample = pool.at(np.sort(rng.permutation(len(pool.rows))[:SAMPLE_ROWS]))
        signals = np.stack([sample.signal(signal) for signal in SIGNALS]).astype(np.float64)
        priors = [learn_priors(values, sample.member) for values in signals]
        lessons = draw_lessons(sample.member, sample.usable, options.lessons, rng)
        enough = pool.n_shadows >= FEWEST_SHADOWS and _both_kinds(lessons.member)
        attacker = _learn(signals, sample.member, lessons, priors, options, rng) if enough else None
        shadows = demand(query.shadows, "shadow models")
        shadows = shadows if options.online else replace(shadows, hide_members=True)
        answers = demand(query.answers, "the target's answers")
        parts.append(_score_query(answers, shadows, priors, attacker, options.online))
    return np.asarray(np.mean(parts, axis=0))


def _score_query(
    answers: Floats,
    shadows: ShadowAnswers,
    priors: Sequence[tuple[Prior, Prior]],
    attacker: _Attacker | None,
    online: bool,
) -> _Float64s:
    scores = np.empty(len(shadows.rows))
    for start in range(0, len(scores), BLOCK_ROWS):
        rows = np.arange(start, min(start + BLOCK_ROWS, len(scores)))
        block = shadows.at(rows)
        own = np.stack([signal(answers[rows], block.labels) for signal in SIGNALS]).astype(np.float64)
        others = np.stack([block.signal(signal) for signal in SIGNALS]).astype(np.float64)
        facts = judge(own, others, block.member, priors, online)
        scores[rows] = facts.log_ratio if attacker is None else attacker.log_odds(facts)
    return scores


def _learn(
    signals: _Float64s,
    member: Bools,
    lessons: Lessons,
    priors: Sequence[tuple[Prior, Prior]],
    options: _Options,
    rng: np.random.Generator,
) -> _Attacker:
    from sklearn.ensemble import HistGradientBoostingClassifier

    facts = rehearsed_facts(signals, member, lessons, priors, options.online)
    columns = facts.law_columns()
    laws = [
        fit_conditional_law(columns[kind], facts.own[0][kind], lessons.weight[kind])
        for kind in (lessons.member, ~lessons.member)
    ]
    trees = None
    if options.learner != "law":
        trees = HistGradientBoostingClassifier(
            max_iter=options.trees,
            learning_rate=0.1,
            max_leaf_nodes=8,
            min_samples_leaf=50,
            l2_regularization=1.0,
            max_bins=64,
            early_stopping=False,
            random_state=int(rng.integers(2**31)),
        )
        law = _law_log_odds(laws[0], laws[1], facts)
        trees.fit(facts.tree_columns(law), lessons.member, sample_weight=lessons.weight)
    return _Attacker(laws[0], laws[1], trees, options.learner)


def _law_log_odds(inside: ConditionalLaw, outside: ConditionalLaw, facts: Facts) -> _Float64s:
    columns = facts.law_columns()
    ratio = inside.log_density(columns, facts.own[0]) - outside.log_density(columns, facts.own[0])
    return CLIP * np.tanh(ratio / CLIP)  # bounded, but without ties


def _both_kinds(member: Bools) -> bool:
    return min(int(member.sum()), int((~member).sum())) >= FEWEST_LESSONS


def _check_options(name: str, lessons: int, trees: int) -> None:
    if lessons < 2 * FEWEST_LESSONS or trees < 1:
        raise UsageError(
            f"{name}: expected at least {2 * FEWEST_LESSONS} lessons and 1 tree, got lessons={lessons}, trees={trees}"
        )


def _notes(evidence: Evidence) -> list[str]:
    m = demand(evidence.pool, "shadow models").n_shadows
    asked = note_versions(evidence)
    if m >= FEWEST_SHADOWS:
        return asked
    return [
        *asked,
        f"{m} shadow models are too few to learn from (it takes {FEWEST_SHADOWS}): scored by BaVarIA's likelihoods",
    ]
