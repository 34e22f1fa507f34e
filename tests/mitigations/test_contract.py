"""Every mitigation of answers x every clause that all of them must keep."""

import pickle

import numpy as np
import pytest
from tests.mitigations.answers import answers, extreme, known

from gnomon.core.errors import UsageError
from gnomon.core.mitigations import AnswerMap
from gnomon.mitigations import MITIGATIONS, make_mitigation

CLASSES = 7
OF_ANSWERS = [make_mitigation(text) for m in MITIGATIONS if m.acts_on == "answers" for text in m.examples]
every = pytest.mark.parametrize("mitigation", OF_ANSWERS, ids=lambda m: m.label)


def fitted(mitigation, seed=3):
    return mitigation.fit(known(CLASSES), CLASSES, seed)


def rows():
    return np.concatenate([answers(60, CLASSES, 5), extreme(CLASSES)])


@pytest.mark.parametrize("kind", MITIGATIONS, ids=lambda kind: kind.name)
def test_says_who_it_is_and_reads_its_own_label(kind):
    assert kind.title and kind.paper and kind.__doc__ and kind.acts_on in ("answers", "training")
    assert kind.examples
    for text in kind.examples:
        mitigation = make_mitigation(text)
        assert type(mitigation) is kind
        assert make_mitigation(mitigation.label) == mitigation
        assert mitigation.label.startswith(kind.name)
        assert pickle.loads(pickle.dumps(mitigation)) == mitigation  # noqa: S301 - our own bytes


@every
def test_probabilities_stay_probabilities(mitigation):
    before = rows()
    kept = before.copy()
    fit = fitted(mitigation)
    after = fit(before)
    assert isinstance(fit, AnswerMap)
    assert (before == kept).all()
    assert after.shape == before.shape
    assert after.dtype == np.float32
    probabilities = np.exp(after.astype(np.float64))
    assert not np.isnan(after).any()
    assert probabilities.max() <= 1 + 1e-6
    if mitigation.name not in ("top", "round") or getattr(mitigation, "renormalised", False):
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-3)


@every
def test_an_answer_is_mitigated_the_same_way_whoever_asks_beside_it(mitigation):
    before = rows()
    fit = fitted(mitigation)
    after = fit(before)
    np.testing.assert_array_equal(fit(before), after)
    order = np.random.default_rng(0).permutation(len(before))
    np.testing.assert_array_equal(fit(before[order]), after[order])
    for i in range(0, len(before), 9):
        np.testing.assert_array_equal(fit(before[i : i + 1])[0], after[i])
    assert fit(before[:0]).shape == (0, CLASSES)


@every
def test_the_seed_decides_and_nothing_else_does(mitigation):
    before = rows()
    np.testing.assert_array_equal(fitted(mitigation, 3)(before), fitted(mitigation, 3)(before))


@every
def test_the_label_is_kept_where_it_is_promised(mitigation):
    before = np.concatenate([rows(), answers(500, CLASSES, 9, sharpness=0.3)])
    changed = (fitted(mitigation)(before).argmax(axis=1) != before.argmax(axis=1)).sum()
    if mitigation.keeps_label:
        assert changed == 0


@every
def test_a_fitted_mitigation_can_be_sent_to_a_worker(mitigation):
    fit = fitted(mitigation)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fit))(rows()), fit(rows()))  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("top", 'entries to keep must be a whole number >= 1, got none: write it behind the name, as in "top:NUMBER"'),
        ("top0", 'entries to keep must be a whole number >= 1, got "0"'),
        ("top-3", 'must be a whole number >= 1, got "-3"'),
        ("top2.5", 'must be a whole number >= 1, got "2.5"'),
        ("top3:renormalized", 'expected top:K or top:K:renormalised, got "top:3:renormalized"'),
        ("labels:3", '"labels" has no strength, got "3"'),
        ("round0", 'decimals must be a whole number >= 1, got "0"'),
        ("temperature-5", 't must be a number > 0, got "-5"'),
        ("temperature0", 't must be a number > 0, got "0"'),
        ("temperature:nan", 't must be a number > 0, got "nan"'),
        ("temperature:inf", 't must be a number > 0, got "inf"'),
        ("noise:-1", 'standard deviation must be a number > 0, got "-1"'),
        ("tops3", 'no mitigation is called "tops" (did you mean "top"?)'),
        ("", 'no mitigation is called ""'),
    ],
)
def test_a_strength_that_cannot_be_is_refused_in_one_line(text, line):
    with pytest.raises(UsageError) as caught:
        make_mitigation(text)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_more_entries_than_classes_are_refused_when_the_classes_are_known():
    with pytest.raises(UsageError, match="8 entries to keep, but there are only 7 classes"):
        fitted(make_mitigation("top8"))
