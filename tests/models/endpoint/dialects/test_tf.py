"""``:predict`` with instances."""

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("jmespath")

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import ModelError
from gnomon.models.endpoint.dialects.tf import dialect
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import make_batch

BATCH = make_batch(pd.DataFrame({"age": [30, 41], "job": ["nurse", None]}))


def test_rows_are_lists_or_objects() -> None:
    for form, wanted in (
        (None, [[30, "nurse"], [41, None]]),
        ("records", [{"age": 30, "job": "nurse"}, {"age": 41, "job": None}]),
    ):
        body = dialect(RequestsPlan(form=form)).request(BATCH).body
        assert json.loads(body or b"") == {"instances": wanted}


def test_predictions_are_read_where_they_stand_or_where_the_plan_says() -> None:
    answer = Response(b'{"predictions": [[0.25, 0.75]], "out": {"p": [1]}}', "application/json")
    one = make_batch(np.zeros((1, 2)))
    assert dialect(RequestsPlan()).answers(answer, one) == [[0.25, 0.75]]
    assert dialect(RequestsPlan(answer="out.p")).answers(answer, one) == [1]


@pytest.mark.parametrize("body", [b"[1, 2]", b'{"error": "busy"}'])
def test_an_answer_without_predictions_says_how_to_name_their_place(body: bytes) -> None:
    with pytest.raises(ModelError, match=r"no predictions.*requests\.answer"):
        dialect(RequestsPlan()).answers(Response(body, "application/json"), BATCH)
