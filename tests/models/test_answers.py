import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.arrays import take_rows
from gnomon.core.errors import ModelError
from gnomon.core.protocols import Model
from gnomon.models import AnswersModel

LOGS = np.log(np.random.default_rng(0).dirichlet(np.ones(3), size=40)).astype(np.float32)
ARRAY = np.random.default_rng(1).integers(0, 2, size=(40, 24)).astype(np.uint8)
FRAME = pd.DataFrame({"age": np.arange(40), "town": ["a", None] * 20, "pay": np.linspace(0, 1, 40)})


@pytest.mark.parametrize("x", [ARRAY, ARRAY.reshape(40, 4, 6), FRAME], ids=["array", "images", "frame"])
@given(rows=st.lists(st.integers(0, 39), max_size=60))
def test_rows_are_found_in_any_order(x, rows):
    model = AnswersModel(x, LOGS)
    rows = np.array(rows, dtype=np.int64)
    assert np.array_equal(model.log_probs(take_rows(x, rows)).reshape(-1, 3), LOGS[rows])


def test_it_is_a_model():
    model = AnswersModel(ARRAY, LOGS)
    assert isinstance(model, Model)
    assert model.n_classes == 3
    assert np.array_equal(model.log_probs(ARRAY.astype(np.float32)), LOGS)


def test_other_rows_have_no_answer():
    with pytest.raises(ModelError, match=r"row 1 has no answer.*no further queries"):
        AnswersModel(ARRAY, LOGS).log_probs(np.stack([ARRAY[3], np.full(24, 7)]))


def test_equal_rows_must_have_equal_answers():
    x = ARRAY.copy()
    x[7] = x[3]
    same = LOGS.copy()
    same[7] = same[3]
    assert np.array_equal(AnswersModel(x, same).log_probs(x[[7, 3]]), same[[7, 3]])
    with pytest.raises(ModelError, match="more than once, with different answers"):
        AnswersModel(x, LOGS).log_probs(x[[7]])
    assert np.array_equal(AnswersModel(x, LOGS).log_probs(x), LOGS)


@pytest.mark.parametrize("answers", [LOGS[:39], LOGS + 1, np.full((40, 3), np.nan), LOGS[:, 0]])
def test_answers_are_checked(answers):
    with pytest.raises(ModelError):
        AnswersModel(ARRAY, answers)
