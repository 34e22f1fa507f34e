import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from gnomon.attacks import Gap, Shokri, shokri
from gnomon.core.errors import DataError, UsageError
from gnomon.stats.roc import auc
from gnomon.stats.samples import split_scores
from gnomon.testing import gaussian_world, overfitted_world

QUICK = Shokri(epochs=10, min_rows=20)
LINEAR = Shokri(classifier=LogisticRegression(), min_rows=20)


def rng(seed=0):
    return np.random.default_rng(seed)


def area_of(attack, world):
    return auc(*split_scores(attack.score(world.evidence, rng()), world.member), confidence=0.999)


def accuracy(attack, world):
    says_member = attack.score(world.evidence, rng()) >= attack.threshold
    return np.mean(says_member == world.member)


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it fails, as where it is not installed


@pytest.mark.parametrize("features", ["largest", "sorted", "vector"])
def test_it_beats_the_gap_attack(features):
    world = overfitted_world(rng(1), n=2000, m=4)
    assert accuracy(replace(QUICK, features=features), world) > accuracy(Gap(), world) + 0.1


def test_it_learns_a_law_that_no_threshold_can_follow():
    """Members lie in the middle, non-members on both sides of them."""
    world = overfitted_world(rng(2), n=4000, m=4)
    assert area_of(QUICK, world).value > auc(*split_scores(-world.evidence.answers.max(axis=1), world.member)).value
    assert area_of(QUICK, world).low > 0.95


def test_it_comes_near_the_best_auc():
    world = gaussian_world(rng(3), n=4000, m=4)
    area = area_of(Shokri(epochs=10), world)
    assert area.low <= world.auc <= area.high + 0.01


def test_without_torch_a_scikit_learn_network_does_the_same(without_torch):
    world = overfitted_world(rng(1), n=1000, m=4, c=3)
    assert accuracy(QUICK, world) > accuracy(Gap(), world) + 0.1
    assert "torch is not installed" in QUICK.notes(world.evidence)[0]


@pytest.mark.parametrize(
    "attack",
    [
        LINEAR,
        Shokri(classifier=RandomForestClassifier(20), min_rows=20),
        Shokri(classifier="ensemble:RandomForestClassifier", params={"n_estimators": 20}, min_rows=20),
        Shokri(classifier="sklearn.naive_bayes:GaussianNB", min_rows=20),
    ],
)
def test_any_classifier_will_do(attack):
    world = overfitted_world(rng(1), n=600, m=4)
    assert accuracy(attack, world) > 0.8
    scores = attack.score(world.evidence, rng())
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, attack.score(world.evidence, rng()))


def test_a_classifier_is_cloned_and_never_fitted_itself():
    classifier = LogisticRegression()
    Shokri(classifier=classifier).score(overfitted_world(rng()).evidence, rng())
    assert not hasattr(classifier, "coef_")


def test_small_classes_are_named_and_judged_by_a_common_model():
    evidence = overfitted_world(rng(4), n=1000, m=4, c=4).evidence
    usable = evidence.pool.usable & (evidence.pool.labels != 3)
    evidence = replace(evidence, pool=replace(evidence.pool, usable=usable))
    for attack in (QUICK, LINEAR):
        assert attack.notes(evidence)[1].endswith("judged by one model of all classes: 3")
    world = overfitted_world(rng(4), n=1000, m=4, c=4)
    scores = QUICK.score(evidence, rng())
    of_class = evidence.labels == 3
    area = auc(*split_scores(scores[of_class], world.member[of_class]))
    assert area.low > 0.8


def test_a_class_of_one_kind_only_is_small_too():
    evidence = overfitted_world(rng(4), n=1000, m=4, c=4).evidence
    member = evidence.pool.member | (evidence.pool.labels == 1)
    evidence = replace(evidence, pool=replace(evidence.pool, member=member))
    assert QUICK.notes(evidence)[1].endswith(": 1")
    assert np.isfinite(QUICK.score(evidence, rng())).all()


def test_one_kind_of_rows_altogether_is_refused():
    evidence = overfitted_world(rng(4)).evidence
    evidence = replace(evidence, pool=replace(evidence.pool, member=np.ones_like(evidence.pool.member)))
    with pytest.raises(DataError, match="shadow rows of both kinds, got 3200 in and 0 out"):
        QUICK.score(evidence, rng())


