"""What a toy world offers beyond answers follows from the answers, and from nothing that knows membership."""

import numpy as np

from gnomon.stats.signals import loss, scaled_logit
from gnomon.testing.access import CHECKPOINTS, STEP, ToyTarget, toy_course, toy_gradients, toy_inside

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 200)
ANSWERS = np.log(RNG.dirichlet(np.ones(3), 200)).astype(np.float32)
BITS = np.unique(RNG.integers(0, 2, (400, 12)), axis=0)[:200].astype(np.float32)


def test_a_known_row_gets_its_own_answer_and_a_strange_one_less_of_its_label() -> None:
    target = ToyTarget(BITS, LABELS, ANSWERS)
    np.testing.assert_allclose(target.ask(BITS), ANSWERS, atol=1e-5)
    flipped = BITS.copy()
    flipped[:, 0] = 1 - flipped[:, 0]
    apart = np.abs(flipped[:, None] - BITS[None]).sum(axis=2)
    answers = target.ask(flipped)
    np.testing.assert_allclose(np.exp(answers).sum(axis=1), 1, atol=1e-5)
    for i in np.flatnonzero(apart.min(axis=1) == 1)[:20]:
        near = apart[i].argmin()
        before = scaled_logit(ANSWERS[near : near + 1], LABELS[near : near + 1])[0]
        after = scaled_logit(answers[i : i + 1], LABELS[near : near + 1])[0]
        assert abs(before - STEP - after) < 1e-3
    assert target.asked == 2 * len(BITS)
    assert target.remaining is None


def test_a_course_ends_where_the_answers_are() -> None:
    course = toy_course(ANSWERS, LABELS, np.random.default_rng(1))
    assert course.shape == (200, CHECKPOINTS)
    np.testing.assert_allclose(course[:, -1], loss(ANSWERS, LABELS), rtol=1e-4, atol=1e-5)
    assert np.abs(course[:, 0] - course[:, -1]).max() > 0.5


def test_gradients_vanish_where_the_label_is_certain() -> None:
    certain = np.log(np.clip(np.eye(3)[LABELS], 1e-30, 1)).astype(np.float32)
    for name, norms in toy_gradients(certain, LABELS, np.random.default_rng(1)).items():
        assert norms.shape == (200,)
        assert (norms.max() < 1e-6) == (name != "activation")
    norms = toy_gradients(ANSWERS, LABELS, np.random.default_rng(1))
    np.testing.assert_allclose(norms["parameters"] ** 2, norms["layer.0"] ** 2 + norms["layer.2"] ** 2)


def test_the_last_layer_holds_the_loss_and_its_gradient() -> None:
    inside = toy_inside(ANSWERS, LABELS, np.random.default_rng(1))
    own = loss(ANSWERS, LABELS)
    np.testing.assert_allclose(inside[:, 0], own, rtol=1e-5)
    np.testing.assert_allclose(inside[:, 2], 1 - np.exp(-own), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(inside[:, 1], inside[:, 2] * np.sqrt(inside[:, 3] ** 2 + 1), rtol=1e-4, atol=1e-6)
    assert (inside[:, 4] <= inside[:, 5]).all()
