"""HAMP at test time: every answer gets the scores of a random record, in its own order (`hamp_training` is apart)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Known
from gnomon.mitigations.base import OfAnswers
from gnomon.mitigations.perturbation import draw_uniform
from gnomon.mitigations.reveal import keep_label


@dataclass(frozen=True, eq=False)
class Ranked:
    """Scores of random records, given out in the order of an answer; which record's follows from the answer."""

    scores: Floats  # (q, c) natural-log probabilities, each row in descending order
    seed: int

    def __call__(self, answers: Floats, /) -> Floats:
        """Natural-log probabilities (n, c) of random records in the order of the answers."""
        chosen = (draw_uniform(answers, 1, self.seed)[:, 0] * len(self.scores)).astype(np.int64)
        order = np.argsort(-np.asarray(answers), axis=1, kind="stable")
        shown = np.empty(answers.shape, np.float32)
        np.put_along_axis(shown, order, self.scores[chosen], axis=1)
        return keep_label(shown, answers)


@dataclass(frozen=True)
class HampAnswers(OfAnswers):
    """The order of the classes stays, and so does the label; how sure the model is of this record is gone.

    Chen and Pattabiraman draw a random record anew for each query; here the answer decides which, so that asking again
    shows nothing more.
    """

    name: ClassVar[str] = "hamp_answers"
    title: ClassVar[str] = "HAMP's scores of random records"
    paper: ClassVar[str] = "Chen & Pattabiraman 2024"
    needs: ClassVar[frozenset[Literal["reference", "random"]]] = frozenset({"random"})
    keeps_label: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("hamp_answers",)

    def fit(self, known: Known, n_classes: int, seed: int) -> Ranked:  # noqa: ARG002 - the protocol's arguments
        """Keeps what the model answers to random records.

        Raises:
            UsageError: there are no such answers.
        """
        if len(known.random) == 0:
            raise UsageError(f'mitigation "{self.name}" needs the model\'s answers to random records, got none')
        return Ranked(-np.sort(-np.asarray(known.random, dtype=np.float32), axis=1), seed)
