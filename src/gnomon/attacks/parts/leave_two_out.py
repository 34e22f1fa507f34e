"""Rehearsals of shadow models, record by record, for an attack that learns from them.

Shadow i plays the target on a record, and other shadows say what to expect of that record.

Why a rehearsal leaves two shadows out: shadows are balanced, each record is IN half of them. So, once shadow i plays
the target, the count of IN models among the others says whether i was trained on the record, and a learned attack
would learn to count, which is of no use against the real target, whose members were drawn apart. Therefore a second
shadow of the opposite kind for that record goes with i: a pair of which one knew the record and one did not, each as
likely as the other to be the one that plays the target. Whatever the masks are, what is left says nothing of which of
the two it is; records that are IN more shadows than they are OUT of are weighted so that both kinds count alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnomon.core.answers import ShadowAnswers, Signal
from gnomon.core.arrays import Bools, Float64s, Ints
from gnomon.stats.laws.moments import group_moments
from gnomon.stats.laws.student import Prior, estimate_prior, predict
from gnomon.stats.signals import margin, negative_entropy, scaled_logit

BLOCK_ROWS = 10_000
FEWEST_SHADOWS = 4  # with fewer, a rehearsal that leaves two out has nothing left to calibrate with
SAMPLE_ROWS = 20_000  # of the pool


SIGNALS: tuple[Signal, ...] = (scaled_logit, margin, negative_entropy)


@dataclass(frozen=True)
class Lessons:
    """K rehearsals: shadow ``player`` plays the target on pool row ``row``, and ``partner`` stays out with it.

    Attributes:
        player: (K,) shadow that plays the target.
        partner: (K,) a shadow of the opposite membership on the row, drawn at random.
        row: (K,) position in the pool.
        member: (K,) the player was trained on the row.
        weight: (K,) makes members and non-members count alike among rows of the same shadow memberships.
    """

    player: Ints
    partner: Ints
    row: Ints
    member: Bools
    weight: Float64s


def draw_lessons(member: Bools, usable: Bools, count: int, rng: np.random.Generator) -> Lessons:
    """Pairs of shadow and row, without repetition; rows that are IN all or OUT of all shadows teach nothing.

    Args:
        member: (m, p) the shadow was trained on the row.
        usable: (m, p) the pair may be used.
        count: most lessons.
        rng: source of chance.
    """
    m, p = member.shape
    drawn = rng.choice(m * p, size=min(count, m * p), replace=False, shuffle=False)
    player, row = np.divmod(drawn, p)
    inside = member[:, row].sum(axis=0)
    good = usable[player, row] & (inside > 0) & (inside < m)
    player, row, inside = player[good], row[good], inside[good]
    own = member[player, row]
    ticket = rng.random((len(row), m))
    ticket[own[:, None] == member[:, row].T] = -1.0
    weight = m / (2.0 * np.where(own, inside, m - inside))
    return Lessons(player, ticket.argmax(axis=1), row, own, weight)


def draw_sample(pool: ShadowAnswers, rng: np.random.Generator) -> ShadowAnswers:
    """Some rows of the pool, in their order."""
    return pool.at(np.sort(rng.permutation(len(pool.rows))[:SAMPLE_ROWS]))


def note_few(pool: ShadowAnswers, what: str, instead: str) -> list[str]:
    """Says if there are too few shadow models, for what, and what is done in its place."""
    m = pool.n_shadows
    few = f"{m} shadow models are too few to {what} (it takes {FEWEST_SHADOWS}): {instead}"
    return [few] if m < FEWEST_SHADOWS else []


@dataclass(frozen=True)
class Facts:
    """What is known of b (model, row) pairs: the model's own signals, and what other models say of the row.

    Attributes:
        own: (s, b) signals of the model that is judged; the scaled logit first.
        location: (s, g, b) where the Student laws of OUT (and, online, of IN) models put the signal.
        log_variance: (g, b) of those laws, for the scaled logit.
        log_ratio: (b,) IN against OUT law of the scaled logit; offline, minus the log of the one-sided tail.
    """

    own: Float64s
    location: Float64s
    log_variance: Float64s
    log_ratio: Float64s

    def law_columns(self) -> Float64s:
        """(b, f): locations of all signals, with their squares and products within a signal."""
        columns = []
        for of_signal in self.location:
            columns += list(of_signal)
            columns += [of_signal[i] * of_signal[j] for i in range(len(of_signal)) for j in range(i, len(of_signal))]
        return np.stack(columns, axis=1)

    def tree_columns(self, law: Float64s) -> Float64s:
        """(b, f): the scaled logit, where the others put it and how far off it is, and the log ratios."""
        distance = (self.own[0] - self.location[0]) / np.exp(self.log_variance / 2.0)
        middle = self.own[0] - self.location[0].mean(axis=0)
        return np.column_stack(
            [self.own[0], *self.location[0], *distance, *self.log_variance, middle, self.log_ratio, law]
        )


def learn_priors(values: Float64s, member: Bools) -> tuple[Prior, Prior]:
    """The priors of IN and of OUT signals (m, p), from all shadows and rows."""
    moments = group_moments(values, member)
    return estimate_prior(moments.inside, moments), estimate_prior(moments.outside, moments)


def rehearsed_facts(
    signals: Float64s, member: Bools, lessons: Lessons, priors: Sequence[tuple[Prior, Prior]], online: bool
) -> Facts:
    """The facts of all lessons: player and partner are hidden from what calibrates."""
    parts = []
    for start in range(0, len(lessons.row), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        player, partner, row = lessons.player[part], lessons.partner[part], lessons.row[part]
        others = signals[:, :, row]
        here = np.arange(len(row))
        own = others[:, player, here]
        others[:, player, here] = np.nan
        others[:, partner, here] = np.nan
        parts.append(judge(own, others, member[:, row], priors, online))
    return Facts(*(np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in Facts.__annotations__))


def judge(own: Float64s, others: Float64s, member: Bools, priors: Sequence[tuple[Prior, Prior]], online: bool) -> Facts:
    """Facts from signals of the judged models (s, b) and of the others (s, m, b), NaN where hidden."""
    locations = []
    for values, (inside_prior, outside_prior) in zip(others, priors, strict=True):
        moments = group_moments(values, member)
        laws = [predict(moments.outside, outside_prior)]
        if online:
            laws.append(predict(moments.inside, inside_prior))
        locations.append([law.location for law in laws])
        if len(locations) == 1:
            log_variance = np.stack([np.log(law.variance) for law in laws])
            if online:
                ratio = laws[1].log_density(own[0], "t") - laws[0].log_density(own[0], "t")
            else:
                ratio = -laws[0].log_survival(own[0], "t")
    return Facts(np.asarray(own, dtype=np.float64), np.array(locations), log_variance, ratio)
