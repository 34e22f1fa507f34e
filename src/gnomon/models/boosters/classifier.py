"""An estimator like scikit-learn's around what a library trains by its own function from parameters and rounds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from gnomon.core.arrays import Rows
from gnomon.core.errors import ModelError, did_you_mean
from gnomon.models.boosters.columns import KnownColumns


class BoosterClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A booster as a classifier: fitted by the library's own training function, its margins read as probabilities.

    Args:
        params: of the library's training function.
        rounds: of boosting; None where they are not known, so that it can't be fitted again.
        columns: what it knows of the columns of its rows.
        random_state: the seed; None for the library's own.

    Attributes:
        booster_: the fitted booster.
        classes_: (c,) labels, in the order of its answers.
        remarks: what the reader of its file has to say.
    """

    remarks: tuple[str, ...] = ()

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        rounds: int | None = None,
        columns: KnownColumns | None = None,
        random_state: int | None = None,
    ) -> None:
        self.params = params
        self.rounds = rounds
        self.columns = columns
        self.random_state = random_state

    @abstractmethod
    def train(self, x: Rows, codes: NDArray[np.int64], n_classes: int) -> Any:
        """The booster that the library trains on rows and class ids 0 .. n_classes - 1."""

    @abstractmethod
    def known_params(self) -> Collection[str]:
        """Names of the library's parameters that can be set."""

    @abstractmethod
    def margins(self, x: Rows) -> NDArray[np.float64]:
        """What its trees add up to: log-odds (n,) of the second of two classes, or logits (n, c)."""

    @abstractmethod
    def write(self, stem: Path) -> Path:
        """Writes the booster as its library does, and returns the file."""

    def adopt(self, booster: Any, n_classes: int, remarks: tuple[str, ...] = ()) -> Self:
        """This estimator as fitted with a booster that is there already; its classes are 0 .. n_classes - 1."""
        self.booster_, self.classes_, self.remarks = booster, np.arange(n_classes), remarks
        return self

    @property
    def refits(self) -> bool:
        """Whether it holds all that another fit needs."""
        return self.rounds is not None

    def fit(self, x: Rows, y: Any) -> Self:
        """Trains on rows (n, d) and labels (n,).

        Raises:
            ModelError: the rounds are not known.
        """
        if self.rounds is None:
            raise ModelError("its file does not hold the recipe; give one in [trainer]")
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.booster_ = self.train(self.aligned(x), codes.astype(np.int64), len(self.classes_))
        return self

    def aligned(self, x: Rows) -> Rows:
        """Rows with the columns as the booster knows them."""
        return x if self.columns is None else self.columns.align(x)

    def predict_log_proba(self, x: Rows) -> NDArray[np.float64]:
        """Natural-log probabilities (n, c) of n rows, exact where a probability rounds to 1."""
        found = self.margins(self.aligned(x))
        if found.ndim == 1:
            return np.stack([log_expit(-found), log_expit(found)], axis=1)
        logs: NDArray[np.float64] = log_softmax(found, axis=1)
        return logs

    def predict_proba(self, x: Rows) -> NDArray[np.float64]:
        """Probabilities (n, c) of n rows."""
        return np.exp(self.predict_log_proba(x))

    def predict(self, x: Rows) -> NDArray[Any]:
        """Labels (n,) of n rows."""
        labels: NDArray[Any] = self.classes_[self.predict_log_proba(x).argmax(axis=1)]
        return labels

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Its arguments; with ``deep`` also the library's parameters by their own names."""
        own: dict[str, Any] = super().get_params(deep=False)
        given = own.pop("params") if deep else {}
        return {**(given or {}), **own}

    def set_params(self, **given: Any) -> Self:
        """Sets arguments; any other name is a parameter of the library's."""
        own = super().get_params(deep=False)
        further = {name: value for name, value in given.items() if name not in own}
        for name, value in given.items():
            if name in own:
                setattr(self, name, value)
        for name in further:
            if name not in self.known_params():
                hint = did_you_mean(name, self.known_params())
                raise ValueError(f'no parameter "{name}"{hint}; rounds of boosting are "rounds"')
        if further:
            self.params = {**(self.params or {}), **further}
        return self
