"""Less of an answer: what is shown, worked out by hand."""

import numpy as np
import pytest
from tests.mitigations.answers import known

from gnomon.mitigations import make_mitigation
from gnomon.mitigations.answers import keep_label, normalise

ANSWER = np.log(np.array([[0.16, 0.5, 0.04, 0.3]], dtype=np.float32))


def shown(text, before=ANSWER, seed=0):
    return np.exp(make_mitigation(text).fit(known(before.shape[1]), before.shape[1], seed)(before))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("top2", [0, 0.5, 0, 0.3]),
        ("top2:renormalised", [0, 0.625, 0, 0.375]),
        ("top4", [0.16, 0.5, 0.04, 0.3]),
        ("labels", [0, 1, 0, 0]),
        ("round1", [0.2, 0.5, 0, 0.3]),
    ],
)
def test_by_hand(text, expected):
    np.testing.assert_allclose(shown(text), [expected], atol=1e-6)


def test_an_answer_of_zeros_becomes_even_and_a_tie_keeps_its_label() -> None:
    nothing = np.full((1, 4), -np.inf)
    np.testing.assert_allclose(np.exp(normalise(nothing)), 0.25)
    before = np.log(np.array([[0.2, 0.5, 0.3], [0.2, 0.3, 0.5]]))
    tied = np.log(np.full((2, 3), 1 / 3))
    kept = keep_label(tied, before)
    assert kept.argmax(axis=1).tolist() == [1, 2]
    np.testing.assert_allclose(kept, tied, atol=1e-6)
    assert (keep_label(before, before) == before).all()