@pytest.mark.parametrize("attack", [QUICK, LINEAR])
def test_unequal_numbers_of_in_and_out_do_not_move_the_threshold(attack):
    """Nine of ten outsiders are dropped: an attack model that is not corrected would accuse nearly everybody."""
    world = gaussian_world(rng(5), n=4000, m=4, c=2, gap=1.0, spread=1.0)
    pool = world.evidence.pool
    usable = pool.member | (rng(6).random(pool.member.shape) < 0.1)
    skewed = replace(world.evidence, pool=replace(pool, usable=usable))
    accused = {n: np.mean(attack.score(e, rng()) >= 0) for n, e in (("even", world.evidence), ("skewed", skewed))}
    assert accused["even"] == pytest.approx(0.5, abs=0.07)
    assert accused["skewed"] == pytest.approx(accused["even"], abs=0.07)


def test_no_class_is_learned_from_more_rows_than_asked():
    evidence = overfitted_world(rng(), n=1000, m=7, c=3).evidence
    known = shokri._known_rows(evidence.pool, Shokri(max_rows=70), rng())
    for c in range(3):
        of_class = known.labels == c
        assert of_class.sum() == 70
        assert known.member[of_class].sum() == 35
    assert len(shokri._known_rows(evidence.pool, Shokri(), rng()).labels) == 7000


def test_unusable_and_hidden_answers_never_reach_a_score():
    evidence = overfitted_world(rng(), n=400, m=3).evidence
    pool = evidence.pool
    usable = rng(1).random(pool.member.shape) < 0.8
    poisoned = []
    for i, answers in enumerate(pool.answers):
        own = answers.copy()
        own[pool.rows[~usable[i]]] = np.nan
        poisoned.append(own)
    clean = LINEAR.score(replace(evidence, pool=replace(pool, usable=usable)), rng())
    np.testing.assert_array_equal(
        LINEAR.score(replace(evidence, pool=replace(pool, usable=usable, answers=poisoned)), rng()), clean
    )


def test_sure_attack_models_do_not_tie():
    world = overfitted_world(rng(7), n=2000, m=4)
    scores = QUICK.score(world.evidence, rng())
    assert len(np.unique(scores)) > 0.99 * len(scores)


def test_the_features_say_what_they_promise():
    log_probs = np.log(np.array([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]], dtype=np.float32))
    labels = np.array([1, 0])
    np.testing.assert_allclose(shokri.features_of("vector", log_probs, labels), np.exp(log_probs))
    expected = np.log([[0.7, 0.2, 0.1, 7 / 3], [0.5, 0.25, 0.25, 1]])
    for kind in ("sorted", "largest"):
        np.testing.assert_allclose(shokri.features_of(kind, log_probs, labels), expected, rtol=1e-5, atol=1e-6)
    wide = np.log(np.full((2, 20), 0.05, dtype=np.float32))
    assert shokri.features_of("largest", wide, labels).shape == (2, 6)
    assert shokri.features_of("sorted", wide, labels).shape == (2, 21)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "raw"}, "expected features largest, sorted, vector, got 'raw'"),
        ({"hidden": 0}, "expected hidden to be a whole number of 1 or more, got 0"),
        ({"epochs": 2.5}, "expected epochs to be a whole number"),
        ({"min_rows": True}, "expected min_rows"),
        ({"learning_rate": 0}, "positive learning_rate"),
        ({"params": {"C": 1}}, "params belong to a classifier that is given by name"),
        ({"classifier": "ensemble:Forest"}, "no public classifier"),
        ({"classifier": "nowhere:Forest"}, "no public classifier"),
        ({"classifier": "os:system"}, "no public classifier"),
        ({"classifier": "utils._testing:check_output", "params": {"args": ["true"]}}, "no public classifier"),
        ({"classifier": "linear_model:LogisticRegression", "params": {"c": 1}}, 'no parameter "c"'),
        ({"classifier": LinearSVC()}, "fit and predict_proba"),
        ({"classifier": LogisticRegression}, "fit and predict_proba"),
        ({"classifier": 3}, "fit and predict_proba, got 3"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Shokri(**options)
