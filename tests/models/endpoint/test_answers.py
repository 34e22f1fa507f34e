"""What a service may send in place of answers: read as what was declared, or refused in words; never a traceback."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ModelError
from gnomon.models.endpoint.answers import AnswerReader, BadAnswerError

Kind = Literal["probabilities", "map", "positive", "labels", "confidence"]
KINDS: tuple[Kind, ...] = get_args(Kind)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(10**400)
documents = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


@given(st.sampled_from(KINDS), st.lists(documents, max_size=3) | documents)
def test_anything_is_read_or_refused(kind: Kind, sent: Any) -> None:
    try:
        found = AnswerReader(kind, ("no", "yes")).read(sent, 2)
    except (BadAnswerError, ModelError):
        return
    assert found.shape == (2, 2)
    sums = np.exp(found.astype(float)).sum(axis=1)
    assert (sums <= 1 + 2e-3).all()
    assert kind == "confidence" or (sums >= 1 - 2e-3).all()


def test_logits_and_one_logit() -> None:
    logs = AnswerReader("probabilities", ("a", "b", "c"), "logits").read([[0.0, np.log(2), np.log(5)]], 1)
    np.testing.assert_allclose(np.exp(logs), [[0.125, 0.25, 0.625]], rtol=1e-6)
    one = AnswerReader("positive", ("a", "b"), "logits").read([np.log(3), [0.0]], 2)
    np.testing.assert_allclose(np.exp(one)[:, 1], [0.75, 0.5], rtol=1e-6)


def test_classes_as_numbers_and_truth_values() -> None:
    reader = AnswerReader("labels", ("0", "1"))
    assert reader.read([0, 1.0, "1", [1]], 4).argmax(axis=1).tolist() == [0, 1, 1, 1]
    assert AnswerReader("labels", ("False", "True")).read([True, False], 2).argmax(axis=1).tolist() == [1, 0]
    part = AnswerReader("map", ("a", "b", "c")).read([{"c": 0.25, "a": 0.75}], 1)
    np.testing.assert_allclose(np.exp(part), [[0.75, 0.0, 0.25]], rtol=1e-6)


def test_what_was_declared_is_described() -> None:
    assert "in the order no, yes" in AnswerReader("probabilities", ("no", "yes")).describe()
    assert 'of the class "yes"' in AnswerReader("positive", ("no", "yes")).describe()
    many = tuple(f"c{i}" for i in range(20))
    assert "and 14 more" in AnswerReader("labels", many).describe()


def test_a_label_and_its_probability_are_the_largest_only() -> None:
    reader = AnswerReader("confidence", ("no", "yes"))
    found = np.exp(reader.read([["yes", 0.75], {"score": 0.5, "label": "no"}, ["no", 1]], 3))
    np.testing.assert_allclose(found, [[0, 0.75], [0.5, 0], [1, 0]])
    with pytest.raises(ModelError, match="a label and its probability a record, got 'yes'"):
        reader.read(["yes"], 1)


def test_rounded_answers_are_read_where_the_plan_says_so() -> None:
    with pytest.raises(ModelError, match=r'say so: target.reveals = "rounded:2" or "top:3"'):
        AnswerReader("probabilities", ("a", "b", "c")).read([[0.3, 0.3, 0.3]], 1)
    found = AnswerReader("probabilities", ("a", "b", "c"), whole=False).read([[0.3, 0.3, 0.3]], 1)
    np.testing.assert_allclose(np.exp(found), [[0.3, 0.3, 0.3]], rtol=1e-6)
