"""Requests over HTTP: never faster than allowed, tried again where that may help, and never to another host.

What may come right with time (429, 5xx, a cut connection, silence, an answer that is none) is tried again with growing
waits, or when the service says (Retry-After). Everything else stops at once. Redirects are not followed: headers with
secrets would go where nobody named.
"""

from __future__ import annotations

import email.utils
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from gnomon.core import VERSION
from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import BudgetError, ModelError, one_line
from gnomon.models.endpoint.answers import BadAnswerError
from gnomon.models.endpoint.headers import Headers
from gnomon.models.endpoint.line import Lines, Meter, Response

AGAIN = (408, 425, 429)  # and all of 500 and above
LONGEST_WAIT = 300.0  # seconds; who is told to wait longer is better off to start again then
_QUOTED = 200

Found = TypeVar("Found")


@dataclass(frozen=True)
class Request:
    """What is sent: a body and its type; without a body it is a GET, unless a method is named."""

    body: bytes | None = None
    content_type: str = "application/json"
    method: str = ""
    missing: bool = False  # whether 404 is an answer: nothing is there


class EndpointError(ModelError):
    """A service refuses, is silent, or answers with something else; names it, and holds no secret."""


class _LaterError(Exception):
    """It may work later."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait  # seconds, where the service says


@dataclass
class Pace:
    """When the next request may go out, for all threads together."""

    per_second: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next: float = 0.0

    def wait(self, stopped: threading.Event) -> None:
        """Waits for a turn; returns early when all is stopped."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + (0.0 if self.per_second is None else 1.0 / self.per_second)
        stopped.wait(max(0.0, turn - now))

    def hold(self, seconds: float) -> None:
        """Lets no request out for so long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Sender:
    """Sends requests to one address."""

    def __init__(self, url: str, headers: Headers, plan: RequestsPlan) -> None:
        """Connects to nothing yet.

        Args:
            url: where to.
            headers: what goes along.
            plan: how fast, how long, how often.

        Raises:
            MissingExtraError: httpx or tenacity is not installed.
        """
        self.url = url
        self.headers = headers
        self.plan = plan
        self.stopped = threading.Event()
        self._pace = Pace(plan.per_second)
        said = {"user-agent": f"gnomon/{VERSION}", "accept": "application/json, text/csv;q=0.5"}
        self._lines = Lines({**said, **headers.values})
        weakref.finalize(self, self._lines.close)

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.url).netloc

    def send(
        self,
        request: Request,
        read: Callable[[Response], Found],
        *,
        before: Callable[[int], None] = lambda _: None,
        after: Callable[[int, int], None] = lambda _sent, _received: None,
        url: str | None = None,
    ) -> Found:
        """Sends until the answer can be read, or it is no use.

        Args:
            request: what to send.
            read: reads an answer; its `BadAnswerError` is a reason to try again.
            before: called before each try with its number, from 1: what counts the budget, and may stop it.
            after: called after each try with what went over the wire.
            url: where to; by default the endpoint.

        Raises:
            ModelError: it does not answer, refuses, or answers with something else; no secret is in the message.
        """
        import tenacity

        tries = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.plan.tries) | tenacity.stop_when_event_set(self.stopped),
            wait=self._waiting(),
            retry=tenacity.retry_if_exception_type((_LaterError, BadAnswerError)),
            sleep=tenacity.sleep_using_event(self.stopped),
            reraise=True,
        )
        try:
            for attempt in tries:
                with attempt:
                    self._pace.wait(self.stopped)
                    before(attempt.retry_state.attempt_number)
                    return read(self._once(request, url or self.url, after))
        except (_LaterError, BadAnswerError) as error:
            times = "once" if self.plan.tries == 1 else f"{self.plan.tries} times"
            raise self.error(
                f"{error} (tried {times}); what was answered is kept, run the same command again to go on"
            ) from None
        except ModelError as error:
            raise self.named(error) from None
        raise AssertionError("unreachable: the last try returns or raises")

    def error(self, message: str) -> EndpointError:
        """An error without secrets, in one line, that names the host."""
        return EndpointError(f"endpoint {self.host}: {self.headers.hide(one_line(message))}")

    def named(self, error: ModelError) -> ModelError:
        """An error that was met on the way, with the host and without secrets."""
        return error if isinstance(error, (EndpointError, BudgetError)) else self.error(str(error))

    def _waiting(self) -> Callable[[Any], float]:
        import tenacity

        grow = tenacity.wait_random_exponential(multiplier=self.plan.backoff, max=LONGEST_WAIT)

        def wait(state: Any) -> float:
            told = getattr(state.outcome.exception(), "wait", None)
            if told is None:
                return float(grow(state))
            self._pace.hold(told)  # the others would be refused as well
            return float(told)

        return wait

    def _once(self, request: Request, url: str, after: Callable[[int, int], None]) -> Response:
        import httpx

        method = request.method or ("GET" if request.body is None else "POST")
        meter = Meter()
        try:
            with self._lines.line() as line:
                reply = line.exchange(method, url, request.body, request.content_type, self.plan.timeout, meter)
        except httpx.TimeoutException:
            raise _LaterError(f"no whole answer within {self.plan.timeout:g} s (requests.timeout)") from None
        except httpx.TransportError as error:
            raise _LaterError(_connection_words(error)) from None
        except httpx.InvalidURL:
            raise self.error("its address can't be used") from None
        except httpx.DecodingError:
            raise _LaterError("its answer can't be unpacked") from None
        finally:
            after(len(request.body or b""), meter.received)
        if not (request.missing and reply.status == 404):
            self._judge(reply)
        return reply

    def _judge(self, reply: Response) -> None:
        """Raises what a status means, if it is no success."""
        status = reply.status
        if 200 <= status < 300:
            return
        said = one_line(self.headers.hide(reply.body.decode("utf-8", "replace")))[:_QUOTED]
        what = f"status {status}" + (f": {said}" if said else "")
        if status in AGAIN or status >= 500:
            wait = _retry_after(reply.headers)
            if wait is not None and wait > LONGEST_WAIT:
                raise self.error(f"{what}; it says to come back in {wait:.0f} s: run the same command again then")
            raise _LaterError(what, wait)
        if 300 <= status < 400:
            raise self.error(
                f"status {status}: it redirects{_there(reply.headers)}, which is not followed; give that address itself"
            )
        hints = {401: "check target.headers", 403: "check target.headers", 404: "check target.endpoint"}
        hint = {**hints, 413: "lower requests.batch"}.get(
            status, "check target.protocol and target.requests against what the service wants"
        )
        raise self.error(f"{what}; {hint}; what was answered is kept")


def _there(headers: Mapping[str, str]) -> str:
    """Where an answer redirects to, without what may be secret in it."""
    try:
        place = urlsplit(headers.get("location", ""))
    except ValueError:
        return " to what is no address"
    return f" to {place.scheme}://{place.netloc}{place.path}" if place.netloc else f" to {place.path}"


def _connection_words(error: Exception) -> str:
    """Why no answer came, in words."""
    said = one_line(error)
    return f"the connection failed ({type(error).__name__}{f': {said}' if said else ''})"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a service says to wait: a number, or a date."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdecimal():
        return float(given)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
