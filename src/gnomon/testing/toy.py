"""Toy worlds: evidence whose truth is known, because it was drawn from formulas and not trained.

A world is a target and m shadow models of which only the answers exist. An answer is made from its scaled logit
phi = log p_y - log(1 - p_y): p_y follows from phi, and the rest is shared among the other classes at random, without
regard to membership. So whatever an attack can learn stands in phi, and the best possible AUC is known in closed form.

- `noise_world`: phi has one law for members and non-members; nobody can beat 0.5.
- `gaussian_world`: normal laws of one spread, apart by a gap; the best AUC is Phi(gap / (spread sqrt 2)).
- `difficulty_world`: each record has its own difficulty, which shadows reveal; an attack that calibrates record by
  record (LiRA, RMIA) can reach the AUC of the gaussian world, one with a global threshold only `global_auc`.
- `overfitted_world`: members are all learned by heart, non-members often wrong, some classes more than others.

All take the number of audited rows n, shadows m and classes c, and the point of view ("adversary": shadows are trained
on other rows; "auditor": on the audited rows themselves), and give pool rows and population rows as well, further
queries, norms of gradients and an insider's half of the membership.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.special import ndtr

from gnomon.core.answers import ShadowAnswers, halve
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.data.dataset import View
from gnomon.core.data.features import infer_features
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Population
from gnomon.testing.access import ToyTarget, toy_course, toy_gradients, toy_inside

N_BITS = 12  # columns of the audited rows themselves, drawn without regard to membership


class World(NamedTuple):
    """Evidence with its truth.

    Attributes:
        evidence: what the attacker sees of n rows.
        member: (n,) which of them the target was trained on.
        auc: the best AUC that any attack can reach in expectation; None where it has no closed form.
    """

    evidence: Evidence
    member: Bools
    auc: float | None


class ToyRows(NamedTuple):
    """What a law of the scaled logit may look at; all (rows,).

    Attributes:
        labels: class ids.
        trait: one standard normal number a row, the same for all models.
        member: whether the model at hand was trained on the row.
    """

    labels: Ints
    trait: Floats
    member: Bools


PhiLaw: TypeAlias = Callable[[ToyRows, np.random.Generator], Floats]


def noise_world(
    rng: np.random.Generator, *, n: int = 400, m: int = 8, c: int = 4, view: View = "adversary", spread: float = 2.0
) -> World:
    """Answers that do not depend on membership: every attack's AUC is 0.5, but for chance.

    >>> world = noise_world(np.random.default_rng(0), n=100, m=4, c=3)
    >>> world.evidence.answers.shape, int(world.member.sum()), world.auc
    ((100, 3), 50, 0.5)
    """
    return difficulty_world(rng, n=n, m=m, c=c, view=view, gap=0.0, spread=spread, difficulty=1.0)


def gaussian_world(
    rng: np.random.Generator,
    *,
    n: int = 400,
    m: int = 8,
    c: int = 4,
    view: View = "adversary",
    gap: float = 2.0,
    spread: float = 1.5,
) -> World:
    """Scaled logits N(1 + gap, spread) of members and N(1, spread) of non-members, the same for all records.

    >>> round(gaussian_world(np.random.default_rng(0), gap=1.0, spread=1.0).auc, 4)
    0.7602
    """
    return difficulty_world(rng, n=n, m=m, c=c, view=view, gap=gap, spread=spread, difficulty=0.0)


def difficulty_world(
    rng: np.random.Generator,
    *,
    n: int = 400,
    m: int = 32,
    c: int = 4,
    view: View = "auditor",
    gap: float = 2.0,
    spread: float = 1.0,
    difficulty: float = 3.0,
) -> World:
    """Scaled logits d_j + N(gap [member], spread) where d_j ~ N(1, difficulty) belongs to record j.

    ``auc`` is the AUC of the likelihood ratio of one who knows every d_j; `global_auc` that of one global threshold.
    Attacks that estimate d_j from m shadows come near the first from below.
    """

    def law(rows: ToyRows, rng: np.random.Generator) -> Floats:
        return 1.0 + difficulty * rows.trait + gap * rows.member + rng.normal(0.0, spread, len(rows.labels))

    return make_world(law, rng, n=n, m=m, c=c, view=view, auc=_gaussian_auc(gap, spread))


def global_auc(*, gap: float = 2.0, spread: float = 1.0, difficulty: float = 3.0) -> float:
    """Expected AUC of the scaled logit itself in a `difficulty_world`.

    >>> round(global_auc(gap=2.0, spread=1.0, difficulty=3.0), 4)
    0.6726
    """
    return _gaussian_auc(gap, float(np.hypot(spread, difficulty)))


def overfitted_world(
    rng: np.random.Generator, *, n: int = 400, m: int = 8, c: int = 4, view: View = "adversary"
) -> World:
    """Members N(7, 1); non-members N(0 .. 2, 3) by class, so many are wrong, and some are as sure as members.

    No closed form for the best AUC; one global threshold on the scaled logit reaches about 0.97.
    """

    def law(rows: ToyRows, rng: np.random.Generator) -> Floats:
        strange = 2.0 * rows.labels / (c - 1) + rng.normal(0.0, 3.0, len(rows.labels))
        return np.where(rows.member, rng.normal(7.0, 1.0, len(rows.labels)), strange)

    return make_world(law, rng, n=n, m=m, c=c, view=view, auc=None)


def make_world(
    law: PhiLaw, rng: np.random.Generator, *, n: int, m: int, c: int, view: View, auc: float | None
) -> World:
    """A world of any law of the scaled logit.

    Args:
        law: gives the scaled logit (rows,) of all rows under one model.
        rng: where all chance comes from.
        n: audited rows, half of them members (rounded down), in random order.
        m: shadow models, at least 1.
        c: classes, at least 2.
        view: "adversary" or "auditor".
        auc: the best AUC in expectation, if known.

    Raises:
        UsageError: a size that can't be.
    """
    if n < 2 or m < 1 or c < 2:
        raise UsageError(f"a toy world needs n >= 2 rows, m >= 1 shadows and c >= 2 classes, got n={n}, m={m}, c={c}")
    n_pool = 0 if view == "auditor" else n
    n_population = max(4, n // 4)
    total = n + n_pool + n_population
    labels = rng.integers(0, c, total)
    trait = rng.normal(0.0, 1.0, total)

    audited = np.arange(n)
    pool = audited if view == "auditor" else np.arange(n, n + n_pool)
    population = np.arange(n + n_pool, total)

    # The target's members are drawn first and apart: a common balanced draw with the shadows would give them away.
    in_target = np.zeros(total, dtype=bool)
    in_target[rng.permutation(n)[: n // 2]] = True
    in_shadow = np.zeros((m, total), dtype=bool)
    in_shadow[:, pool] = _balanced_masks(m, len(pool), rng)

    target = _answers(law(ToyRows(labels, trait, in_target), rng), labels, c, rng)
    answers = [_answers(law(ToyRows(labels, trait, mask), rng), labels, c, rng) for mask in in_shadow]

    def shadows_on(rows: Ints) -> ShadowAnswers:
        member = in_shadow[:, rows]
        return ShadowAnswers(answers, rows, labels[rows], member, np.ones_like(member), observed=observed)

    seen = {
        name: [look(a, labels, rng.spawn(1)[0]) for a in (target, *answers)]
        for name, look in (("checkpoints", toy_course), ("inside", toy_inside))
    }
    observed = {name: each[1:] for name, each in seen.items()}
    x_population = rng.integers(0, 2, (n_population, N_BITS)).astype(np.float32)
    x = rng.integers(0, 2, (n, N_BITS)).astype(np.float32)
    known = np.concatenate([audited, population])
    evidence = Evidence(
        labels=labels[audited],
        n_classes=c,
        answers=target[audited],
        shadows=shadows_on(audited),
        pool=shadows_on(pool),
        population=Population(
            labels[population],
            target[population],
            shadows_on(population),
            x=x_population,
        ),
        query=ToyTarget(np.concatenate([x, x_population]), labels[known], target[known]),
        x=x,
        features=infer_features(x, one_hot=False),
        observed={name: each[0][audited] for name, each in seen.items()},
        gradients=toy_gradients(target[audited], labels[audited], rng),
        insider=halve(in_target[audited], rng),
    )
    return World(evidence, in_target[audited], auc)


def _balanced_masks(m: int, rows: int, rng: np.random.Generator) -> Bools:
    """(m, rows): each row is in half of the shadows, and each pair of shadows shares the rows out between them."""
    halves = np.argsort(rng.random((m, rows)), axis=1) < rows // 2
    halves[1::2] = ~halves[0 : 2 * (m // 2) : 2]
    return halves


def _answers(phi: Floats, labels: Ints, c: int, rng: np.random.Generator) -> Floats:
    """Log-probabilities (n, c), float32, with this scaled logit of the label; the others share the rest at random."""
    shares = rng.exponential(1.0, (len(labels), c))
    np.put_along_axis(shares, labels[:, None], 0.0, axis=1)
    with np.errstate(divide="ignore"):
        log_probs = np.log(shares / shares.sum(axis=1, keepdims=True))
    log_probs -= np.logaddexp(0.0, phi)[:, None]
    np.put_along_axis(log_probs, labels[:, None], -np.logaddexp(0.0, -phi)[:, None], axis=1)
    return np.asarray(log_probs, dtype=np.float32)


def _gaussian_auc(gap: float, spread: float) -> float:
    return float(ndtr(gap / (spread * np.sqrt(2.0))))
