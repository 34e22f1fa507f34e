"""SELENA: a model distilled from models that never saw what they answer (Tang et al., 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.core.arrays import Bools, Floats, Ints, Rows, check_labels, count_rows, take_rows
from gnomon.core.errors import DataError, UsageError
from gnomon.core.seeds import Seeds
from gnomon.models.torch.model import TorchModel
from gnomon.models.torch.trainer import NetworkWrapper, check_rows

SELENA_VERSION = 1  # raise when the same fields train another model


@dataclass(frozen=True)
class SelenaTrainer(NetworkWrapper):
    """Split-AI and self-distillation around another recipe.

    Each training row is held out of exactly ``held_out`` of ``submodels`` networks, drawn from the model's seed. Its
    label is replaced by the mean answer of those that never saw it, and one network is trained on these answers. So the
    model learns of a row what the others say of it. Training costs as much as ``submodels + 1`` plain models; the
    submodels are stacked where the recipe stacks.

    Args:
        trainer: recipe of the submodels and of the distilled model, whose objective is then the submodels' answers.
        submodels: K.
        held_out: L, at least 1 and less than K.

    >>> from gnomon.models import TorchTrainer
    >>> x, y = np.eye(8, dtype=np.float32), np.arange(8) % 2
    >>> trainer = SelenaTrainer(TorchTrainer(hidden=(8,), epochs=3), submodels=4, held_out=2)
    >>> [model] = trainer.train(x, y, 2, [np.arange(8)], [0])
    >>> model.log_probs(x).shape
    (8, 2)
    """

    submodels: int = 25
    held_out: int = 10

    def __post_init__(self) -> None:
        self._check_network("SELENA distils into soft labels")
        if not 1 <= self.held_out < self.submodels:
            raise UsageError(
                f"SELENA: expected rows to be held out of at least 1 and fewer than all {self.submodels} submodels, "
                f"got {self.held_out}"
            )

    def train(self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]) -> list[TorchModel]:
        """Trains one distilled model per entry of ``rows``, each with its own seed; see `TorchTrainer.train`.

        Raises:
            DataError: rows that can't be trained on, or too few to leave every submodel some.
        """
        labels = check_labels(y, rows=count_rows(x), classes=n_classes, source="SELENA")
        positions = check_rows(rows, seeds, len(labels), 1)
        return [self._train_one(x, labels, n_classes, r, s) for r, s in zip(positions, seeds, strict=True)]

    def recipe(self) -> dict[str, Any]:
        """Everything that decides what comes out, as JSON."""
        own = {"submodels": self.submodels, "held_out": self.held_out}
        return {"kind": "selena", "version": SELENA_VERSION, **own, "trainer": self.trainer.recipe()}

    def _train_one(self, x: Rows, y: Ints, n_classes: int, rows: Ints, seed: int) -> TorchModel:
        own = take_rows(x, rows)
        answers = self._split_answers(own, y[rows], n_classes, seed)
        [model] = self.trainer.distil(own, answers, [np.arange(len(rows))], [Seeds(seed).child("distilled").integer()])
        return model

    def _split_answers(self, x: Rows, y: Ints, n_classes: int, seed: int) -> Floats:
        """For each row the mean probabilities (k, c) of the submodels that never saw it."""
        held = hold_out(len(y), self.submodels, self.held_out, Seeds(seed).child("split").generator())
        parts = [np.flatnonzero(~column) for column in held.T]
        least = 1 if self.trainer.patience is None else 2
        if min(len(part) for part in parts) < least:
            raise DataError(
                f"SELENA: {len(y)} training rows leave a submodel without any; take more rows, or hold each out of "
                f"fewer than {self.held_out} of {self.submodels} submodels"
            )
        seeds = [Seeds(seed).child("submodel", j).integer() for j in range(self.submodels)]
        answers = np.zeros((len(y), n_classes))
        for column, model in zip(held.T, self.trainer.train(x, y, n_classes, parts, seeds), strict=True):
            answers[column] += np.exp(model.log_probs(take_rows(x, np.flatnonzero(column))))
        return answers / self.held_out


def hold_out(rows: int, submodels: int, times: int, rng: np.random.Generator) -> Bools:
    """Which rows (rows, submodels) are held out of which submodels: each out of exactly so many, drawn evenly.

    >>> hold_out(5, 4, 2, np.random.default_rng(0)).sum(axis=1)
    array([2, 2, 2, 2, 2])
    """
    order = rng.permuted(np.tile(np.arange(submodels), (rows, 1)), axis=1)
    chosen: Bools = order < times
    return chosen
