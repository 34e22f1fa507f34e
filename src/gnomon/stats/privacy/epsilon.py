"""Lower bounds on epsilon from attack scores, with the error rate that they claim.

What may be converted: scores of *independent trials*, such as one canary in many trainings with and without it, or
many models that differ in one record. Scores of a single model's natural records are not independent trials on a fixed
pair of neighbouring data sets and must not be turned into an epsilon; for one training run there is
`gnomon.stats.privacy.one_run`, which needs canaries inserted by fair coins.

A bound counts errors at a threshold and takes Clopper-Pearson limits of both rates (Jagielski, Ullman & Oprea, 2020).
A threshold that was chosen by looking at the same scores makes the "95 % bound" positive on pure noise far too often
(``benchmarks/null_runs.py``), so the choice is an argument here: given beforehand, made on held-out scores, or
corrected for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gnomon.core.errors import DataError, UsageError
from gnomon.stats.calibration import midway
from gnomon.stats.intervals import check_confidence, clopper_pearson
from gnomon.stats.privacy.mechanisms import check_privacy, gaussian_epsilon, gaussian_mu
from gnomon.stats.roc import roc_curve
from gnomon.stats.samples import Counts, Doubles, check_scores

CANDIDATES = 200  # thresholds that a split chooses among

Assume: TypeAlias = Literal["nothing", "gaussian"]


@dataclass(frozen=True)
class Given:
    """The threshold was fixed before the scores were seen."""

    threshold: float


@dataclass(frozen=True)
class Split:
    """The threshold is chosen on a random share of the scores, and errors are counted on the rest."""

    share: float = 0.5


@dataclass(frozen=True)
class MultiSplit:
    """The median over many splits, each at half the error: no luck of one split (Meinshausen et al., 2009)."""

    splits: int = 25
    share: float = 0.5


@dataclass(frozen=True)
class Bonferroni:
    """All scores are used, at a fixed grid of non-member ranks, each at its part of the error: mostly the sharpest."""

    ranks: int = 32


Choice: TypeAlias = Given | Split | MultiSplit | Bonferroni


@dataclass(frozen=True)
class EpsilonBound:
    """A lower bound on epsilon that holds with this confidence, and what it rests on."""

    epsilon: float  # 0 = the scores show nothing
    ceiling: float  # the bound that a perfect attack would have got from as many scores
    delta: float
    confidence: float
    assume: Assume  # "gaussian": holds only for mechanisms that are Gaussian-private
    choice: str
    members: int  # scores that errors were counted on
    nonmembers: int
    true_positives: int
    false_positives: int
    threshold: float | None  # accuses scores >= threshold; None if nobody is accused


def epsilon_from_counts(
    true_positives: int,
    members: int,
    false_positives: int,
    nonmembers: int,
    *,
    delta: float = 0.0,
    confidence: float = 0.95,
    assume: Assume = "nothing",
) -> float:
    """Lower bound on epsilon from error counts at a threshold that was fixed beforehand.

    ``max(ln((TPR_lo - delta) / FPR_hi), ln((TNR_lo - delta) / FNR_hi), 0)``, each Clopper-Pearson limit at half the
    error (Jagielski, Ullman & Oprea, 2020). With ``assume="gaussian"``: the mu on whose curve ``FPR_hi`` and
    ``FNR_hi`` lie, as an epsilon at delta (Nasr et al., 2023); tighter, and true only of mechanisms that are
    Gaussian-private.

    Args:
        true_positives: members accused.
        members: all members (trials with the record).
        false_positives: non-members accused.
        nonmembers: all non-members (trials without it).
        delta: in [0, 1); above 0 for "gaussian".
        confidence: in (0, 1).
        assume: what is known of the mechanism.

    Returns:
        The bound, 0 or more.

    Raises:
        UsageError: counts or parameters outside their ranges.

    >>> round(epsilon_from_counts(990, 1000, 10, 1000), 5)
    3.98165
    """
    if not (0 <= true_positives <= members and 0 <= false_positives <= nonmembers and members and nonmembers):
        raise UsageError(
            "expected 0 <= accused <= all of each kind, and at least one of each, got "
            f"{true_positives} of {members} members and {false_positives} of {nonmembers} non-members"
        )
    strengths = _strengths(
        np.array([true_positives]), members, np.array([false_positives]), nonmembers, delta, confidence, assume
    )
    return _epsilon(float(strengths[0]), delta, assume)


def epsilon_ceiling(
    members: int, nonmembers: int, *, delta: float = 0.0, confidence: float = 0.95, assume: Assume = "nothing"
) -> float:
    """The largest lower bound that so many trials could ever show: every guess right.

    >>> round(epsilon_ceiling(1000, 1000), 5)
    5.60059
    """
    return epsilon_from_counts(members, members, 0, nonmembers, delta=delta, confidence=confidence, assume=assume)


def epsilon_lower_bound(
    members: ArrayLike,
    nonmembers: ArrayLike,
    *,
    delta: float = 0.0,
    confidence: float = 0.95,
    choice: Choice = Bonferroni(),
    assume: Assume = "nothing",
    rng: np.random.Generator | None = None,
) -> EpsilonBound:
    """Lower bound on epsilon from the scores of independent trials with and without the record.

    Args:
        members: scores of trials with the record ``(n1,)``, higher = more like a member.
        nonmembers: scores of trials without it ``(n0,)``.
        delta: in [0, 1); above 0 for ``assume="gaussian"``.
        confidence: the true epsilon is below the bound in at most ``1 - confidence`` of repetitions.
        choice: where the threshold comes from; scores with few distinct values are better served by `Split`.
        assume: what is known of the mechanism; see `epsilon_from_counts`.
        rng: draws the splits; needed by `Split` and `MultiSplit`.

    Returns:
        The bound with its counts; for `MultiSplit` those of the split that the median belongs to.

    Raises:
        DataError: an empty sample, NaN, or too few scores to split.
        UsageError: a parameter outside its range, or a split without ``rng``.

    >>> rng = np.random.default_rng(0)
    >>> bound = epsilon_lower_bound(rng.normal(3, 1, 1000), rng.normal(0, 1, 1000), choice=Given(1.5))
    >>> round(bound.epsilon, 1), round(bound.ceiling, 1), bound.true_positives
    (2.5, 5.6, 944)
    """
    m, n = check_scores(members, source="members"), check_scores(nonmembers, source="nonmembers")
    question = _Question(delta, confidence, assume)
    match choice:
        case Given(threshold):
            return _at(m, n, threshold, question, choice)
        case Bonferroni(ranks):
            return _at_ranks(m, n, ranks, question, choice)
        case Split(share):
            return _held_out(m, n, share, question, choice, _need(rng))
        case MultiSplit(splits, share):
            if splits < 1:
                raise UsageError(f"expected at least one split, got splits={splits}")
            stricter = replace(question, confidence=1 - check_confidence(confidence) / 2)
            bounds = [_held_out(m, n, share, stricter, choice, _need(rng)) for _ in range(splits)]
            bounds.sort(key=lambda bound: bound.epsilon)
            # The lower median: where it lies above the truth, so do at least half of all splits.
            return replace(bounds[(splits - 1) // 2], confidence=confidence)


@dataclass(frozen=True)
class _Question:
    delta: float
    confidence: float
    assume: Assume


def _need(rng: np.random.Generator | None) -> np.random.Generator:
    if rng is None:
        raise UsageError("expected rng, a numpy.random.Generator that draws the splits; got none")
    return rng


def _strengths(
    tp: Counts, members: int, fp: Counts, nonmembers: int, delta: float, confidence: float, assume: Assume
) -> Doubles:
    """For each pair of counts the bound on epsilon, or on mu under "gaussian"; 0 or more."""
    check_privacy(delta=delta)
    tpr_low, _ = clopper_pearson(tp, members, confidence=confidence)
    _, fpr_high = clopper_pearson(fp, nonmembers, confidence=confidence)
    if assume == "gaussian":
        return np.array([gaussian_mu(f, 1 - t) for t, f in zip(tpr_low.tolist(), fpr_high.tolist(), strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):
        by_members = np.log((tpr_low - delta) / fpr_high)
        by_nonmembers = np.log((1 - fpr_high - delta) / (1 - tpr_low))
    return np.fmax(np.fmax(by_members, by_nonmembers), 0.0)


def _epsilon(strength: float, delta: float, assume: Assume) -> float:
    return gaussian_epsilon(strength, delta) if assume == "gaussian" else strength


def _bound(
    tp: int, members: int, fp: int, nonmembers: int, threshold: float | None, question: _Question, choice: Choice
) -> EpsilonBound:
    """The bound from counts, next to what a perfect attack would have shown."""
    asked = {"delta": question.delta, "confidence": question.confidence}
    return EpsilonBound(
        epsilon_from_counts(tp, members, fp, nonmembers, assume=question.assume, **asked),
        epsilon_ceiling(members, nonmembers, assume=question.assume, **asked),
        question.delta,
        question.confidence,
        question.assume,
        type(choice).__name__,
        members,
        nonmembers,
        tp,
        fp,
        threshold,
    )


def _at(m: Doubles, n: Doubles, threshold: float | None, question: _Question, choice: Choice) -> EpsilonBound:
    tp = 0 if threshold is None else int(np.count_nonzero(m >= threshold))
    fp = 0 if threshold is None else int(np.count_nonzero(n >= threshold))
    return _bound(tp, m.size, fp, n.size, threshold, question, choice)


def _held_out(
    m: Doubles, n: Doubles, share: float, question: _Question, choice: Choice, rng: np.random.Generator
) -> EpsilonBound:
    """Chooses the threshold of the largest bound on one part of both samples, counts on the other."""
    if not 0.0 < share < 1.0:
        raise UsageError(f"expected share strictly between 0 and 1, got share={share}")
    sizes = [round(sample.size * share) for sample in (m, n)]
    if any(size == 0 or size == sample.size for size, sample in zip(sizes, (m, n), strict=True)):
        raise DataError(
            f"expected enough scores to split each sample in two, got {m.size} members and {n.size} non-members"
        )
    m, n = rng.permutation(m), rng.permutation(n)
    curve = roc_curve(m[: sizes[0]], n[: sizes[1]])
    some = _grid(curve.thresholds.size, CANDIDATES) - 1
    strengths = _strengths(
        curve.true_positives[some],
        curve.members,
        curve.false_positives[some],
        curve.nonmembers,
        question.delta,
        question.confidence,
        question.assume,
    )
    best = int(some[np.argmax(strengths)])
    # Where no threshold promises anything, take the one that separates best, lest the bound be 0 by default.
    if strengths.max() == 0.0:
        best = int(np.argmax(curve.tpr - curve.fpr))
    threshold = None if best == 0 else float(curve.thresholds[best])
    if threshold is not None and best + 1 < curve.thresholds.size:
        threshold = midway(float(curve.thresholds[best + 1]), threshold)
    return _at(m[sizes[0] :], n[sizes[1] :], threshold, question, choice)


def _at_ranks(m: Doubles, n: Doubles, ranks: int, question: _Question, choice: Choice) -> EpsilonBound:
    """The best of a fixed grid of ranks j, "accuse what lies above the j-th largest non-member".

    The population's share above that non-member is at most Beta(j, n0-j+1) distributed, whose quantile is the
    Clopper-Pearson limit for j-1 of n0, so the limits hold although the threshold is a score of the sample.
    """
    if ranks < 1:
        raise UsageError(f"expected at least one rank, got ranks={ranks}")
    grid = _grid(n.size, ranks)
    cuts = np.sort(n)[n.size - grid]
    ordered = np.sort(m)
    tp = m.size - np.searchsorted(ordered, cuts, side="right")
    shared = replace(question, confidence=1 - check_confidence(question.confidence) / grid.size)
    strengths = _strengths(tp, m.size, grid - 1, n.size, shared.delta, shared.confidence, shared.assume)
    best = int(np.argmax(strengths))
    above = ordered[ordered > cuts[best]]
    threshold = float(above[0]) if above.size else None
    bound = _bound(int(tp[best]), m.size, int(grid[best]) - 1, n.size, threshold, shared, choice)
    return replace(bound, confidence=question.confidence)


def _grid(last: int, count: int) -> Counts:
    """At most so many of the ranks 1 .. last, evenly spaced in their logarithm from both ends: the ends matter most."""
    if count == 1 or last == 1:
        return np.array([math.ceil(last / 2)], dtype=np.int64)
    half = np.geomspace(1, max(last / 2, 1), count // 2 + count % 2).round().astype(np.int64)
    return np.unique(np.concatenate([half, last + 1 - half[: count // 2]]))
