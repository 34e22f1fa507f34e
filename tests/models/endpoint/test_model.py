"""Dialects against a real server, and a hostile one: nothing is lost, nothing is answered twice, budgets hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.models.endpoint.servers import Service, serving

pytest.importorskip("httpx")
pytest.importorskip("tenacity")
pytest.importorskip("jmespath")

from gnomon.core.documents.endpoint import PROTOCOLS, RequestsPlan
from gnomon.core.errors import BudgetError, GnomonError, ModelError, UsageError
from gnomon.core.protocols import Told
from gnomon.models.endpoint.dialects import make_dialect
from gnomon.models.endpoint.headers import Headers
from gnomon.models.endpoint.model import EndpointModel

SECRET = "tok-5ecret/+payload"
FAST: dict[str, Any] = {"backoff": 0.002, "timeout": 2.5, "batch": 50}
TEMPLATE = {
    "request": '{"rows": "{rows}", "ids": "{ids}"}',
    "answer": "results[].p",
    "answer_ids": "results[].id",
}
META = {
    "name": "m",
    "versions": ["3"],
    "platform": "sklearn",
    "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 3]}],
    "outputs": [{"name": "out", "datatype": "FP64", "shape": [-1, 2]}],
}


def logistic(rows: list[list[Any]]) -> np.ndarray:
    """Probabilities that depend on each column."""
    margin = np.asarray(rows, dtype=float) @ np.array([1.0, -2.0, 0.5])
    second = 1 / (1 + np.exp(-margin))
    return np.column_stack([1 - second, second])


def rows(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3)).round(6)


def model(url: str, protocol: Any = "invocations", of: tuple[str, ...] = ("0", "1"), **more: Any) -> EndpointModel:
    given = {key: more.pop(key) for key in ("budget", "folder", "told", "outputs") if key in more}
    headers = Headers({"Authorization": f"Bearer {SECRET}"}, (SECRET,))
    plan = RequestsPlan(**{**FAST, **more})
    plan.check_for(protocol)
    path = "/v2/models/m/infer" if protocol == "oip" else "/invocations"
    return EndpointModel(url + path, protocol, plan, headers, of, **given)


def expected(x: Any) -> np.ndarray:
    return np.log(logistic(np.asarray(x).tolist())).astype(np.float32)


DIALECTS: list[tuple[str, dict[str, Any]]] = [
    ("oip", {}),
    *(("invocations", {"form": form}) for form in ("dataframe_split", "inputs", "instances", "records", "csv")),
    ("invocations", {"form": "csv_no_header"}),
    ("tf", {}),
    ("tf", {"form": "records"}),
    ("template", TEMPLATE),
]


@pytest.mark.parametrize(("protocol", "more"), DIALECTS)
@pytest.mark.parametrize("frame", [False, True])
def test_each_dialect_gives_the_very_answers_of_the_model(protocol: str, more: dict[str, Any], frame: bool) -> None:
    x: Any = pd.DataFrame(rows(120), columns=["a", "b", "c"]) if frame else rows(120)
    service = Service(logistic, metadata=META, csv=more.get("form") == "csv_no_header")
    with serving(service) as url:
        answers = model(url, protocol, **more).log_probs(x)
    np.testing.assert_array_equal(answers, expected(x))
    assert sum(service.answered.values()) == 120
    form = {"records": "dataframe_records", "csv_no_header": "csv"}.get(more.get("form", ""), more.get("form"))
    assert service.kinds == {{"tf": "instances"}.get(protocol) or form or protocol}


def test_every_protocol_of_the_table_has_a_dialect_that_is_tried_here() -> None:
    assert {protocol for protocol, _ in DIALECTS} == set(PROTOCOLS)
    for protocol, more in DIALECTS:
        assert make_dialect(protocol, RequestsPlan(**more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "plan"),
    [
        ("map", {"answers": "map"}),
        ("vertex", {"answers": "map"}),
        ("positive", {"answers": "positive"}),
        ("labels", {"answers": "labels"}),
    ],
)
def test_kinds_of_answers(answer: str, plan: dict[str, Any]) -> None:
    x = rows(30)
    with serving(Service(logistic, answer=answer, classes=("no", "yes"))) as url:
        found = model(url, "tf", ("no", "yes"), **plan).log_probs(x)
    wanted = expected(x)
    if answer == "labels":
        wanted = np.where(wanted == wanted.max(axis=1, keepdims=True), 0, -np.inf)
    np.testing.assert_allclose(np.exp(found), np.exp(wanted), rtol=1e-6)


def test_classes_in_the_service_s_own_order_and_words() -> None:
    x = rows(5)
    with serving(Service(logistic, answer="map", classes=("b", "a"))) as url:
        found = model(url, "tf", ("no", "yes"), answers="map", classes=("a", "b")).log_probs(x)
    np.testing.assert_array_equal(found, expected(x)[:, ::-1])


@pytest.mark.parametrize(
    ("answer", "plan", "words"),
    [
        ("positive", {}, 'set requests.answers = "positive"'),
        ("labels", {}, 'set requests.answers = "labels"'),
        ("map", {}, 'set requests.answers = "map"'),
        ("probabilities", {"answers": "positive"}, "one number a record, got ["),
        ("probabilities", {"answers": "labels"}, "one label a record, got ["),
        ("map", {"answers": "map", "classes": ("left", "right")}, "requests.classes in the service's words"),
        ("labels", {"answers": "labels", "classes": ("left", "right")}, "which no row has"),
        ("probabilities", {"classes": ("a", "b", "c")}, "3 numbers a record"),
        ("probabilities", {"answer": "nowhere"}, "finds nothing in its answer"),
    ],
)
def test_answers_of_another_kind_stop_at_once_and_say_what_to_set(
    answer: str, plan: dict[str, Any], words: str
) -> None:
    service = Service(logistic, answer=answer, classes=("no", "yes"))
    with serving(service) as url, pytest.raises(ModelError) as error:
        model(url, "tf", ("no", "yes"), **plan).log_probs(rows(300))
    assert words in str(error.value)
    assert service.requests == 1
    assert service.received == 8, "a small query first"


def test_what_was_understood_is_printed_once(tmp_path: Path) -> None:
    said: list[str] = []
    told = Told(note=said.append)
    with serving(Service(logistic, metadata=META)) as url:
        asked = model(url, "oip", told=told, folder=tmp_path)
        asked.log_probs(rows(20))
        asked.log_probs(rows(40, 1))
        model(url, "oip", told=told, folder=tmp_path).log_probs(rows(40, 2))
    assert len(said) == 1
    for words in ("model m, sklearn", "x (FP64 [-1, 3])", "probabilities of 2 classes in the order 0, 1", "the first"):
        assert words in said[0]


HARMS = ("429", "500", "cut", "nan", "rows", "html", "503", "silence", "drip")


def test_a_hostile_server_loses_nothing_and_answers_nothing_twice(tmp_path: Path) -> None:
    x = rows(10_000)
    service = Service(logistic, harm=lambda i: HARMS[(i // 7) % len(HARMS)] if i % 7 == 3 else "")
    with serving(service) as url:
        asked = model(url, batch=250, concurrency=8, folder=tmp_path)
        np.testing.assert_array_equal(asked.log_probs(x), expected(x))
        facts = asked.spent
    assert set(service.answered.values()) == {1}
    assert len(service.answered) == 10_000
    assert facts.records == 10_000
    assert facts.queries == service.received > 10_000
    assert facts.requests == service.requests
    assert facts.retries == sum(i % 7 == 3 for i in range(service.requests)) > 4
    assert facts.bytes_sent == sum(map(len, service.bodies))


def test_a_budget_is_never_passed_not_by_a_retry_either(tmp_path: Path) -> None:
    x = rows(1000)
    service = Service(logistic, harm=lambda i: "500" if i % 2 else "")
    with serving(service) as url:
        asked = model(url, batch=100, concurrency=3, budget=1350, folder=tmp_path)
        with pytest.raises(BudgetError, match="query budget: 100 more records to send"):
            asked.log_probs(x)
        assert service.received <= 1350
        assert asked.spent.queries == service.received
        done = len(service.answered)
        assert asked.spent.records == done
        service.harm = lambda _: ""
        again = model(url, batch=100, budget=10_000, folder=tmp_path)
        np.testing.assert_array_equal(again.log_probs(x), expected(x))
    assert set(service.answered.values()) == {1}
    assert again.spent.kept == done


def test_more_records_than_the_budget_are_refused_before_anything_is_sent() -> None:
    service = Service(logistic)
    with serving(service) as url, pytest.raises(BudgetError, match="1,000 more records to send, 999 of 999"):
        model(url, budget=999).log_probs(rows(1000))
    assert service.requests == 0


def test_answers_in_another_order_are_put_right_by_their_ids() -> None:
    x = rows(200)
    service = Service(logistic, harm=lambda i: "order" if i % 2 else "")
    with serving(service) as url:
        np.testing.assert_array_equal(model(url, "template", **TEMPLATE).log_probs(x), expected(x))
    assert service.requests == 1 + 4


def test_equal_records_are_paid_once() -> None:
    x = np.repeat(rows(40), 5, axis=0)
    service = Service(logistic)
    with serving(service) as url:
        np.testing.assert_array_equal(model(url).log_probs(x), expected(x))
    assert service.received == 40


@pytest.mark.parametrize("harm", ["400", "401", "404", "413", "redirect http://elsewhere.example/steal"])
def test_a_permanent_error_stops_at_once_and_keeps_what_was_answered(harm: str, tmp_path: Path) -> None:
    x = rows(400)
    service = Service(logistic, harm=lambda i: harm if i == 3 else "")
    with serving(service) as url:
        asked = model(url, concurrency=1, folder=tmp_path)
        with pytest.raises(ModelError) as error:
            asked.log_probs(x)
        assert "\n" not in str(error.value)
        assert harm.partition(" ")[0].replace("redirect", "307") in str(error.value)
        assert SECRET not in str(error.value)
        assert service.requests == 4
        done = len(service.answered)
        np.testing.assert_array_equal(asked.log_probs(x), expected(x))
    assert set(service.answered.values()) == {1}
    assert done > 0


@pytest.mark.parametrize("harm", [*HARMS, "400", "401", "redirect http://elsewhere.example/steal"])
def test_no_message_holds_a_secret(harm: str, tmp_path: Path) -> None:
    service = Service(logistic, harm=lambda i: harm, silence=0.6)
    with serving(service) as url, pytest.raises(GnomonError) as error:
        model(url, tries=2, folder=tmp_path, timeout=0.3).log_probs(rows(5))
    assert service.headers[0]["Authorization"] == f"Bearer {SECRET}"
    whole = f"{error.value!r} {error.value.__cause__} {error.value.__dict__}"
    assert SECRET not in whole
    if harm in ("429", "500", "503", "400", "401"):
        assert "[hi" in whole, "the server sent the headers back"
    for file in tmp_path.rglob("*"):
        assert SECRET.encode() not in file.read_bytes()


def test_metadata_that_is_refused_or_strange_is_one_line_without_secrets() -> None:
    service = Service(logistic)
    with serving(service) as url:
        with pytest.raises(ModelError, match=r"status 404: no model for .*check target\.endpoint") as error:
            model(url, "oip").log_probs(rows(5))
        assert SECRET not in str(error.value)
        assert "[hi" in str(error.value)
        for strange, words in (
            ({"name": "m", "inputs": [{"name": "x", "shape": ["d"]}]}, "no list of numbers"),
            ([1, 2], "metadata as an object"),
            ({"name": "m", "inputs": 3, "outputs": None}, ""),
        ):
            service.metadata = strange  # type: ignore[assignment]
            if words:
                with pytest.raises(ModelError, match=words):
                    model(url, "oip").log_probs(rows(5))
            else:
                assert len(model(url, "oip").log_probs(rows(5))) == 5
    assert service.requests == 1


def test_a_wait_that_is_no_number_is_no_reason_to_break() -> None:
    service = Service(logistic, harm=lambda i: "429" if i == 0 else "", wait="\xb2")
    with serving(service) as url:
        assert len(model(url).log_probs(rows(5))) == 5


def test_a_redirect_takes_no_secret_to_another_host() -> None:
    other = Service(logistic)
    with serving(other) as elsewhere:
        service = Service(logistic, harm=lambda _: f"redirect {elsewhere}/x")
        with serving(service) as url, pytest.raises(ModelError, match="not followed"):
            model(url).log_probs(rows(5))
    assert other.requests == 0


def test_retry_after_is_waited_for_and_too_long_a_wait_stops() -> None:
    service = Service(logistic, harm=lambda i: "429" if i == 0 else "", wait="1")
    with serving(service) as url:
        asked = model(url)
        asked.log_probs(rows(5))
        assert 1.0 <= asked.spent.seconds < 3
        service.wait, service.requests = "86400", 0
        with pytest.raises(ModelError, match="come back in 86400 s"):
            asked.log_probs(rows(5, 1))


def test_requests_keep_to_the_rate() -> None:
    with serving(Service(logistic)) as url:
        asked = model(url, per_second=40.0, batch=10)
        asked.log_probs(rows(100))
        assert asked.spent.seconds >= (asked.spent.requests - 1) / 40.0 - 0.01
        assert asked.spent.requests == 11


def test_no_server_is_one_line() -> None:
    with serving(Service(logistic)) as url:
        pass
    with pytest.raises(ModelError, match=r"the connection failed .*tried 2 times"):
        model(url, tries=2).log_probs(rows(3))


def test_answers_that_change_are_found() -> None:
    rng = np.random.default_rng(0)

    def noisy(given: list[list[Any]]) -> np.ndarray:
        second = np.clip(logistic(given)[:, 1] + rng.normal(0, 0.05, len(given)), 0, 1)
        return np.column_stack([1 - second, second])

    x = rows(50)
    service = Service(noisy)
    with serving(service) as url:
        asked = model(url, twice=4)
        first = asked.log_probs(x)
        twice = asked.asked_twice(x)
        assert (twice.records, twice.changed) == (4, 4)
        assert 0.001 < twice.largest < 0.4
        np.testing.assert_array_equal(asked.log_probs(x), first)  # the first answers stay
        service.predict = logistic
        other = model(url, twice=3)
        other.log_probs(x)
        assert (other.asked_twice(x).records, other.asked_twice(x).changed) == (3, 0)
        service.harm = lambda _: "400"
        failed = other.asked_twice(x)
    assert failed.failed is not None
    assert failed.changed == 0


def test_oip_column_by_column_and_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [30, 41, 52], "job": ["nurse", "cook", None], "pay": [1.5, 2.0, 3.25]})

    def by_job(given: list[list[Any]]) -> np.ndarray:
        assert {type(value) for value in (row[1] for row in given)} == {str}
        second = np.array([0.25 if row[1] == "nurse" else 0.5 for row in given])
        return np.column_stack([1 - second, second])

    meta = {"name": "m", "inputs": [
        {"name": "job", "datatype": "BYTES", "shape": [-1]},
        {"name": "age", "datatype": "INT64", "shape": [-1, 1]},
        {"name": "pay", "datatype": "FP32", "shape": [-1, 1]},
    ]}  # fmt: skip
    service = Service(by_job, metadata={"name": "m"})
    with serving(service) as url:
        found = np.exp(model(url, "oip").log_probs(frame))
        sent = json.loads(service.bodies[0])
        assert sent["parameters"] == {"content_type": "pd"}
        assert [t["datatype"] for t in sent["inputs"]] == ["INT64", "BYTES", "FP64"]
        np.testing.assert_allclose(found[:, 1], [0.25, 0.5, 0.5])
        service.metadata = meta
        service.predict = lambda given: by_job([[row[1], row[0], row[2]] for row in given])
        model(url, "oip").log_probs(frame)
        sent = json.loads(service.bodies[-1])
        assert [(t["name"], t["shape"]) for t in sent["inputs"]] == [("job", [3]), ("age", [3, 1]), ("pay", [3, 1])]
        with pytest.raises(ModelError, match=r'"age" takes INT64, but a row has 30\.5'):
            model(url, "oip").log_probs(frame.assign(age=30.5))
        with pytest.raises(ModelError, match='an input "job", and no column has this name'):
            model(url, "oip").log_probs(frame.rename(columns={"job": "work"}))


def test_a_fixed_batch_of_one_is_kept_to() -> None:
    one = {**META, "inputs": [{"name": "x", "datatype": "FP64", "shape": [1, 3]}]}
    service = Service(logistic, metadata=one)
    with serving(service) as url:
        np.testing.assert_array_equal(model(url, "oip").log_probs(rows(6)), expected(rows(6)))
    assert service.requests == 6


@pytest.mark.parametrize(
    ("protocol", "more", "words"),
    [
        ("template", {"request": "{", "answer": "a"}, "is not JSON"),
        ("template", {"request": "{}", "answer": "a"}, 'expected "{rows}"'),
        ("template", {"request": '{"a": "{rows}", "b": "{row}"}', "answer": "a"}, 'expected "{rows}"'),
        ("template", {"request": '{"a": "{rows}"}', "answer": "a["}, "no JMESPath"),
        ("template", {"request": '{"a": "{rows}"}', "answer": "a", "answer_ids": "b"}, 'must send "{ids}"'),
        ("tf", {"answer": "]"}, "no JMESPath"),
    ],
)
def test_a_template_that_is_none_is_refused_before_anything_is_sent(
    protocol: str, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError) as error:
        model("http://127.0.0.1:9", protocol, **more)
    assert words in str(error.value)


def test_a_model_of_another_version_gets_a_ledger_of_its_own(tmp_path: Path) -> None:
    x = rows(10)
    service = Service(logistic, metadata=META)
    with serving(service) as url:
        model(url, "oip", folder=tmp_path).log_probs(x)
        model(url, "oip", folder=tmp_path).log_probs(x)
        assert service.received == 10
        service.metadata = {**META, "versions": ["4"]}
        model(url, "oip", folder=tmp_path).log_probs(x)
    assert service.received == 20


def test_a_damaged_ledger_is_one_line(tmp_path: Path) -> None:
    with serving(Service(logistic)) as url:
        model(url, folder=tmp_path).log_probs(rows(3))
        [file] = tmp_path.glob("endpoint-*.sqlite")
        file.write_bytes(b"not a database" * 300)
        with pytest.raises(GnomonError, match="remove the file if it is damaged"):
            model(url, folder=tmp_path).log_probs(rows(3))
