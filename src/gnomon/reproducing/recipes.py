"""Recipes that reproductions name and that a plan can't say in keys: pipelines for mixed columns, AutoML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from gnomon.core.arrays import Floats
from gnomon.core.errors import import_extra

LEARNERS = ["lgbm", "xgboost", "rf", "extra_tree", "kneighbor"]  # that FLAML chooses from
ROWS_AT_ONCE = 4096  # of a kernel matrix
RARE = 20  # values of a text column that fewer rows have are put together


def network_on_columns(hidden: int = 128, epochs: int = 20, learning_rate: float = 1e-3) -> Pipeline:
    """One-hot for text, numbers scaled, and the paper's network: one hidden layer of tanh units."""
    text = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE, sparse_output=False)
    columns = make_column_transformer(
        (text, make_column_selector(dtype_exclude="number")),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )
    network = MLPClassifier(
        (hidden,), activation="tanh", learning_rate_init=learning_rate, batch_size=100, max_iter=epochs, alpha=0.0,
        tol=0.0, n_iter_no_change=epochs,
    )  # fmt: skip
    return make_pipeline(columns, network)


def support_vectors(x: Any, y: Any, n_classes: int, seed: int, c: float = 1.0) -> Callable[[Any], Floats]:  # noqa: ARG001
    """A support vector machine; the softmax of its decisions (one class against the rest) stands for probabilities.

    With scikit-learn's default Gaussian kernel, computed by matrix products, several times faster than in libsvm.
    """
    training = np.asarray(x, dtype=np.float64)
    gamma = 1.0 / (training.shape[1] * float(training.var()))
    machine = SVC(C=c, kernel="precomputed", decision_function_shape="ovr").fit(rbf_kernel(training, gamma=gamma), y)

    def probabilities(rows: Any) -> Floats:
        parts = np.array_split(np.asarray(rows), len(rows) // ROWS_AT_ONCE + 1)
        decisions = np.concatenate([machine.decision_function(rbf_kernel(part, training, gamma)) for part in parts])
        if decisions.ndim == 1:
            decisions = np.stack([-decisions, decisions], axis=1)
        answers = np.zeros((len(decisions), n_classes))
        answers[:, machine.classes_] = softmax(decisions, axis=1)
        return answers

    return probabilities


def automl(x: Any, y: Any, n_classes: int, seed: int, rounds: int = 12) -> Callable[[Any], Floats]:
    """FLAML as a service: it chooses the algorithm and its options, and tells nobody.

    A number of rounds and no time limit, so that the same rows and seed give the same model on every machine.
    """
    service = import_extra("flaml.automl.automl", "automl", "the AutoML service").AutoML()
    service.fit(
        X_train=x, y_train=y, task="classification", metric="log_loss", max_iter=rounds, time_budget=-1, seed=seed,
        n_jobs=1, verbose=0, eval_method="holdout", estimator_list=LEARNERS, early_stop=False,
    )  # fmt: skip

    def probabilities(rows: Any) -> Floats:
        answers = np.zeros((len(rows), n_classes))
        answers[:, service.classes_] = service.predict_proba(rows)
        return answers

    return probabilities
