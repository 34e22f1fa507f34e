"""Answers that do not belong to the labels, found before a verdict is spoken.

Columns in another order, labels encoded another way, answers of other rows: each makes a leaking model look harmless.
A model is best on the records that it was trained on, so its answers to the members say whether they belong to the
labels. Each check leaves room for weak models and for models that weigh classes: it speaks only where the answers
contradict the labels beyond chance, and where shadow models of the same recipe don't do the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnomon.auditing.evidence.answers import AnswerSet
from gnomon.auditing.prepare import Prepared
from gnomon.core.arrays import Floats, Ints
from gnomon.core.documents.record import Finding

CLEAR = 4.0  # standard errors: a chance of 3 in 100,000
GAIN = 0.02  # accuracy that another order of the classes must win, at least
FAR = 0.1  # accuracy below what shadow models reach on rows that they never saw
SURE = 0.3  # mean probability of the answered class above the accuracy
VARIED = 0.1  # of the answers, for another class than the commonest one
SHOWN = 3
MOST_CLASSES = 3000  # counts of pairs of classes must fit in memory


@dataclass(frozen=True)
class Answered:
    """What the target answers to its own members, and what shadow models of its recipe do.

    Attributes:
        answers: (n, c) full answers to the audited members.
        labels: (n,) their class ids.
        classes: the c class names.
        shadows: m pairs of answers (k, c) and class ids (k,) of shadow models of the target's own recipe to the rows
            that each was trained on; empty without such shadows.
        unseen: m accuracies of theirs on rows that they were not trained on.
    """

    answers: Floats
    labels: Ints
    classes: tuple[str, ...]
    shadows: Sequence[tuple[Floats, Ints]] = ()
    unseen: Sequence[float] = ()


@dataclass(frozen=True)
class BestOrder:
    """What the answers would be right on if their classes stood in the order that fits the labels best.

    Attributes:
        accuracy: as given.
        best: in the best order, learned on one half of the rows and measured on the other.
        error: standard error of the difference.
        recall: mean over the classes of the gain in recall.
        order: (c,) for each answered class the class that it fits best, learned on all rows.
    """

    accuracy: float
    best: float
    error: float
    recall: float
    order: Ints


def best_order(answers: Floats, labels: Ints) -> BestOrder:
    """Learns the assignment of answered classes to labels on each half of the rows and measures it on the other.

    Args:
        answers: (n, c).
        labels: (n,) class ids.

    >>> right = np.eye(3)[np.arange(60) % 3]
    >>> found = best_order(right[:, [1, 2, 0]], np.arange(60) % 3)
    >>> found.accuracy, found.best, found.order.tolist()
    (0.0, 1.0, [1, 2, 0])
    """
    c, told = answers.shape[1], answers.argmax(axis=1)
    half = _halves(labels)
    fitted = np.empty(len(labels), dtype=bool)
    for side in (False, True):
        fitted[half == side] = (
            _assignment(told[half != side], labels[half != side], c)[told[half == side]] == (labels[half == side])
        )
    given = told == labels
    gain = fitted.astype(np.float64) - given
    by_class = [gain[labels == k].mean() for k in np.unique(labels)]
    return BestOrder(
        accuracy=float(given.mean()),
        best=float(fitted.mean()),
        error=float(gain.std() / np.sqrt(len(gain))),
        recall=float(np.mean(by_class)),
        order=_assignment(told, labels, c),
    )


def _halves(labels: Ints) -> Ints:
    """Every other row of each class, in the order of the rows, which the audit has shuffled."""
    order = np.argsort(labels, kind="stable")
    half = np.empty(len(labels), dtype=bool)
    half[order] = np.arange(len(labels)) % 2 == 1
    return half


def _assignment(told: Ints, labels: Ints, c: int) -> Ints:
    """For each answered class the class that it fits best, one to one; of equally good ones the one as given."""
    from scipy.optimize import linear_sum_assignment

    counts = np.bincount(told * c + labels, minlength=c * c).reshape(c, c).astype(np.float64)
    return np.asarray(linear_sum_assignment(counts + 0.5 * np.eye(c) / (c + 1), maximize=True)[1])


def check_labels(given: Answered) -> list[Finding]:
    """At most one finding: the strongest sign that answers and labels do not belong together."""
    if len(given.labels) < 2 or len(given.classes) > MOST_CLASSES:
        return []
    found = best_order(given.answers, given.labels)
    title = _other_order(found, given) or _worse_than_guessing(found, given) or _far_below_shadows(found, given)
    title = title or _sure_and_wrong(found, given)
    if title is None:
        return []
    return [
        Finding(
            code="labels-mismatch",
            title=f"the answers do not belong to these labels: {title}",
            severity="error",
            explanation="A model is best on the records that it was trained on. Where its answers contradict their "
            "labels, classes stand in another order, labels are encoded another way, or answers belong to other rows; "
            "then attacks fail whatever the model remembers.",
            remedy="Check the label column, which answer is which class, and that answers and rows stand in one order.",
        )
    ]


def _other_order(found: BestOrder, given: Answered) -> str | None:
    """Another order of the classes fits significantly better, and better than any guess without the record."""
    common, error = _commonest(given.labels)
    gain = found.best - found.accuracy
    if gain < max(GAIN, CLEAR * found.error) or found.recall < GAIN or found.best < common + CLEAR * error:
        return None
    like = [best_order(np.asarray(answers), labels) for answers, labels in given.shadows if len(labels) > 1]
    if like and np.median([each.best - each.accuracy for each in like]) > 0.5 * gain:
        return None  # the recipe does that, and the shadows show it
    moved = [
        f'"{given.classes[j]}" fits class "{given.classes[k]}"' for j, k in enumerate(found.order.tolist()) if j != k
    ]
    more = f" and {len(moved) - SHOWN} more" if len(moved) > SHOWN else ""
    return (
        f"right on {found.accuracy:.1%} of the members, but on {found.best:.1%} with the classes in another order "
        f"(the answer {', '.join(moved[:SHOWN])}{more})"
    )


def _worse_than_guessing(found: BestOrder, given: Answered) -> str | None:
    """Less often right than always saying the commonest class, and no better over the classes than guessing."""
    told, labels = given.answers.argmax(axis=1), given.labels
    common = np.bincount(labels).argmax()
    less = (labels == common).astype(np.float64) - (told == labels)
    if less.mean() < max(GAIN, CLEAR * less.std() / np.sqrt(len(less))):
        return None
    if _shadows_alike(found, given):
        return None
    recall, error = _recall(told, labels)
    if not given.shadows and recall > 1 / len(np.unique(labels)) + error:
        return None  # classes are weighed: it knows the rare ones
    share = np.mean(labels == common)
    return f"right on {found.accuracy:.1%} of the members, always saying the commonest class would be on {share:.1%}"


def _far_below_shadows(found: BestOrder, given: Answered) -> str | None:
    """Worse on its own training records than shadow models of its own recipe are on records they never saw."""
    if not given.unseen:
        return None
    least, n = min(given.unseen), len(given.labels)
    error = np.sqrt(max(least * (1 - least), 0.25 / n) / n)
    if found.accuracy > least - FAR - CLEAR * error:
        return None
    return (
        f"right on {found.accuracy:.1%} of the members, where shadow models of the same recipe are right on "
        f"{least:.1%} or more of records that they never saw"
    )


def _sure_and_wrong(found: BestOrder, given: Answered) -> str | None:
    """Sure of its answers to its own members, which are right no more often than answers to other records would be."""
    told, n, c = given.answers.argmax(axis=1), len(given.labels), given.answers.shape[1]
    said, there = (np.bincount(each, minlength=c) / n for each in (told, given.labels))
    chance = float((said * there).sum())
    error = np.sqrt(max(chance * (1 - chance), 0.25 / n) / n)
    sureness = float(np.exp(given.answers.max(axis=1).astype(np.float64)).mean())
    by_chance = found.accuracy - chance < 2 * error and found.accuracy - chance + CLEAR * error < FAR
    if not by_chance or _shadows_alike(found, given) or 1 - said.max() < VARIED or sureness < found.accuracy + SURE:
        return None
    return (
        f"right on {found.accuracy:.1%} of the members, as often as answers to other records would be ({chance:.1%}), "
        f"though it is sure of them ({sureness:.0%} on average)"
    )


def _shadows_alike(found: BestOrder, given: Answered) -> bool:
    """Whether a shadow model of the same recipe is hardly better on its own training records."""
    rights = [_accuracy(answers, labels) for answers, labels in given.shadows]
    return bool(rights) and found.accuracy > min(rights) - FAR


def _commonest(labels: Ints) -> tuple[float, float]:
    """Share of the commonest class, and its standard error."""
    share = float(np.bincount(labels).max() / len(labels))
    return share, float(np.sqrt(max(share * (1 - share), 0.25 / len(labels)) / len(labels)))


def _accuracy(answers: Floats, labels: Ints) -> float:
    return float((np.asarray(answers).argmax(axis=1) == labels).mean())


def _recall(told: Ints, labels: Ints) -> tuple[float, float]:
    """Mean over the classes of the share that is told right, and its standard error."""
    counts = np.bincount(labels)
    right = np.bincount(labels, weights=told == labels)[counts > 0] / counts[counts > 0]
    there = counts[counts > 0]
    return float(right.mean()), float(np.sqrt((np.maximum(right * (1 - right), 0.25 / there) / there).sum())) / len(
        there
    )


def check_given_labels(answers: AnswerSet, prepared: Prepared, swapped: Finding | None = None) -> list[Finding]:
    """Findings where a given target's answers do not belong to the labels; a target that is trained here learned them.

    Behind a mitigation that changes which class is answered, answers say nothing about the labels.

    Args:
        answers: of the target and the shadow models.
        prepared: the audit.
        swapped: the finding that the model is worse on its members, which explains low accuracy too. It stands, unless
            classes in another order fit both sides: nobody forgets those.
    """
    given = _given(answers, prepared)
    if given is None:
        return [] if swapped is None else [swapped]
    if swapped is None:
        return check_labels(given)
    case = answers.case
    others, labels = answers.target_answers[~case.member].argmax(axis=1), case.evidence.labels[~case.member]
    gain = (best_order(given.answers, given.labels).order[others] == labels).astype(np.float64) - (others == labels)
    fits = gain.mean() > max(GAIN, CLEAR * gain.std() / np.sqrt(len(gain)))
    return check_labels(given) or [swapped] if fits else [swapped]


def _given(answers: AnswerSet, prepared: Prepared) -> Answered | None:
    """What a given target and shadow models of its own recipe answer to members; None where that says nothing."""
    inputs, case = prepared.inputs, answers.case
    trained_here = inputs.model is None and inputs.answers is None
    if trained_here or not all(m.keeps_label for m in prepared.mitigations.of_answers):
        return None
    given = Answered(answers.target_answers[case.member], case.evidence.labels[case.member], case.data.classes)
    if answers.pool is None or prepared.plan.shadow.recipe is not None or answers.source.source != "real":
        return given
    drawn, pool = answers.pool
    sides = []
    for parts in (drawn.train, drawn.test):
        answered = zip(pool.answers, parts, strict=True)
        sides.append([(np.asarray(a)[answers.queries.places(r)], case.data.y[r]) for a, r in answered])
    unseen = [float((a.argmax(axis=1) == y).mean()) for a, y in sides[1] if len(y)]
    return Answered(given.answers, given.labels, given.classes, sides[0], unseen)
