"""``/invocations``: what each form writes, and where predictions are read from."""

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("jmespath")

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import ModelError
from gnomon.models.endpoint.answers import BadAnswerError
from gnomon.models.endpoint.dialects.invocations import dialect
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import make_batch

BATCH = make_batch(pd.DataFrame({"age": [30, 41], "job": ["nu,rse", None]}))
ROWS = [[30, "nu,rse"], [41, None]]


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        (None, {"dataframe_split": {"columns": ["age", "job"], "data": ROWS}}),
        ("records", {"dataframe_records": [{"age": 30, "job": "nu,rse"}, {"age": 41, "job": None}]}),
        ("inputs", {"inputs": ROWS}),
        ("instances", {"instances": ROWS}),
    ],
)
def test_forms_of_json(form: str | None, wanted: object) -> None:
    request = dialect(RequestsPlan(form=form)).request(BATCH)  # type: ignore[arg-type]
    assert request.content_type == "application/json"
    assert json.loads(request.body or b"") == wanted


def test_csv_quotes_what_holds_a_comma_and_leaves_out_what_is_missing() -> None:
    bodies = [dialect(RequestsPlan(form=form)).request(BATCH) for form in ("csv", "csv_no_header")]
    assert {request.content_type for request in bodies} == {"text/csv"}
    assert [request.body for request in bodies] == [b'age,job\n30,"nu,rse"\n41,\n', b'30,"nu,rse"\n41,\n']


@pytest.mark.parametrize(
    ("body", "kind", "wanted"),
    [
        (b'{"predictions": [0.5, 0.25]}', "application/json", [0.5, 0.25]),
        (b"[[0.5, 0.5]]", "application/json", [[0.5, 0.5]]),
        (b"0.5,0.5\n0.25,0.75\n", "text/csv; charset=utf-8", [[0.5, 0.5], [0.25, 0.75]]),
        (b"0.5\n0.25\n", "text/csv", [0.5, 0.25]),
        (b"yes\nno\n", "text/csv", ["yes", "no"]),
    ],
)
def test_predictions_are_read_from_json_and_csv(body: bytes, kind: str, wanted: object) -> None:
    assert dialect(RequestsPlan()).answers(Response(body, kind), make_batch(np.zeros((2, 1)))) == wanted


def test_answers_that_are_none() -> None:
    with pytest.raises(BadAnswerError, match="expected csv of numbers"):
        dialect(RequestsPlan()).answers(Response(b"a,b\nc,d\n", "text/csv"), BATCH)
    with pytest.raises(ModelError, match="no predictions, but message, code"):
        dialect(RequestsPlan()).answers(Response(b'{"message": 1, "code": 2}', "application/json"), BATCH)
