"""Choquette-Choo, Tramer, Carlini and Papernot 2021: membership from nothing but predicted labels.

A model is surer around the records that it was trained on, so a member keeps its label when it is changed a little:
when noise is added (`NoiseRobustness`) or, for images, when it is shifted and mirrored (`Augmentation`). Both ask the
target further questions, in batches over all audited rows, and never more than its budget allows. The paper's distance
to the decision boundary stands in `gnomon.attacks.boundary`.

The paper learns a threshold, the noise's strength and a classifier of the votes from a shadow model that can be asked;
here shadows keep their answers only, so votes are counted, and the strength of noise on numbers follows from the
target's own labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from gnomon.attacks.parts.queries import affordable, check_counts, count_votes, note_queries, unfit_rows
from gnomon.core.arrays import Floats, Ints, Rows, is_frame
from gnomon.core.data.augmentations import STEPS, perturb, shift_images
from gnomon.core.errors import BudgetError, UsageError
from gnomon.core.evidence import Evidence, Need, QueryHandle
from gnomon.core.protocols import Attack
from gnomon.stats.signals import correct

PAPER = "Choquette-Choo, Tramer, Carlini, Papernot 2021"
NEEDS: frozenset[Need] = frozenset({"labels", "query", "x"})
SEARCH = 5  # copies that look for the noise: it is then known to a fifth
KEPT = 0.95  # of the copies keep their label at the noise that tells most
WEAKEST, STRONGEST = 0.02, 4.5  # noise that is looked at, as a multiple of a column's deviation; the middle is 0.3
NUMBERS = frozenset({"integer", "real"})


@dataclass(frozen=True)
class NoiseRobustness(Attack):
    """Share of a record's noisy copies that are still given its true label.

    Score: 0 where the record itself is labelled wrongly, else the share of right labels among itself and its copies.
    Bits flip and categories are drawn anew with probability ``rate``; numbers get Gaussian noise. All records meet the
    same patterns of noise, so that they differ by what the target makes of them and not by luck.

    On shopping baskets (600 bits, overfitted network) rates of 0.02 to 0.05 find most; at 0.2 the copies are too far
    away to tell anything. Numbers have no such rule: a nearest neighbour on digits gives most away at 1.0 times a
    column's deviation, a tree at 0.03 (`benchmarks/label_noise.py`). What they have in common is that most copies, but
    not all, keep their label there. So the first copies look for the noise at which `KEPT` of the copies of rightly
    labelled records do. Whether a record is a member has no part in that.

    Attributes:
        copies: noisy copies of each record, a query each; fewer where the budget ends before.
        rate: probability that a bit flips or a category changes.
        noise: standard deviation of the noise on numbers, as a multiple of the column's own; None: it is looked for
            with up to `SEARCH` of the copies, and never with more than a quarter of them.

    >>> from gnomon.testing import overfitted_world
    >>> from gnomon.stats.roc import auc
    >>> world = overfitted_world(np.random.default_rng(0))
    >>> scores = NoiseRobustness().score(world.evidence, np.random.default_rng(0))
    >>> round(auc(scores[world.member], scores[~world.member]).value, 2)  # right or wrong alone: 0.64
    0.72
    """

    name: ClassVar[str] = "noise_robustness"
    title: ClassVar[str] = "Label only: robustness to noise"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = NEEDS

    copies: int = 20
    rate: float = 0.05
    noise: float | None = None

    def __post_init__(self) -> None:
        check_counts(self, "copies")
        if not 0 < self.rate <= 1:
            raise UsageError(f"noise_robustness: expected a rate in (0, 1], got {self.rate!r}")
        if self.noise is not None and not self.noise > 0:
            raise UsageError(f"noise_robustness: expected a positive noise, got {self.noise!r}")

    def unfit(self, evidence: Evidence) -> str | None:
        """Whether the rows are sparse."""
        return unfit_rows(evidence)

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,) in [0, 1]: share of right labels, 0 where the record's own label is wrong."""
        answers = evidence.require("answers")
        query = evidence.require("query")
        space, x = evidence.require("features"), evidence.require("x")
        codes = space.encode(x)
        spread = space.spread(codes)

        def noisy(noise: float) -> Rows:
            return space.decode(perturb(codes, space, spread, flips=self.rate, noise=noise, rng=rng))

        labels, right = evidence.labels, correct(answers, evidence.labels)
        steps = self._steps(evidence, affordable(query, len(labels), self.copies))
        noise = _find_noise(query, right, labels, noisy, steps) if self.noise is None else self.noise
        return count_votes(query, right, labels, [partial(noisy, noise)] * (self.copies - steps))

    def _steps(self, evidence: Evidence, copies: int) -> int:
        """How many of the copies look for the noise: none where there are no numbers, or no label to keep."""
        numbers = any(f.kind in NUMBERS for f in evidence.require("features").features)
        right = correct(evidence.require("answers"), evidence.labels).any()
        return min(SEARCH, copies // 4) if self.noise is None and numbers and right else 0

    def notes(self, evidence: Evidence) -> list[str]:
        """How many queries a record were asked."""
        said = note_queries(evidence, self.copies, len(evidence), "right or wrong alone")
        steps = self._steps(evidence, evidence.require("query").asked // max(1, len(evidence)))
        looked = f"the first {steps} of them to find the noise at which {KEPT:.0%} of the copies keep their label"
        return [f"{said[0]}, {looked}"] if steps else said


def _find_noise(query: QueryHandle, right: Floats, labels: Ints, noisy: Callable[[float], Rows], steps: int) -> float:
    """The noise at which `KEPT` of the copies of rightly labelled records (n,) keep their label, by halving."""
    low, high = WEAKEST, STRONGEST
    for _ in range(steps):
        middle = float(np.sqrt(low * high))
        try:
            kept = query.ask(noisy(middle)).argmax(axis=1) == labels
        except BudgetError:  # somebody else spent it meanwhile
            break
        low, high = (middle, high) if kept[right > 0].mean() > KEPT else (low, middle)
    return float(np.sqrt(low * high))


@dataclass(frozen=True)
class Augmentation(Attack):
    """Share of an image's shifted and mirrored versions that are still given its true label.

    Score: 0 where the image itself is labelled wrongly, else the share of right labels among itself and its versions.
    It is made for models that were trained on shifted and mirrored images, and finds less elsewhere.

    Attributes:
        pixels: how far images are shifted.
        mirror: whether they are mirrored as well (not for digits and other writing).

    >>> [name for name, _ in Augmentation(mirror=False).versions()]
    ['up', 'down', 'left', 'right']
    """

    name: ClassVar[str] = "augmentation"
    title: ClassVar[str] = "Label only: shifted and mirrored images"
    paper: ClassVar[str] = PAPER
    needs: ClassVar[frozenset[Need]] = NEEDS

    pixels: int = 1
    mirror: bool = True

    def __post_init__(self) -> None:
        check_counts(self, "pixels")

    def unfit(self, evidence: Evidence) -> str | None:
        """Whether the rows are no images."""
        x = evidence.require("x")
        if is_frame(x) or np.ndim(x) not in (3, 4):
            return "needs images (n, height, width) or (n, height, width, channels)"
        return None

    def versions(self) -> Sequence[tuple[str, Callable[[Floats], Floats]]]:
        """The versions of an image by name, in the order in which they are asked."""
        shifts = [
            (name, partial(shift_images, by=(self.pixels * v, self.pixels * h), mirror=False))
            for name, (v, h) in STEPS.items()
        ]
        if not self.mirror:
            return shifts
        plain = ("mirrored", partial(shift_images, by=(0, 0), mirror=True))
        return [plain, *shifts, *((f"mirrored {name}", partial(s, mirror=True)) for name, s in shifts)]

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:  # noqa: ARG002 - draws nothing
        """Scores (n,) in [0, 1]: share of right labels, 0 where the image's own label is wrong."""
        answers = evidence.require("answers")
        query, x = evidence.require("query"), evidence.require("x")
        problem = self.unfit(evidence)
        if problem is not None:
            raise UsageError(f"augmentation: {problem}, got rows of shape {np.shape(x)[1:]}")
        copies = [partial(version, np.asarray(x)) for _, version in self.versions()]
        return count_votes(query, correct(answers, evidence.labels), evidence.labels, copies)

    def notes(self, evidence: Evidence) -> list[str]:
        """How many queries a record were asked."""
        return note_queries(evidence, len(self.versions()), len(evidence), "right or wrong alone")
