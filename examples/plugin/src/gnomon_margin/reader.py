"""A reader of model files: a linear classifier as JSON, {"weights": c rows of d numbers, "intercept": c numbers}."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gnomon.core.arrays import Floats, Rows
from gnomon.core.errors import ModelError
from gnomon.models.readers.model_file import ModelFile, Use


@dataclass(frozen=True)
class Linear:
    """A linear classifier."""

    weights: Floats  # (c, d)
    intercept: Floats  # (c,)

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return len(self.intercept)

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c)."""
        logits = np.asarray(x, dtype=np.float64) @ self.weights.T + self.intercept
        logits -= logits.max(axis=1, keepdims=True)
        return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def read(place: Path, trust: bool) -> ModelFile:  # noqa: ARG001 - this format runs nothing
    """The classifier in a file.

    Raises:
        ModelError: damaged, or for another number of classes than the data have.
    """
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        model = Linear(np.asarray(found["weights"], dtype=float), np.asarray(found["intercept"], dtype=float))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{place}: not a linear classifier ({type(error).__name__}: {error})") from error

    def make(use: Use) -> Linear:
        if model.n_classes != len(use.classes):
            raise ModelError(f"{place}: {model.n_classes} classes, the data have {len(use.classes)}")
        return model

    return ModelFile(make)
