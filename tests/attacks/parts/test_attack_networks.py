"""Networks learn log-odds that come near those of the truth, with torch and without."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from gnomon.attacks.parts import attack_networks
from gnomon.attacks.parts.attack_networks import AttackNetwork, kind_of_network, train_one_by_one

RNG = np.random.default_rng(0)
MEMBER = np.arange(2000) % 2 == 0
X = (RNG.normal(size=(2000, 2)) + np.where(MEMBER, 0.8, -0.8)[:, None] * [1, 0]).astype(np.float32)
TRUTH = 1.6 * X[:, 0].astype(float)  # log-odds of two normals that lie 1.6 apart
HALVES = [np.arange(1000), np.arange(1000, 2000)]


@pytest.mark.parametrize("torch", [True, False], ids=["torch", "scikit-learn"])
def test_a_network_comes_near_the_true_log_odds(torch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if torch:
        pytest.importorskip("torch")
    monkeypatch.setattr(attack_networks.networks, "has_torch", lambda: torch)
    network = AttackNetwork(hidden=16, epochs=20, batch=20, learning_rate=1e-3)
    first, second = network.train(X, MEMBER, HALVES, [1, 2])
    for log_odds in (first, second):
        assert np.abs(log_odds(X) - TRUTH).mean() < 0.6  # guessing would give 1.7
    assert np.abs(first(X) - second(X)).max() > 0.01  # other rows, other seed
    [again] = network.train(X, MEMBER, HALVES[:1], [1])
    np.testing.assert_allclose(again(X), first(X), atol=1e-4)
    assert ("torch network" in kind_of_network()) is torch


def test_any_classifier_in_its_place() -> None:
    first, second = train_one_by_one(GaussianNB(), X, MEMBER, HALVES, [0, 0])
    for log_odds in (first, second):
        assert np.abs(log_odds(X) - TRUTH).mean() < 0.3
        assert log_odds(X[:0]).shape == (0,)


def test_a_classifier_that_is_certain_stays_finite() -> None:
    certain = GaussianNB(var_smoothing=1e-12)
    x = np.repeat(MEMBER[:, None].astype(np.float32), 2, axis=1) + RNG.normal(size=(2000, 2)).astype(np.float32) * 1e-4
    [log_odds] = train_one_by_one(certain, x, MEMBER, [np.arange(2000)], [0])
    assert np.isfinite(log_odds(x)).all()
    assert (log_odds(x) > 0).tolist() == MEMBER.tolist()
