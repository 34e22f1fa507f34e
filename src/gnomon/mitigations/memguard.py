"""MemGuard: answers are pushed to where a membership classifier can't tell, within a budget of distortion.

Phase I of MemGuard (Jia et al. 2019): for noise e on logits z, with s' = softmax(z + e), label l and a classifier's
logit h,

    |h(s')| + c2 ReLU(max_{j != l}(z_j + e_j) - z_l - e_l) + c3 ||s' - s||_1

is descended until h changes its sign and the label is kept; c3 grows tenfold as long as that succeeds, and the last
success counts.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import softmax

from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Known
from gnomon.mitigations.answers import draw_uniform, keep_label, normalise
from gnomon.mitigations.base import OfAnswers, Range

HIDDEN = (64,)  # units of the defence classifier; a row of answers is a small thing to learn from
PASSES = 60
LEAST_ROWS = 2  # of members and of rows held out
LABEL_WEIGHT = 10.0  # c2
FIRST_WEIGHT, GROWTH, MOST_WEIGHT = 0.1, 10.0, 1e5  # c3
STEPS, STEP = 300, 0.1  # the gradient is scaled to length 1
BLOCK = 192  # rows at once, always: who is asked next to a row must not change a bit of it
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


@dataclass(frozen=True, eq=False)
class Guarded:
    """Answers (n, c) with noise that is added with the probability that meets the budget."""

    classifier: Classifier
    budget: float
    seed: int

    def __call__(self, answers: Floats, /) -> Floats:
        """Natural-log probabilities (n, c) in, the same shape out."""
        before = np.exp(normalise(answers).astype(np.float64))
        pushed = push(self.classifier, before)
        chosen = draw_uniform(answers, 1, self.seed)[:, 0] < self.chance(before, pushed)
        with np.errstate(divide="ignore"):
            shown = np.where(chosen[:, None], np.log(pushed), np.log(before)).astype(np.float32)
        return keep_label(shown, answers)

    def chance(self, before: Floats, pushed: Floats) -> Floats:
        """With which probability (n,) each answer is replaced: its expected distortion is within the budget.

        Never, where the classifier would be no less sure.
        """
        distortion = np.abs(pushed - before).sum(axis=1)
        calmer = np.abs(self.classifier.logits(pushed)) <= np.abs(self.classifier.logits(before))
        within = np.minimum(1.0, self.budget / np.maximum(distortion, 1e-300))
        return np.where(calmer & (distortion > 0), within, 0.0)


@dataclass(frozen=True)
class MemGuard(OfAnswers):
    """Noise on the answers against one's own membership classifier; the label stays.

    The classifier is trained on the model's answers to its own training rows and to rows held out. It falls to
    attacks that read labels only, and to attackers who train on answers that were guarded in the same way.

    Attributes:
        budget: the expected distortion of an answer, as a sum of absolute differences of probabilities (at most 2).
    """

    name: ClassVar[str] = "memguard"
    title: ClassVar[str] = "MemGuard"
    paper: ClassVar[str] = "Jia et al. 2019"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset({"reference"})
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("memguard:1", "memguard:0.1")
    range: ClassVar[Range | None] = Range("expected distortion", above=0, most=2)

    budget: float

    def fit(self, known: Known, n_classes: int, seed: int) -> Guarded:  # noqa: ARG002 - the protocol's arguments
        """Trains the defence classifier, on as many rows of either kind.

        Raises:
            UsageError: fewer than two rows of a kind.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        size = min(len(known.members), len(known.reference))
        if size < LEAST_ROWS:
            raise UsageError(
                f'mitigation "{self.name}" learns from training rows and rows held out: expected at least '
                f"{LEAST_ROWS} of each, got {len(known.members)} and {len(known.reference)}; raise data.reference_size"
            )
        rng = np.random.default_rng(seed)
        sides = [side[rng.permutation(len(side))[:size]] for side in (known.members, known.reference)]
        x = np.exp(normalise(np.concatenate(sides)).astype(np.float64))
        learner = MLPClassifier(HIDDEN, max_iter=PASSES, random_state=int(rng.integers(2**31)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # more passes would fit noise
            learner.fit(x, np.repeat([1, 0], size))
        first, last = learner.coefs_
        return Guarded(Classifier(first, learner.intercepts_[0], last[:, 0], float(learner.intercepts_[1][0])),
                       self.budget, seed)  # fmt: skip


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
