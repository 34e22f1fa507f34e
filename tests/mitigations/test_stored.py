"""Fitted mitigations come back from JSON bit by bit, and nothing else comes out of it."""

import json
import re

import numpy as np
import pytest
from tests.mitigations.answers import answers, extreme, known

from gnomon.core.errors import ModelError
from gnomon.core.mitigations import fit_in_order
from gnomon.mitigations import MITIGATIONS, make_mitigation
from gnomon.mitigations.stored import mitigation_from_json, mitigation_to_json

CLASSES = 7
EXAMPLES = [example for kind in MITIGATIONS if kind.acts_on == "answers" for example in kind.examples]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_mitigation_of_answers_comes_back_bit_by_bit(text: str) -> None:
    fitted = fit_in_order([make_mitigation(text), make_mitigation("temperature2")], known(CLASSES), CLASSES, 7)
    rows = np.concatenate([answers(40, CLASSES, 3), extreme(CLASSES)])
    stored = mitigation_to_json(fitted)
    again = mitigation_from_json(stored)
    np.testing.assert_array_equal(again(rows), fitted(rows))
    assert mitigation_to_json(again) == stored


FLAT = {"made": "Flattened", "t": 2.0}
NUMBERS = {"numbers": "float32", "values": [[0.0, -1.0]]}
CRAFTED = {
    "another kind": {"made": "Popen", "args": ["sh", "-c", "touch ran"]},
    "a path": {"made": "gnomon.models.plugins:import_object", "path": "os:system"},
    "no kind": {"t": 2.0},
    "a kind that is no text": {"made": ["Flattened"], "t": 2.0},
    "no mapping": [FLAT],
    "a part that is no mitigation": {"made": "InOrder", "maps": [{"made": "Classifier"}]},
    "another field": {**FLAT, "__class__": "x"},
    "a field less": {"made": "Disturbed", "deviation": 1.0},
    "text for a number": {"made": "Flattened", "t": "2"},
    "truth for a number": {"made": "Flattened", "t": True},
    "a word that is none of them": {"made": "Shown", "kind": "x", "amount": 1, "renormalised": False},
    "objects for numbers": {"made": "Ranked", "scores": {**NUMBERS, "numbers": "object"}, "seed": 1},
    "text for numbers": {"made": "Ranked", "scores": {**NUMBERS, "values": [["x"]]}, "seed": 1},
    "rows of several lengths": {"made": "Ranked", "scores": {**NUMBERS, "values": [[1.0], [1.0, 2.0]]}, "seed": 1},
    "no values": {"made": "Ranked", "scores": {"numbers": "float32"}, "seed": 1},
}


@pytest.mark.parametrize("what", CRAFTED)
def test_anything_else_is_refused_in_one_line(what: str) -> None:
    with pytest.raises(ModelError, match=re.escape("no fitted mitigation (")) as caught:
        mitigation_from_json(json.dumps(CRAFTED[what]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "null", "3", "[" * 100_000])
def test_broken_text_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ModelError, match="no fitted mitigation"):
        mitigation_from_json(text)
