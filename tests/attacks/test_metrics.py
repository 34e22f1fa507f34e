from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from gnomon.attacks import MetricThreshold
from gnomon.stats import signals
from gnomon.testing import gaussian_world, overfitted_world

Confidence, ConfidenceByClass = (partial(MetricThreshold, "confidence", by) for by in (False, True))
Entropy, EntropyByClass = (partial(MetricThreshold, "entropy", by) for by in (False, True))
ModifiedEntropy, ModifiedEntropyByClass = (partial(MetricThreshold, "modified_entropy", by) for by in (False, True))

PAIRS = [
    (Confidence, ConfidenceByClass, lambda p, y: signals.confidence(p, y)),
    (Entropy, EntropyByClass, lambda p, y: -signals.entropy(p, y)),
    (ModifiedEntropy, ModifiedEntropyByClass, lambda p, y: -signals.modified_entropy(p, y)),
]


def rng():
    return np.random.default_rng(0)


def balanced(values, member, threshold):
    return (np.mean(values[member] >= threshold) + np.mean(values[~member] < threshold)) / 2


def pooled(evidence, signal):
    pool = evidence.pool
    values = np.stack([signal(pool.of_shadow(i), pool.labels) for i in range(pool.n_shadows)])
    return values, np.broadcast_to(pool.labels, values.shape)


@pytest.mark.parametrize(("common", "by_class", "signal"), PAIRS)
def test_thresholds_a_class_are_the_best_on_the_shadows(common, by_class, signal):
    """The slow twin tries every shadow value of a class as its threshold, as Song and Mittal do."""
    evidence = overfitted_world(rng(), n=120, m=3, c=3).evidence
    values, labels = pooled(evidence, signal)
    member = evidence.pool.member
    shift = common().score(evidence, rng()) - by_class().score(evidence, rng())
    for c in range(3):
        thresholds = np.unique(shift[evidence.labels == c].round(9))
        assert len(thresholds) == 1
        own, inside = values[labels == c], member[labels == c]
        best = max(balanced(own, inside, v) for v in own)
        assert balanced(own, inside, thresholds[0]) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize(("common", "by_class", "signal"), PAIRS)
def test_the_common_score_is_the_metric(common, by_class, signal):
    evidence = gaussian_world(rng()).evidence
    np.testing.assert_array_equal(common().score(evidence, rng()), signal(evidence.answers, evidence.labels))
    assert by_class().notes(evidence) == []


def test_a_class_without_shadow_members_takes_the_common_threshold_and_is_named():
    evidence = overfitted_world(rng(), n=200, m=2, c=4).evidence
    member = evidence.pool.member & (evidence.pool.labels != 2)
    evidence = replace(evidence, pool=replace(evidence.pool, member=member))
    attack = ModifiedEntropyByClass()
    assert attack.notes(evidence) == ["classes without shadow members or non-members take the common threshold: 2"]
    shift = ModifiedEntropy().score(evidence, rng()) - attack.score(evidence, rng())
    values, _ = pooled(evidence, PAIRS[2][2])
    best = max(balanced(values, member, v) for v in values.ravel())
    of_class = shift[evidence.labels == 2]
    assert balanced(values, member, of_class[0]) == pytest.approx(best, abs=1e-12)


def test_unusable_rows_are_not_used():
    evidence = overfitted_world(rng(), n=200, m=2).evidence
    usable = np.arange(200) % 2 == 0
    cut = replace(evidence.pool, usable=np.broadcast_to(usable, (2, 200)))
    poisoned = [answers[evidence.pool.rows].copy() for answers in cut.answers]
    for answers in poisoned:
        answers[~usable] = np.nan
    bare = replace(cut, answers=poisoned, rows=np.arange(200))
    for _, by_class, _ in PAIRS:
        one = by_class().score(replace(evidence, pool=cut), rng())
        two = by_class().score(replace(evidence, pool=bare), rng())
        np.testing.assert_array_equal(one, two)


def test_a_class_where_everybody_is_accused_keeps_finite_scores():
    evidence = overfitted_world(rng(), n=100, m=1, c=2).evidence
    flipped = replace(evidence.pool, member=~evidence.pool.member)  # members look worse: accuse all or nobody
    for _, by_class, _ in PAIRS:
        assert np.isfinite(by_class().score(replace(evidence, pool=flipped), rng())).all()
