"""Penalty, dropout and early stopping: they do what they say, on networks and on estimators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.mitigations.trainers import ROWS, TRAINERS, X, Y, applied

from gnomon.core.errors import UsageError
from gnomon.core.protocols import Trainer
from gnomon.mitigations import make_mitigation, restraining
from gnomon.models import SklearnTrainer, TorchTrainer


def test_l2_shrinks_weights_and_dropout_needs_a_network_of_ours() -> None:
    network = replace(TRAINERS["network"], epochs=60)
    sizes = []
    for strength in ("1e-4", "1e-1"):
        [model] = applied(make_mitigation(f"l2:{strength}"), network).train(X, Y, 3, ROWS[:1], [0])
        sizes.append(sum(float((p.detach() ** 2).sum()) for p in model.network.parameters()))  # type: ignore[attr-defined]
    assert sizes[1] < 0.9 * sizes[0]
    with pytest.raises(UsageError, match="cannot do that"):
        applied(make_mitigation("dropout:0.5"), TorchTrainer(hidden=()))


@pytest.mark.parametrize("name", ["logistic", "svm", "sgd", "sklearn network", "histogram boosting"])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*probability.*")
def test_a_strong_l2_flattens_scikit_learns_estimators(name: str) -> None:
    def certainty(text: str) -> float:
        [model] = applied(make_mitigation(text), TRAINERS[name]).train(X, Y, 3, ROWS[:1], [0])
        return float(np.exp(model.log_probs(X[ROWS[0]])).max(axis=1).mean())

    assert certainty("l2:1") < certainty("l2:1e-6")


@pytest.mark.parametrize(
    ("trainer", "strength", "restrains"),
    [
        (SklearnTrainer(LogisticRegression(C=1e3)), "1e-3", True),
        (SklearnTrainer(make_pipeline(StandardScaler(), LogisticRegression())), "1e-3", False),  # C = 1 is 0.002 here
        (SklearnTrainer(make_pipeline(StandardScaler(), LogisticRegression())), "1e-2", True),
        (SklearnTrainer(LogisticRegression(C=1e3), l2=0.1), "1e-2", False),
        (SklearnTrainer(SGDClassifier(loss="log_loss", alpha=0.1)), "1e-2", False),
        (SklearnTrainer(HistGradientBoostingClassifier()), "1e-2", True),
        (TRAINERS["network"], "1e-2", True),
        (replace(TRAINERS["network"], weight_decay=0.1), "1e-2", False),
    ],
)
def test_a_penalty_below_the_recipe_s_own_is_no_advice(trainer: Trainer, strength: str, restrains: bool) -> None:
    assert restraining(trainer, [f"l2:{strength}"], 500) == ({f"l2:{strength}"} if restrains else set())


def test_a_plain_scikit_learn_recipe_says_nothing_of_l2() -> None:
    assert list(TRAINERS["tree"].recipe()) == ["kind", "sklearn", "estimator"]


def test_early_stopping_switches_it_on_where_that_is_a_parameter_of_its_own() -> None:
    stop = make_mitigation("early_stopping:7")
    network = applied(stop, TRAINERS["sklearn network"]).estimator  # type: ignore[attr-defined]
    assert (network.early_stopping, network.n_iter_no_change) == (True, 7)
    boosted = applied(stop, TRAINERS["boosting"]).estimator  # type: ignore[attr-defined]
    assert boosted.n_iter_no_change == 7
    assert applied(stop, TRAINERS["network"]).patience == 7  # type: ignore[attr-defined]
    assert TRAINERS["sklearn network"].estimator.n_iter_no_change != 7  # the recipe that was given stays
