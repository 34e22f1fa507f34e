"""A request of the user's own: what is put where, and answers in another order."""

import json

import numpy as np
import pytest

pytest.importorskip("jmespath")

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import ModelError, UsageError
from gnomon.models.endpoint.answers import BadAnswerError
from gnomon.models.endpoint.dialects.template import Template, dialect
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import make_batch

BATCH = make_batch(np.array([[1.0, 2.0], [3.0, 4.0]]))


def made(request: str, answer: str = "out", **more: str) -> Template:
    return dialect(RequestsPlan(request=request, answer=answer, **more))  # type: ignore[arg-type]


def sent(template: Template, batch: object = BATCH) -> object:
    return json.loads(template.request(batch).body or b"")  # type: ignore[arg-type]


def test_many_rows_in_one_request() -> None:
    template = made('{"deep": [{"x": "{rows}"}], "names": "{columns}", "ids": "{ids}", "version": 2, "t": "rows"}')
    assert template.most() is None
    assert sent(template) == {
        "deep": [{"x": [[1.0, 2.0], [3.0, 4.0]]}],
        "names": ["x0", "x1"],
        "ids": list(BATCH.ids),
        "version": 2,
        "t": "rows",
    }
    assert sent(made('["{records}"]')) == [[{"x0": 1.0, "x1": 2.0}, {"x0": 3.0, "x1": 4.0}]]


def test_one_row_a_request_and_what_it_is_answered() -> None:
    one = make_batch(np.array([[1.0, 2.0]]))
    template = made('{"row": "{row}", "record": "{record}", "id": "{id}"}')
    assert template.most() == 1
    assert sent(template, one) == {"row": [1.0, 2.0], "record": {"x0": 1.0, "x1": 2.0}, "id": one.ids[0]}
    for answer, wanted in (([0.5, 0.5], [[0.5, 0.5]]), ([[0.5, 0.5]], [[0.5, 0.5]]), ({"a": 1}, [{"a": 1}])):
        body = json.dumps({"out": answer}).encode()
        assert template.answers(Response(body, "application/json"), one) == wanted


def test_answers_are_put_in_order_by_their_ids() -> None:
    template = made('{"x": "{rows}", "ids": "{ids}"}', "out[].p", answer_ids="out[].id")
    first, second = BATCH.ids

    def response(*ids: str) -> Response:
        found = [{"id": name, "p": i} for i, name in enumerate(ids)]
        return Response(json.dumps({"out": found}).encode(), "application/json")

    assert template.answers(response(second, first), BATCH) == [1, 0]
    for strange in ((first,), (first, first), (first, "x")):
        with pytest.raises(BadAnswerError, match="not those that were sent"):
            template.answers(response(*strange), BATCH)
    with pytest.raises(ModelError, match="must lead to lists"):
        made('{"x": "{rows}", "ids": "{ids}"}', "a", answer_ids="a").answers(Response(b'{"a": 3}', ""), BATCH)


@pytest.mark.parametrize("request_", ['{"a": "{rows}", "b": "{row}"}', '{"a": "x{rows}"}', "[]"])
def test_a_template_needs_one_place_for_rows(request_: str) -> None:
    with pytest.raises(UsageError, match=r"expected \"\{rows\}\" or"):
        made(request_)
