"""Requests one by one: pace, waits that a service names, and what statuses mean."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest

pytest.importorskip("httpx")
pytest.importorskip("tenacity")

from tests.models.endpoint.servers import Service, serving

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.models.endpoint.answers import BadAnswerError
from gnomon.models.endpoint.headers import Headers
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.transport import EndpointError, Pace, Request, Sender, _retry_after, _there

ONE = Request(b'{"instances": [[1.0]]}')


def sender(url: str, **plan: Any) -> Sender:
    return Sender(f"{url}/invocations", Headers({}, ()), RequestsPlan(**{"backoff": 0.001, **plan}))


def halves(rows: list[list[Any]]) -> np.ndarray:
    return np.full((len(rows), 2), 0.5)


def test_every_try_is_counted_before_and_after() -> None:
    numbers: list[int] = []
    sent: list[tuple[int, int]] = []
    service = Service(halves, harm=lambda i: "500" if i < 2 else "")
    with serving(service) as url:
        found = sender(url).send(ONE, Response.json, before=numbers.append, after=lambda *one: sent.append(one))
    assert numbers == [1, 2, 3]
    assert [out for out, _ in sent] == [len(ONE.body or b"")] * 3
    assert all(back > 0 for _, back in sent)
    assert found["predictions"] == [[0.5, 0.5]]


def test_an_answer_that_the_reader_refuses_is_asked_for_again() -> None:
    seen: list[Response] = []

    def read(response: Response) -> int:
        seen.append(response)
        if len(seen) < 3:
            raise BadAnswerError("half of it is missing")
        return len(seen)

    with serving(Service(halves)) as url:
        assert sender(url).send(ONE, read) == 3
        with pytest.raises(EndpointError, match=r"127\.0\.0\.1:\d+: .*tried once"):
            sender(url, tries=1).send(ONE, lambda _: (_ for _ in ()).throw(BadAnswerError("no")))


def test_stopping_ends_the_waits() -> None:
    with serving(Service(halves, harm=lambda _: "500")) as url:
        one = sender(url, backoff=30.0, tries=4)
        threading.Timer(0.2, one.stopped.set).start()
        start = time.monotonic()
        with pytest.raises(EndpointError, match="status 500"):
            one.send(ONE, Response.json)
    assert time.monotonic() - start < 10


def test_a_hold_keeps_everybody_back() -> None:
    pace, never = Pace(), threading.Event()
    pace.hold(0.15)
    start = time.monotonic()
    pace.wait(never)
    assert time.monotonic() - start >= 0.14


def test_waits_are_numbers_or_dates_and_nothing_else() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert _retry_after({"retry-after": "7"}) == 7.0
    assert _retry_after({"retry-after": past}) == 0.0
    assert 50 < (_retry_after({"retry-after": soon}) or 0) <= 60
    assert [_retry_after({"retry-after": odd}) for odd in ("", "-1", "soon", "\u0663")] == [None] * 4


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("http://[", " to what is no address"),
        ("https://other/x?key=1", " to https://other/x"),
        ("/login", " to /login"),
        ("", " to "),
    ],
)
def test_a_redirect_is_named_wherever_it_goes(place: str, words: str) -> None:
    assert _there({"location": place}) == words


def test_nothing_there_is_an_answer_only_where_it_is_expected() -> None:
    with serving(Service(halves, harm=lambda _: "404")) as url:
        assert sender(url).send(Request(ONE.body, missing=True), lambda r: r.status) == 404
        with pytest.raises(EndpointError, match=r"status 404.*check target\.endpoint"):
            sender(url).send(ONE, Response.json)
