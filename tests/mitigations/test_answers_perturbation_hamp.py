"""HAMP at test time: scores of random records in an answer's own order."""

import numpy as np
import pytest
from tests.mitigations.answers import answers, known

from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Known
from gnomon.mitigations import make_mitigation
from gnomon.stats.roc import auc

CLASSES = 10


def confident(n: int, sharpness: float, seed: int) -> np.ndarray:
    """Answers whose label is the likelier the sharper the model is."""
    return answers(n, CLASSES, seed, sharpness=sharpness)


def owner(seed: int, k: int = 400) -> Known:
    members, reference = confident(k, 6.0, seed), confident(k, 2.0, seed + 1)
    return Known(members, members.argmax(1), reference, reference.argmax(1), confident(k, 1.0, seed + 2))


def confidence_auc(inside: np.ndarray, outside: np.ndarray) -> float:
    return auc(inside.max(axis=1), outside.max(axis=1)).value


def test_hamp_shows_scores_of_random_records_in_the_answers_order():
    own = owner(0)
    step = make_mitigation("hamp_answers").fit(own, CLASSES, 3)
    inside, outside = confident(800, 6.0, 10), confident(800, 2.0, 11)
    np.testing.assert_array_equal(np.argsort(-step(inside), axis=1)[:, 0], inside.argmax(axis=1))
    np.testing.assert_array_equal(np.argsort(-step(inside), axis=1), np.argsort(-inside, axis=1))
    shown = np.sort(step(inside), axis=1)
    allowed = {row.tobytes() for row in np.sort(own.random, axis=1)}
    assert all(row.tobytes() in allowed for row in shown)
    assert confidence_auc(inside, outside) > 0.8
    assert abs(confidence_auc(step(inside), step(outside)) - 0.5) < 0.06


def test_hamp_needs_answers_to_random_records():
    full = known(CLASSES)
    with pytest.raises(UsageError, match="random records, got none"):
        make_mitigation("hamp_answers").fit(
            Known(full.members, full.member_labels, full.reference, full.reference_labels, full.random[:0]), CLASSES, 0
        )
