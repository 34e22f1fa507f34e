"""MemGuard: answers are pushed to where a membership classifier can't tell, within a budget of distortion."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Known
from gnomon.defences.chance import draw_uniform
from gnomon.defences.pushing import Classifier, push
from gnomon.defences.shown import keep_label, normalise
from gnomon.defences.strength import number

HIDDEN = (64,)  # units of the defence classifier; a row of answers is a small thing to learn from
PASSES = 60
LEAST_ROWS = 2  # of members and of rows set aside


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
class MemGuard:
    """Noise on the answers against one's own membership classifier; the label stays.

    The classifier is trained on the model's answers to its own training rows and to rows set aside. It falls to
    attacks that read labels only, and to attackers who train on answers that were guarded in the same way.

    Attributes:
        budget: the expected distortion of an answer, as a sum of absolute differences of probabilities (at most 2).
    """

    name: ClassVar[str] = "memguard"
    title: ClassVar[str] = "MemGuard"
    paper: ClassVar[str] = "Jia et al. 2019"
    acts_on: ClassVar[Literal["answers"]] = "answers"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset({"reference"})
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("memguard:1", "memguard:0.1")

    budget: float

    @classmethod
    def parse(cls, strength: str) -> Self:
        """From "0.5".

        Raises:
            UsageError: no number > 0 and <= 2.
        """
        return cls(number(strength, cls.name, what="expected distortion", above=0, most=2))

    @property
    def label(self) -> str:
        """As the plan has it."""
        return f"{self.name}:{self.budget:g}"

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
                f'mitigation "{self.name}" learns from training rows and rows set aside: expected at least '
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
