"""The small networks that tell members from non-members, and other classifiers in their place."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.attacks.parts.boosting import LogOdds
from gnomon.core.arrays import Bools, Floats, Ints
from gnomon.models import torch as networks
from gnomon.stats.signals import LOG_TINY


@dataclass(frozen=True)
class AttackNetwork:
    """One hidden layer of ReLU units, trained by Adam: by torch, or by scikit-learn where torch is missing."""

    hidden: int
    epochs: int
    batch: int
    learning_rate: float

    def train(self, x: Floats, member: Bools, rows: Sequence[Ints], seeds: Sequence[int]) -> list[LogOdds]:
        """One network for each entry of ``rows``, all on the same table.

        Args:
            x: features (n, f), float32, scaled.
            member: truth (n,).
            rows: for each network its positions in ``x``.
            seeds: one a network.
        """
        from sklearn.neural_network import MLPClassifier

        if networks.has_torch():
            trainer = networks.TorchTrainer(
                hidden=(self.hidden,), activation="relu", learning_rate=self.learning_rate,
                batch=self.batch, epochs=self.epochs, device="cpu",
            )  # fmt: skip
            models = trainer.train(x, member.astype(np.int64), 2, rows, seeds)
            return [_log_odds_of(model.log_probs) for model in models]
        network = MLPClassifier(
            (self.hidden,), learning_rate_init=self.learning_rate, batch_size=self.batch, max_iter=self.epochs,
            alpha=0.0, tol=0.0, n_iter_no_change=self.epochs,
        )  # fmt: skip
        return train_one_by_one(network, x, member, rows, seeds)


def kind_of_network() -> str:
    """What an `AttackNetwork` is here, for a note."""
    return "torch network" if networks.has_torch() else "scikit-learn network (torch is not installed)"


def train_one_by_one(
    estimator: Any, x: Floats, member: Bools, rows: Sequence[Ints], seeds: Sequence[int]
) -> list[LogOdds]:
    """Clones of any scikit-learn classifier in the place of networks; see `AttackNetwork.train`."""
    from sklearn.base import clone
    from sklearn.exceptions import ConvergenceWarning

    models = []
    for at, seed in zip(rows, seeds, strict=True):
        model = clone(estimator)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of epochs is meant
            model.fit(x[at], member[at].astype(np.int64))
        models.append(_log_odds_of(_logs_of(model)))
    return models


def _logs_of(model: Any) -> Callable[[Floats], Floats]:
    def logs(x: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.log(np.asarray(model.predict_proba(x), dtype=np.float64))

    return logs


def _log_odds_of(log_probs: Callable[[Floats], Floats]) -> LogOdds:
    """Log-odds of "in" from log-probabilities (out, in), finite where a classifier says exactly 0 or 1."""

    def log_odds(x: Floats) -> Floats:
        if len(x) == 0:
            return np.empty(0)
        logs = np.maximum(log_probs(x).astype(np.float64), LOG_TINY)
        return logs[:, 1] - logs[:, 0]

    return log_odds
