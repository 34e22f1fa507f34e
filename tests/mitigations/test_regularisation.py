"""Penalty, dropout and early stopping: they do what they say, on networks and on estimators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.mitigations.trainers import ROWS, TRAINERS, X, Y, applied

from gnomon.core.errors import UsageError
from gnomon.mitigations import make_mitigation
from gnomon.models import TorchTrainer


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
