"""MemGuard: what they promise, what they defeat, and what defeats them."""

import numpy as np
import pytest
from tests.mitigations.answers import answers, known

from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Known
from gnomon.mitigations import make_mitigation
from gnomon.mitigations.memguard import BLOCK, Classifier, push
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


def test_memguard_defeats_the_confidence_attack_and_keeps_every_label():
    inside, outside = confident(500, 6.0, 10), confident(500, 2.0, 11)
    guard = make_mitigation("memguard:2").fit(owner(0), CLASSES, 3)
    before = confidence_auc(inside, outside)
    after = confidence_auc(guard(inside), guard(outside))
    assert before > 0.8
    assert abs(after - 0.5) < abs(before - 0.5) / 2
    for rows in (inside, outside):  # who reads labels alone sees what he saw before
        np.testing.assert_array_equal(guard(rows).argmax(axis=1), rows.argmax(axis=1))


@pytest.mark.parametrize("budget", [0.05, 0.3, 1.0])
def test_the_expected_distortion_is_within_the_budget(budget):
    rows = np.concatenate([confident(600, 6.0, 10), confident(600, 2.0, 11)])
    guard = make_mitigation(f"memguard:{budget}").fit(owner(0), CLASSES, 3)
    before = np.exp(rows.astype(np.float64))
    pushed = push(guard.classifier, before)
    distortion = np.abs(pushed - before).sum(axis=1)
    expected = guard.chance(before, pushed) * distortion
    assert expected.max() <= budget + 1e-9
    drawn = np.abs(np.exp(guard(rows).astype(np.float64)) - before).sum(axis=1)
    assert drawn.mean() <= budget + 4 * drawn.std() / np.sqrt(len(rows))
    changed = drawn > 1e-5
    np.testing.assert_allclose(drawn[changed], distortion[changed], atol=1e-4)
    assert changed.mean() == pytest.approx(guard.chance(before, pushed)[distortion > 1e-5].sum() / len(rows), abs=0.05)


def test_pushed_answers_lie_on_the_other_side_and_are_distributions():
    guard = make_mitigation("memguard:1").fit(owner(0), CLASSES, 3)
    before = np.exp(confident(BLOCK + 50, 6.0, 12).astype(np.float64))
    pushed = push(guard.classifier, before)
    np.testing.assert_allclose(pushed.sum(axis=1), 1, atol=1e-6)
    moved = np.abs(pushed - before).max(axis=1) > 1e-9
    assert moved.mean() > 0.8
    h, g = guard.classifier.logits(before), guard.classifier.logits(pushed)
    assert (h[moved] * g[moved] <= 0).all()


def test_the_classifier_s_slopes_are_its_logits_derivatives():
    rng = np.random.default_rng(0)
    net = Classifier(rng.normal(size=(CLASSES, 8)), rng.normal(size=8), rng.normal(size=8), 0.3)
    x = rng.random((BLOCK, CLASSES))
    _, slopes = net.logits_and_slopes(x)
    for j in range(CLASSES):
        step = np.zeros(CLASSES)
        step[j] = 1e-6
        numeric = (net.logits(x + step) - net.logits(x - step)) / 2e-6
        assert np.median(np.abs(numeric - slopes[:, j])) < 1e-6  # a kink may lie within the step


def test_an_empty_batch_and_answers_that_show_nothing():
    guard = make_mitigation("memguard:1").fit(owner(0), CLASSES, 3)
    assert guard(np.empty((0, CLASSES), np.float32)).shape == (0, CLASSES)
    hidden = guard(np.full((2, CLASSES), -np.inf, np.float32))
    np.testing.assert_allclose(np.exp(hidden).sum(axis=1), 1, atol=1e-5)


def test_memguard_needs_rows_of_both_kinds():
    full = known(CLASSES)
    nobody = full.reference[:0]
    with pytest.raises(UsageError, match=r"at least 2 of each, got 200 and 0; raise data.reference_size"):
        make_mitigation("memguard:1").fit(
            Known(full.members, full.member_labels, nobody, full.reference_labels[:0], nobody), CLASSES, 0
        )
    for text in ("memguard", "memguard:0", "memguard:2.5", "memguard-1"):
        with pytest.raises(UsageError, match="expected distortion must be a number > 0 and <= 2"):
            make_mitigation(text)
