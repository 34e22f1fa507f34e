"""What every booster shares: margins read as probabilities, labels, and refits that need the rounds."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnomon.core.errors import ModelError
from gnomon.models.boosters.classifier import BoosterClassifier

X = np.array([[40.0, 0.0], [-2.0, 0.5], [0.0, 0.0]])


class Sums(BoosterClassifier):
    """A booster whose margin is the sum of a row (of two classes) or the row itself."""

    def train(self, x: Any, codes: Any, n_classes: int) -> Any:
        return {"classes": n_classes, "codes": codes.tolist()}

    def known_params(self) -> Collection[str]:
        return ("eta", "depth")

    def margins(self, x: Any) -> Any:
        return x.sum(axis=1) if len(self.classes_) == 2 else x

    def write(self, stem: Path) -> Path:
        return stem


def test_margins_of_two_classes_are_log_odds_that_stay_exact() -> None:
    fitted = Sums(rounds=3).fit(X, ["yes", "no", "no"])
    assert fitted.booster_ == {"classes": 2, "codes": [1, 0, 0]}
    logs = fitted.predict_log_proba(X)
    np.testing.assert_allclose(logs[:, 1] - logs[:, 0], X.sum(axis=1), rtol=1e-12)
    assert logs[0, 1] == pytest.approx(-np.exp(-40.0), rel=1e-9)
    assert fitted.predict(X).tolist() == ["yes", "no", "no"]


def test_margins_of_several_classes_are_logits() -> None:
    fitted = Sums(rounds=1).adopt(object(), 3, ("a remark",))
    logits = np.random.default_rng(0).normal(size=(5, 3))
    chances = fitted.predict_proba(logits)
    np.testing.assert_allclose(chances, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    assert fitted.remarks == ("a remark",)
    assert Sums.remarks == ()


def test_without_rounds_it_answers_but_cannot_be_fitted_again() -> None:
    assert Sums(rounds=3).refits
    assert not Sums().refits
    with pytest.raises(ModelError, match=r"its file does not hold the recipe; give one in \[trainer\]"):
        Sums().fit(X, [0, 1, 1])


def test_the_librarys_parameters_are_set_by_their_own_names() -> None:
    made = Sums({"eta": 0.1}, rounds=2)
    assert made.get_params()["eta"] == 0.1
    made.set_params(eta=0.3, rounds=5)
    assert (dict(made.params or {})["eta"], made.rounds) == (0.3, 5)
    with pytest.raises((ModelError, ValueError), match="etta"):
        made.set_params(etta=1)
