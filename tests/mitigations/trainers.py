"""Rows, and a trainer of every kind, for mitigations in training."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from gnomon.core.mitigations import Reference
from gnomon.core.protocols import Trainer
from gnomon.mitigations import apply_in_training
from gnomon.models import FunctionTrainer, SklearnTrainer, TorchTrainer

RNG = np.random.default_rng(0)
X = (RNG.random((90, 10)) < 0.4).astype(np.uint8)
Y = RNG.integers(0, 3, 90)
ROWS, SEEDS = [np.arange(60), np.arange(15, 55)], [7, 8]
REFERENCE = Reference((RNG.random((50, 10)) < 0.4).astype(np.uint8), RNG.integers(0, 3, 50))


def uniform(x: Any, y: Any, n_classes: int, seed: int) -> Any:
    """A model that knows nothing."""
    return lambda rows: np.full((len(rows), n_classes), 1 / n_classes)


TRAINERS: dict[str, Any] = {
    "network": TorchTrainer(hidden=(12,), batch=10, epochs=9, device="cpu"),
    "logistic": SklearnTrainer(make_pipeline(StandardScaler(), LogisticRegression())),
    "svm": SklearnTrainer(SVC(probability=True)),
    "sgd": SklearnTrainer(SGDClassifier(loss="log_loss")),
    "sklearn network": SklearnTrainer(MLPClassifier((5,), max_iter=80, learning_rate_init=0.03)),
    "tree": SklearnTrainer(DecisionTreeClassifier()),
    "forest": SklearnTrainer(RandomForestClassifier(5)),
    "boosting": SklearnTrainer(GradientBoostingClassifier(n_estimators=3, max_depth=12)),
    "histogram boosting": SklearnTrainer(HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2)),
    "bayes": SklearnTrainer(GaussianNB()),
    "function": FunctionTrainer(uniform),
}


def applied(mitigation: Any, trainer: Any) -> Trainer:
    """The trainer with the mitigation, and rows held out for it."""
    return apply_in_training(mitigation, trainer, REFERENCE)
