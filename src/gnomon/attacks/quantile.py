"""Bertran, Tang, Kearns, Morgenstern, Roth and Wu 2023: quantile regression on known non-members, without shadows.

How confident would the target be of this record had it not been trained on it? A regression on known non-members
answers that from the record itself: it predicts a high quantile of their margins, and whoever passes their own quantile
is accused. It takes one cheap regression in place of many shadow models, and no knowledge of the target's recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gnomon.attacks.parts.boosting import BINS
from gnomon.core.arrays import Float64s, Floats, Ints, Rows, count_rows, is_frame, is_sparse
from gnomon.core.errors import UsageError
from gnomon.core.evidence import Evidence, Need, required
from gnomon.core.protocols import Attack
from gnomon.models import torch as networks
from gnomon.stats.signals import margin

WIDEST = 256  # columns; more (images) are first reduced to their principal components
COMPONENTS = 64
FEWEST = 20  # population rows: with fewer the regression is a constant
FOLDS = 3
SMALLEST_SQUARE = 1e-6  # of the mean squared residual

Learner: TypeAlias = Literal["auto", "trees", "network"]


@dataclass(frozen=True)
class _Regression(Attack):
    """What both forms share: trees or a network that predict a non-member's margin from its row and label."""

    iterations: int = 50
    learner: Learner = "auto"
    epochs: int = 30

    paper: ClassVar[str] = "Bertran, Tang, Kearns, Morgenstern, Roth, Wu 2023"
    needs: ClassVar[frozenset[Need]] = frozenset({"answers", "population", "x"})

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.epochs < 1:
            raise UsageError(f"{self.name}: expected iterations and epochs of at least 1, got {self}")

    def notes(self, evidence: Evidence) -> list[str]:
        """Says how many non-members the regression rests on, and if that is too few."""
        z = len(evidence.require("population").labels)
        notes = [f"{'a convolutional network' if self.by_network(evidence) else 'regression'} on {z} known non-members"]
        if z < FEWEST:
            notes.append(f"fewer than {FEWEST}: one quantile for all records in place of a regression")
        return notes

    def by_network(self, evidence: Evidence) -> bool:
        """Whether a network is fitted: to images that are not too few, where torch is there or the option insists."""
        x, population = evidence.require("x"), evidence.require("population")
        images = not is_frame(x) and np.ndim(x) in (3, 4)
        if self.learner == "network" and not images:
            raise UsageError(
                'quantile: learner = "network" is for images (n, height, width) or with channels; take "trees"'
            )
        if self.learner == "trees" or not images or len(population.labels) < FEWEST:
            return False
        return self.learner == "network" or find_spec("torch") is not None

    def boosted(self, loss: str, rng: np.random.Generator, quantile: float | None = None) -> Any:
        """Boosted trees that are not fitted yet."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            loss=loss, quantile=quantile, max_iter=self.iterations, max_leaf_nodes=15, max_bins=BINS,
            early_stopping=False, random_state=int(rng.integers(2**31)),
        )  # fmt: skip


@dataclass(frozen=True)
class Quantile(_Regression):
    """The target's margin less the quantile that is predicted for a non-member like the record.

    On images a small convolutional network is fitted with the pinball loss; elsewhere gradient-boosted trees, on the
    record's columns and its label. Columns of text are numbered, and wide rows reduced to principal components first.

    Score: margin less predicted quantile, in nats; 0 is the decision at the false-positive rate ``fpr``.

    Attributes:
        fpr: false-positive rate aimed at; the quantile is 1 - fpr. It should not be far below 10 / population.
        iterations: trees.
        learner: "trees", "network", or "auto": the network on images where torch is installed.
        epochs: of the network.

    >>> from gnomon.testing.toy import overfitted_world
    >>> from dataclasses import replace
    >>> world = overfitted_world(np.random.default_rng(0), n=400)
    >>> known = replace(world.evidence.population, x=np.zeros((len(world.evidence.population.labels), 12)))
    >>> scores = Quantile(iterations=10).score(replace(world.evidence, population=known), np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    iterations: int = 100
    fpr: float = 0.05

    name: ClassVar[str] = "quantile"
    title: ClassVar[str] = "Quantile regression"
    threshold: ClassVar[float | None] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.fpr < 1.0:
            raise UsageError(f"quantile: expected fpr in (0, 1), got {self}")

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,) in nats: margin less the predicted quantile."""
        problem = _Problem.of(evidence)
        if self.by_network(evidence):
            predicted = problem.by_network("quantile", 1.0 - self.fpr, self.epochs, rng)
            return np.asarray(problem.observed - predicted[:, 0], dtype=np.float64)
        if len(problem.known) < FEWEST:
            return problem.observed - float(np.quantile(problem.known, 1.0 - self.fpr))
        known_rows, rows = problem.columns()
        model = self.boosted("quantile", rng, quantile=1.0 - self.fpr).fit(known_rows, problem.known)
        return np.asarray(problem.observed - model.predict(rows), dtype=np.float64)


@dataclass(frozen=True)
class QuantileGaussian(_Regression):
    """The paper's Gaussian variant: predicts mean and deviation of a non-member's margin, for all rates at once.

    The deviation is fitted to residuals of folds that the mean's trees were not fitted on; otherwise the trees would
    find their own fit too good.

    Score: (margin - mean) / deviation, as predicted for a non-member like the record.

    On images one small convolutional network predicts both, by the normal likelihood.

    Attributes:
        iterations: trees of each of the two regressions.
        learner: as for `Quantile`.
        epochs: of the network.

    >>> from gnomon.testing.toy import overfitted_world
    >>> from dataclasses import replace
    >>> world = overfitted_world(np.random.default_rng(0), n=400)
    >>> known = replace(world.evidence.population, x=np.zeros((len(world.evidence.population.labels), 12)))
    >>> scores = QuantileGaussian(10).score(replace(world.evidence, population=known), np.random.default_rng(0))
    >>> bool(scores[world.member].mean() > scores[~world.member].mean())
    True
    """

    name: ClassVar[str] = "quantile_gaussian"
    title: ClassVar[str] = "Quantile regression, Gaussian"

    def score(self, evidence: Evidence, rng: np.random.Generator) -> Floats:
        """Scores (n,): predicted standard deviations above the predicted mean."""
        from sklearn.model_selection import KFold, cross_val_predict

        problem = _Problem.of(evidence)
        if self.by_network(evidence):
            mean, deviation = problem.by_network("normal", 0.5, self.epochs, rng).T
            return np.asarray((problem.observed - mean) / deviation, dtype=np.float64)
        if len(problem.known) < FEWEST:
            return np.asarray((problem.observed - problem.known.mean()) / (float(problem.known.std()) or 1.0))
        known_rows, rows = problem.columns()
        trees = self.boosted("squared_error", rng)
        folds = KFold(FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
        residuals = problem.known - cross_val_predict(trees, known_rows, problem.known, cv=folds)
        squares = np.maximum(residuals**2, SMALLEST_SQUARE * float((residuals**2).mean()))
        if squares.max() <= 0.0:
            return np.asarray(problem.observed - trees.fit(known_rows, problem.known).predict(rows))
        # The gamma loss on squared residuals is the normal likelihood in the variance, at its best for the mean square.
        spread = self.boosted("gamma", rng).fit(known_rows, squares)
        trees.fit(known_rows, problem.known)
        deviation = np.sqrt(np.maximum(spread.predict(rows), SMALLEST_SQUARE * float(squares.mean())))
        return np.asarray((problem.observed - trees.predict(rows)) / deviation, dtype=np.float64)


@dataclass(frozen=True)
class _Problem:
    """Rows, class ids and margins of the population (z rows) and of the audited rows (n)."""

    known_x: Rows
    known_y: Ints
    known: Float64s
    x: Rows
    y: Ints
    observed: Float64s
    n_classes: int

    @staticmethod
    def of(evidence: Evidence) -> _Problem:
        population, labels = evidence.require("population"), evidence.labels
        return _Problem(
            required(population.x, "the population rows themselves (population.x)"),
            population.labels,
            np.asarray(margin(population.answers, population.labels), dtype=np.float64),
            evidence.require("x"),
            labels,
            np.asarray(margin(evidence.require("answers"), labels), dtype=np.float64),
            evidence.n_classes,
        )

    def columns(self) -> tuple[Float64s, Float64s]:
        """Both as numbers, the class ids last: (z, d + 1) and (n, d + 1)."""
        known, rows = numeric_columns(self.known_x, self.x)
        return np.column_stack([known, self.known_y]), np.column_stack([rows, self.y])

    def by_network(
        self, law: Literal["quantile", "normal"], quantile: float, epochs: int, rng: np.random.Generator
    ) -> Float64s:
        """What a network predicts of the audited rows, which are images as the population is."""
        regression = networks.ImageRegression(law, quantile, epochs, int(rng.integers(2**31)))
        fitted = regression.fit(np.asarray(self.known_x), self.known_y, self.known, self.n_classes)
        return fitted.predict(np.asarray(self.x), self.y)


def numeric_columns(known: Rows, audited: Rows) -> tuple[Float64s, Float64s]:
    """Both sets of rows as numbers, (z, d) and (n, d), coded alike; wide rows as principal components.

    What is learned of the columns (codes of text, components) is learned from the known rows only, so that the code of
    one audited row does not hang on the others.

    >>> numeric_columns(np.array([[1], [2]]), np.array([[3]]))[1]
    array([[3.]])
    """
    from sklearn.decomposition import PCA, TruncatedSVD

    if is_sparse(known):
        size = min(COMPONENTS, min(known.shape) - 1)
        if known.shape[1] <= WIDEST or size < 1:
            return known.toarray().astype(np.float64), audited.toarray().astype(np.float64)
        kept = TruncatedSVD(size, random_state=0).fit(_known_only(known))
        return kept.transform(_known_only(known)), kept.transform(_known_only(audited))
    if is_frame(known):
        coded = [_coded(np.asarray(known[name]), np.asarray(audited[name])) for name in known.columns]
        return np.column_stack([a for a, _ in coded]), np.column_stack([b for _, b in coded])
    first = np.asarray(known, dtype=np.float64).reshape(count_rows(known), -1)
    second = np.asarray(audited, dtype=np.float64).reshape(count_rows(audited), -1)
    if first.shape[1] <= WIDEST or len(first) < FEWEST:
        return first, second
    if np.isnan(first).any() or np.isnan(second).any():  # trees take what is missing, components do not
        seen = ~np.isnan(first)
        centre = np.where(seen, first, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        first, second = (np.where(np.isnan(part), centre, part) for part in (first, second))
    wide = first.shape[1] > len(first) and first.size < 2**22
    reduced = PCA(min(COMPONENTS, len(first) - 1), svd_solver="full" if wide else "covariance_eigh")
    return reduced.fit_transform(first), reduced.transform(second)


def _known_only(x: Rows) -> Rows:
    """Sparse rows with 0 where a number is missing."""
    plain = x.astype(np.float64)
    plain.data = np.nan_to_num(plain.data)
    return plain


def _coded(known: NDArray[Any], audited: NDArray[Any]) -> tuple[Float64s, Float64s]:
    """One column of a data frame; text is numbered by the known rows' values, the unseen gets -1."""
    if known.dtype.kind in "biuf":
        return known.astype(np.float64), audited.astype(np.float64)
    values = np.unique(known.astype(str))
    return tuple(  # type: ignore[return-value]
        np.where(np.isin(column.astype(str), values), np.searchsorted(values, column.astype(str)), -1.0)
        for column in (known, audited)
    )
