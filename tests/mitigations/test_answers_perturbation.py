"""Temperature and noise, against numbers worked out by hand and the spread that was wanted."""

import numpy as np
import pytest
from tests.mitigations.answers import answers, known

from gnomon.core.arrays import check_log_probs
from gnomon.mitigations import make_mitigation
from gnomon.mitigations.answers import draw_uniform

ANSWER = np.log(np.array([[0.16, 0.5, 0.04, 0.3]], dtype=np.float32))


def shown(text, before=ANSWER, seed=0):
    return np.exp(make_mitigation(text).fit(known(before.shape[1]), before.shape[1], seed)(before))


@pytest.mark.parametrize(
    ("text", "expected"), [("temperature1", [0.16, 0.5, 0.04, 0.3]), ("temperature:1e12", [0.25] * 4)]
)
def test_the_ends_of_temperature(text: str, expected: list[float]) -> None:
    np.testing.assert_allclose(shown(text), [expected], atol=1e-6)


def test_temperature_is_a_softmax_of_logits_over_t():
    powers = np.exp(ANSWER) ** (1 / 5)
    np.testing.assert_allclose(shown("temperature5"), powers / powers.sum(), atol=1e-6)


def test_noise_has_the_spread_that_was_asked_for_and_is_another_model_s_own():
    before = np.tile(np.log(np.full(10, 0.1, dtype=np.float32)), (4000, 1)) + answers(4000, 10, 0, sharpness=0.2) * 0.2
    before -= np.log(np.exp(before).sum(axis=1, keepdims=True))
    after = shown("noise:0.01", before, seed=1)
    change = (after - np.exp(before)).ravel()
    assert np.std(change) == pytest.approx(0.01 * np.sqrt(0.9), rel=0.05)  # the sum is held at 1
    assert abs(change.mean()) < 1e-6
    assert np.corrcoef(change, (shown("noise:0.01", before, seed=2) - np.exp(before)).ravel())[0, 1] < 0.03
    check_log_probs(np.log(after), rows=4000, classes=10, source="noise")


def test_chance_of_an_answer_is_uniform_and_ignores_its_last_bits():
    before = answers(20_000, 5, 0)
    draws = draw_uniform(before, 4, seed=11)
    assert draws.min() > 0
    assert draws.max() < 1
    counts = np.histogram(draws, bins=50, range=(0, 1))[0]
    assert ((counts - 1600) ** 2 / 1600).sum() < 90  # chi-square, 49 degrees of freedom, 99.97 %
    assert np.abs(np.corrcoef(draws.T) - np.eye(4)).max() < 0.03
    assert (draw_uniform(before * np.float32(1 + 1e-7), 4, seed=11) == draws).all(axis=1).mean() > 0.99
    assert (draw_uniform(before, 4, seed=12) == draws).mean() == 0
