"""Rates of one decision rule, "accuse every score at or above the threshold", with intervals.

The threshold must come from elsewhere (shadow models); `gnomon.stats.calibration` chooses it, and names the oracle,
which looked at the audited rows, an oracle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gnomon.core.errors import UsageError
from gnomon.stats.clusters import Groups, Worth, worth_of_shares
from gnomon.stats.intervals import Interval, check_confidence, clopper_pearson, share, share_difference, worth_of
from gnomon.stats.samples import check_scores


@dataclass(frozen=True)
class Rates:
    """What one threshold does to two samples."""

    threshold: float | None  # None accuses nobody
    members: int
    nonmembers: int
    true_positives: int
    false_positives: int
    recall: Interval  # share of members accused (true-positive rate)
    fpr: Interval  # share of non-members accused
    accuracy: Interval  # balanced: (recall + 1 - fpr) / 2; 0.5 = chance
    advantage: Interval  # recall - fpr = 2 * accuracy - 1, in [-1, 1]
    precision: Interval | None  # share of members among the accused at equal numbers; None when nobody is accused


def rates_at_threshold(
    members: ArrayLike,
    nonmembers: ArrayLike,
    threshold: float | None,
    *,
    confidence: float = 0.95,
    groups: Groups | None = None,
) -> Rates:
    """Recall, false-positive rate, balanced accuracy, advantage and precision of one threshold.

    Args:
        members: scores of members ``(n1,)``, higher = more like a member.
        nonmembers: scores of non-members ``(n0,)``.
        threshold: accuses scores ``>= threshold``, ties included; None accuses nobody.
        confidence: of each interval, in (0, 1).
        groups: of both samples, in their order; every interval then counts what the records are worth.

    Returns:
        Recall and FPR with Clopper-Pearson intervals, accuracy and advantage with Newcombe's (1998), precision (members
        and non-members weighted equally, whatever their numbers) with `precision_at_prior`'s.

    Raises:
        DataError: an empty sample, or NaN among the scores.
        UsageError: the threshold is NaN.

    >>> rates = rates_at_threshold([3, 2, 0, 2], [2, 1, 0, 0], 2)
    >>> rates.recall.value, rates.fpr.value, rates.accuracy.value, rates.precision.value
    (0.75, 0.25, 0.75, 0.75)
    """
    m, n = check_scores(members, source="members"), check_scores(nonmembers, source="nonmembers")
    if threshold is not None and np.isnan(threshold):
        raise UsageError("expected a threshold that is a number (or None, which accuses nobody), got NaN")
    tp = 0 if threshold is None else int(np.count_nonzero(m >= threshold))
    fp = 0 if threshold is None else int(np.count_nonzero(n >= threshold))
    worth = None
    if groups is not None:
        accused = [np.zeros(s.size, dtype=np.bool_) if threshold is None else s >= threshold for s in (m, n)]
        worth = worth_of_shares(accused[0], accused[1], groups)
    return rates_from_counts(tp, m.size, fp, n.size, threshold=threshold, confidence=confidence, worth=worth)


def rates_from_counts(
    true_positives: int,
    members: int,
    false_positives: int,
    nonmembers: int,
    *,
    threshold: float | None = None,
    confidence: float = 0.95,
    worth: Worth | None = None,
) -> Rates:
    """The same from counts: accused members of all members, accused non-members of all non-members.

    ``worth``: how many independent records these are worth, where they come in groups.

    Raises:
        UsageError: no member or no non-member, or more accused than there are.

    >>> rates_from_counts(90, 100, 10, 100).accuracy.value
    0.9
    """
    if not (0 <= true_positives <= members and 0 <= false_positives <= nonmembers and members and nonmembers):
        raise UsageError(
            "expected 0 <= accused <= all of each kind, and at least one of each, got "
            f"{true_positives} of {members} members and {false_positives} of {nonmembers} non-members"
        )
    sizes = (None, None) if worth is None else (worth.members, worth.nonmembers)
    advantage = share_difference(
        true_positives,
        members,
        false_positives,
        nonmembers,
        confidence=confidence,
        sizes=None if worth is None else (worth.members, worth.nonmembers),
        correlation=0.0 if worth is None else worth.correlation,
    )
    return Rates(
        threshold=threshold,
        members=members,
        nonmembers=nonmembers,
        true_positives=true_positives,
        false_positives=false_positives,
        recall=share(true_positives, members, confidence=confidence, size=sizes[0]),
        fpr=share(false_positives, nonmembers, confidence=confidence, size=sizes[1]),
        accuracy=Interval((1 + advantage.value) / 2, (1 + advantage.low) / 2, (1 + advantage.high) / 2),
        advantage=advantage,
        precision=precision_at_prior(
            true_positives, members, false_positives, nonmembers, prior=0.5, confidence=confidence, worth=worth
        ),
    )


def precision_at_prior(
    true_positives: int,
    members: int,
    false_positives: int,
    nonmembers: int,
    *,
    prior: float,
    confidence: float = 0.95,
    worth: Worth | None = None,
) -> Interval | None:
    """Of the accused, how many are members, if a share ``prior`` of all candidates are: Bayes' rule on two rates.

    ``prior * TPR / (prior * TPR + (1 - prior) * FPR)``; members among candidates are rarer in life than in an audit
    (Jayaraman et al., 2021). The interval joins the Clopper-Pearson bounds of both rates, each at half the error
    (Bonferroni), so it never covers less than it says.

    Args:
        true_positives: members accused.
        members: all members.
        false_positives: non-members accused.
        nonmembers: all non-members.
        prior: share of members among the candidates, in (0, 1).
        confidence: in (0, 1).
        worth: how many independent records these are worth, where they come in groups.

    Returns:
        Value and interval in [0, 1]; None when nobody is accused.

    Raises:
        UsageError: prior or confidence outside (0, 1).

    >>> precision_at_prior(90, 100, 10, 100, prior=0.5).value
    0.9
    >>> round(precision_at_prior(90, 100, 10, 100, prior=0.01).value, 3)
    0.083
    """
    if not 0.0 < prior < 1.0:
        raise UsageError(f"expected prior strictly between 0 and 1 (such as 0.01), got prior={prior}")
    halved = 1 - check_confidence(confidence) / 2
    if true_positives + false_positives == 0:
        return None
    sizes = (None, None) if worth is None else (worth.members, worth.nonmembers)
    tpr_low, tpr_high = clopper_pearson(*worth_of(true_positives, members, sizes[0]), confidence=halved)
    fpr_low, fpr_high = clopper_pearson(*worth_of(false_positives, nonmembers, sizes[1]), confidence=halved)
    return Interval(
        _precision(prior, true_positives / members, false_positives / nonmembers),
        _precision(prior, float(tpr_low), float(fpr_high)),
        _precision(prior, float(tpr_high), float(fpr_low)),
    )


def _precision(prior: float, tpr: float, fpr: float) -> float:
    right = prior * tpr
    return right / (right + (1 - prior) * fpr)
