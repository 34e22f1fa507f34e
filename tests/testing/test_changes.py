"""Changes to evidence touch what they say, and leave what they were given as it was."""

from dataclasses import replace

import numpy as np

from gnomon.core.evidence import Evidence
from gnomon.stats.signals import scaled_logit
from gnomon.testing import gaussian_world
from gnomon.testing.changes import change_truth, extreme_masks, permute_shadows, poison, saturate


def evidence(view: str = "auditor") -> Evidence:
    return gaussian_world(np.random.default_rng(0), n=30, m=4, view=view).evidence


def test_another_order_of_shadows_is_the_same_shadows() -> None:
    before, order = evidence(), np.array([2, 0, 3, 1])
    after = permute_shadows(before, order)
    np.testing.assert_array_equal(after.require("shadows").member, before.require("shadows").member[order])
    np.testing.assert_array_equal(after.require("pool").of_shadow(1), before.require("pool").of_shadow(0))


def test_poison_reaches_every_part_that_was_not_declared() -> None:
    before = evidence()
    after = poison(before, frozenset({"answers"}))
    np.testing.assert_array_equal(after.answers, before.answers)
    for i in range(4):
        assert np.isnan(after.require("shadows").of_shadow(i)).all()
        assert np.isnan(after.require("pool").of_shadow(i)).all()
    assert np.isnan(after.require("population").answers).all()
    assert np.isnan(after.require("x")).all()
    assert before.gradients and all(np.isnan(norms).all() for norms in after.require("gradients").values())
    assert before.observed and all(np.isnan(values).all() for values in after.observed.values())
    assert (after.query, after.insider) == (None, None)
    assert not np.isnan(before.require("shadows").of_shadow(0)).any(), "what was given stays"


def test_offline_needs_poison_members_only() -> None:
    before = evidence()
    after = poison(before, frozenset({"answers", "shadows_out"})).require("shadows")
    signal = after.signal(scaled_logit)
    np.testing.assert_array_equal(np.isnan(signal), after.member)


def test_labels_alone_keep_the_label_and_nothing_else() -> None:
    before = evidence()
    after = poison(before, frozenset({"labels"})).require("answers")
    np.testing.assert_array_equal(after.argmax(axis=1), before.require("answers").argmax(axis=1))
    assert len(np.unique(after)) == 2


def test_saturated_answers_are_exactly_zero_or_one() -> None:
    before, rows = evidence(), np.arange(30) < 7
    after = saturate(before, rows)
    assert set(np.unique(np.exp(after.require("answers")[rows]))) == {0.0, 1.0}
    np.testing.assert_array_equal(after.require("answers")[~rows], before.require("answers")[~rows])
    assert set(np.unique(np.exp(after.require("shadows").of_shadow(2)[rows]))) == {0.0, 1.0}


def test_extreme_masks_put_a_third_into_all_and_a_third_into_no_shadow() -> None:
    after = extreme_masks(evidence()).require("shadows").member
    assert after[:, :10].all()
    assert not after[:, 10:20].any()
    assert after[:, 20:].any() and not after[:, 20:].all()
    assert not extreme_masks(evidence("adversary")).require("shadows").member.any(), "offline stays offline"


def test_another_truth_changes_the_judged_half_only() -> None:
    before = evidence()
    after = change_truth(before, 0, np.random.default_rng(3))
    insider = before.require("insider")
    judged, changed = insider.judged(0), after.require("insider").truth
    others = np.setdiff1d(np.arange(30), judged)
    np.testing.assert_array_equal(changed[others], insider.truth[others])
    assert (changed[judged] != insider.truth[judged]).any()
    assert change_truth(replace(before, insider=None), 0, np.random.default_rng(3)).insider is None
