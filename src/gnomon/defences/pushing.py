"""Pushing answers across a classifier's boundary with as little change as it takes, the label kept.

Phase I of MemGuard (Jia et al. 2019): for noise e on logits z, with s' = softmax(z + e), label l and a classifier's
logit h,

    |h(s')| + c2 ReLU(max_{j != l}(z_j + e_j) - z_l - e_l) + c3 ||s' - s||_1

is descended until h changes its sign and the label is kept; c3 grows tenfold as long as that succeeds, and the last
success counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from gnomon.core.arrays import Bools, Floats, Ints

LABEL_WEIGHT = 10.0  # c2
FIRST_WEIGHT, GROWTH, MOST_WEIGHT = 0.1, 10.0, 1e5  # c3
STEPS, STEP = 300, 0.1  # the gradient is scaled to length 1
BLOCK = 192  # rows at once, always: who is asked beside a row must not change a bit of it
TINY = 1e-12  # a probability of 0 has no logit


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network of one hidden layer that tells members' answers from others: its logit is above 0 for members."""

    inner: Floats  # (c, units)
    inner_bias: Floats  # (units,)
    outer: Floats  # (units,)
    outer_bias: float

    def logits(self, probabilities: Floats) -> Floats:
        """Logits h (n,)."""
        return self.logits_and_slopes(probabilities)[0]

    def logits_and_slopes(self, probabilities: Floats) -> tuple[Floats, Floats]:
        """Logits (n,) and their derivatives (n, c) by the probabilities."""
        logits, slopes = np.empty(len(probabilities)), np.empty(probabilities.shape)
        for start in range(0, len(probabilities), BLOCK):
            part = probabilities[start : start + BLOCK]
            block = np.zeros((BLOCK, part.shape[1]))
            block[: len(part)] = part
            hidden = np.maximum(block @ self.inner + self.inner_bias, 0.0)
            along = ((hidden > 0) * self.outer) @ self.inner.T
            logits[start : start + BLOCK] = ((hidden * self.outer).sum(axis=1) + self.outer_bias)[: len(part)]
            slopes[start : start + BLOCK] = along[: len(part)]
        return logits, slopes


def push(classifier: Classifier, probabilities: Floats) -> Floats:
    """Probabilities (n, c) at which the classifier is of the other opinion; unchanged where none were found."""
    found = probabilities.astype(np.float64)
    signs = np.sign(classifier.logits(found))
    rows, weight = np.flatnonzero(signs), FIRST_WEIGHT
    while len(rows) and weight <= MOST_WEIGHT:
        done, pushed = _descend(classifier, probabilities[rows].astype(np.float64), signs[rows], weight)
        rows = rows[done]
        found[rows] = pushed
        weight *= GROWTH
    return found


def _descend(classifier: Classifier, before: Floats, signs: Floats, weight: float) -> tuple[Bools, Floats]:
    """For which rows (n,) gradient steps with this weight of the distortion led far enough, and where to (done, c)."""
    z = np.log(np.maximum(before, TINY))
    labels, rows = z.argmax(axis=1), np.arange(len(z))  # of those that are still on their way
    result, done = before.copy(), np.zeros(len(z), bool)
    for _ in range(STEPS):
        now = softmax(z, axis=1)
        logits, slopes = classifier.logits_and_slopes(now)
        rival, kept = _rivals(z, labels)
        reached = kept & (logits * signs[rows] <= 0)
        result[rows[reached]], done[rows[reached]] = now[reached], True
        on = ~reached
        rows, z, labels = rows[on], z[on], labels[on]
        if len(rows) == 0:
            break
        by_answer = np.sign(logits[on])[:, None] * slopes[on] + weight * np.sign(now[on] - before[rows])
        gradient = now[on] * (by_answer - (by_answer * now[on]).sum(axis=1, keepdims=True))
        each, lost = np.arange(len(rows)), LABEL_WEIGHT * ~kept[on]
        gradient[each, rival[on]] += lost
        gradient[each, labels] -= lost
        z = z - STEP * gradient / np.maximum(np.sqrt((gradient**2).sum(axis=1, keepdims=True)), TINY)
    return done, result[done]


def _rivals(z: Floats, labels: Ints) -> tuple[Ints, Bools]:
    """The strongest other class (n,), and whether the label is stronger still."""
    each = np.arange(len(z))
    others = z.copy()
    others[each, labels] = -np.inf
    rival = others.argmax(axis=1)
    return rival, z[each, labels] > z[each, rival]
