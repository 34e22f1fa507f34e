"""Open Inference Protocol: tensors that metadata asks for, and outputs that are read."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("jmespath")

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import ModelError
from gnomon.models.endpoint.answers import BadAnswerError
from gnomon.models.endpoint.dialects.oip import Oip, dialect
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import make_batch

URL = "http://h/v2/models/m/infer"
BATCH = make_batch(pd.DataFrame({"age": [30, 41], "ill": [True, False]}))


def learned(metadata: Any, **plan: Any) -> Oip:
    made = dialect(RequestsPlan(**plan))
    made.learn(URL, lambda address: {"http://h/v2/models/m": metadata}[address])
    return made


def tensor(name: str, datatype: str, *shape: int) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(shape)}


def sent(made: Oip, batch: Any = BATCH) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made.request(batch).body or b"")
    return found


def test_metadata_is_said_in_words_and_names_the_version() -> None:
    metadata = {"name": "m", "platform": "onnx", "versions": ["7"], "inputs": [tensor("x", "fp32", 8, 2)]}
    made = dialect(RequestsPlan())
    assert made.learn(URL, lambda _: metadata) == [
        "model m, onnx",
        "inputs: x (FP32 [8, 2])",
        "outputs: not named in its metadata",
    ]
    assert made.most() == 8, "a fixed first dimension is the most rows of a request"
    assert "7" in made.version()
    assert learned({**metadata, "inputs": [tensor("x", "fp32", -1, 2)]}).most() is None


def test_an_address_or_an_output_that_is_none() -> None:
    with pytest.raises(ModelError, match="ends with /infer"):
        dialect(RequestsPlan()).learn("http://h/predict", lambda _: {})
    with pytest.raises(ModelError, match=r'no output "p" \(its metadata has label\)'):
        learned({"outputs": [tensor("label", "INT64", -1)]}, output="p")


def test_columns_are_cast_and_never_rounded() -> None:
    made = learned({"inputs": [tensor("ill", "BOOL", -1), tensor("age", "FP32", -1, 1)]})
    inputs = sent(made)["inputs"]
    assert [(t["name"], t["shape"], t["data"]) for t in inputs] == [
        ("ill", [2], [True, False]),
        ("age", [2, 1], [30.0, 41.0]),
    ]
    with pytest.raises(ModelError, match=r'"ill" takes BOOL, but a row has 30'):
        sent(
            learned({"inputs": [tensor("ill", "BOOL", -1), tensor("age", "BOOL", -1)]}),
            make_batch(pd.DataFrame({"age": [1], "ill": [30]})),
        )
    with pytest.raises(ModelError, match=r"takes 3 inputs .* 2 columns"):
        sent(learned({"inputs": [tensor(name, "FP32", -1) for name in "abc"]}))


def test_without_metadata_numbers_are_one_tensor() -> None:
    inputs = sent(learned({}), make_batch(np.array([[1.0, np.nan]])[:, :1]))["inputs"]
    assert inputs == [{"name": "input-0", "shape": [1, 1], "datatype": "FP64", "data": [1.0]}]


def answer(*outputs: dict[str, Any], **more: Any) -> Response:
    return Response(json.dumps({"outputs": list(outputs), **more}).encode(), "application/json")


def output(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


LABELS = output("label", "INT64", [2], [0, 1])
SHARES = output("p", "FP32", [2, 2], [0.25, 0.75, 0.5, 0.5])


def test_the_only_output_of_fractions_is_read_or_the_named_one() -> None:
    assert learned({}).answers(answer(LABELS, SHARES), BATCH) == [[0.25, 0.75], [0.5, 0.5]]
    assert learned({}, output="label").answers(answer(LABELS, SHARES), BATCH) == [0, 1]
    with pytest.raises(ModelError, match=r"requests\.output \(it answered with p, q\)"):
        learned({}).answers(answer(SHARES, {**SHARES, "name": "q"}), BATCH)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(SHARES, id="another"), "another request"),
        (answer({**SHARES, "shape": [3, 2]}), r"shape \[3, 2\] with 4 values"),
        (answer({**SHARES, "data": None}), "without data and shape"),
    ],
)
def test_answers_that_may_come_right_when_asked_again(response: Response, words: str) -> None:
    with pytest.raises(BadAnswerError, match=words):
        learned({}).answers(response, BATCH)
