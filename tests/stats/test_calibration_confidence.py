"""Expected calibration error: against a slow twin, and at its ends."""

import numpy as np

from gnomon.stats.calibration import BINS, expected_calibration_error


def slow(probabilities: np.ndarray, labels: np.ndarray) -> float:
    total = 0.0
    top = probabilities.max(axis=1)
    for b in range(BINS):
        low, high = b / BINS, (b + 1) / BINS
        here = (top >= low) & ((top < high) | (b == BINS - 1))
        if here.any():
            accuracy = (probabilities.argmax(axis=1) == labels)[here].mean()
            total += here.mean() * abs(accuracy - top[here].mean())
    return total


def test_it_is_what_its_formula_says() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(4, 0.4), size=500)
    labels = rng.integers(0, 4, 500)
    assert abs(expected_calibration_error(np.log(p), labels) - slow(p, labels)) < 1e-9


def test_a_model_that_says_what_is_true_has_a_small_error() -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.full(3, 1.0), size=20000)
    labels = (rng.random((20000, 1)) > np.cumsum(p, axis=1)).sum(axis=1)
    assert expected_calibration_error(np.log(p), labels) < 0.02


def test_labels_alone_are_as_wrong_as_they_are_often_wrong() -> None:
    with np.errstate(divide="ignore"):
        answers = np.log(np.eye(2)[[0, 0, 1, 1]])
    assert expected_calibration_error(answers, np.array([0, 1, 1, 1])) == 0.25
