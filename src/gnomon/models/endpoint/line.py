"""One exchange with a service of unknown kind: it ends by its deadline, and holds a bounded amount of memory.

A service may send a byte now and then, in its headers too, where no single wait is ever long; it may pack an answer
thousandfold, or pack what is packed. So each line has one connection, which is cut when the time is over.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.errors import MissingExtraError, ModelError
from gnomon.models.endpoint.answers import BadAnswerError

LARGEST_ANSWER = 64 * 2**20
LARGEST_REFUSAL = 2**16  # of what comes with a status of 300 and above, which is only quoted
MOST_VALUES = 4 * 2**20  # in an answer: each may take 100 bytes once it is read
PACKED = {"gzip", "identity"}


@dataclass(frozen=True)
class Response:
    """What came back."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            BadAnswerError: it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise BadAnswerError(f"expected JSON, got {self.body[:80]!r}") from None


@dataclass
class Meter:
    """Bytes that came back so far, also of an exchange that failed."""

    received: int = 0


@dataclass
class Lines:
    """As many lines as there are exchanges at the same time.

    Attributes:
        headers: what goes along with each request.
    """

    headers: Mapping[str, str] = field(repr=False)
    _free: queue.LifoQueue[_Line] = field(default_factory=queue.LifoQueue)

    def __post_init__(self) -> None:
        """Takes what all lines share.

        Raises:
            MissingExtraError: httpx or tenacity is not installed.
        """
        try:
            import httpx
            import tenacity  # noqa: F401 - asked for here, so that it is missed before anything is sent
        except ImportError as error:
            raise MissingExtraError(str(error.name), "endpoint", "a model behind an endpoint") from error
        self._certificates = httpx.create_ssl_context()

    @contextmanager
    def line(self) -> Iterator[_Line]:
        """A line for one exchange, with its connection open where it was used before."""
        try:
            line = self._free.get_nowait()
        except queue.Empty:
            line = _Line(self.headers, self._certificates)
        try:
            yield line
        finally:
            self._free.put(line)

    def close(self) -> None:
        """Closes all connections."""
        with suppress(queue.Empty):
            while True:
                self._free.get_nowait().close()


class _Line:
    """A client with one connection at most, which can be cut while it waits."""

    def __init__(self, headers: Mapping[str, str], certificates: Any) -> None:
        import httpx

        self._client = httpx.Client(
            headers={**headers, "accept-encoding": "gzip"},
            verify=certificates,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        )
        self._socket: socket.socket | None = None
        self._late = threading.Event()

    def exchange(self, method: str, url: str, body: bytes | None, kind: str, seconds: float, meter: Meter) -> Response:
        """Sends a request and reads the answer.

        Raises:
            ModelError: an answer that is too large, or packed in a way that was not asked for.
            httpx.HTTPError, httpx.InvalidURL: as httpx raises them; a timeout where the whole took too long.
        """
        import httpx

        self._late.clear()
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            with self._client.stream(
                method,
                url,
                content=body,
                headers={} if body is None else {"content-type": kind},
                timeout=seconds,
                extensions={"trace": self._trace},
            ) as response:
                said, kind = response.headers, response.headers.get("content-type", "")
                reply = Response(_read(response, meter), kind, response.status_code, said)
            if self._late.is_set():  # an answer without a length ends where its connection does
                raise httpx.ReadTimeout("too slow")
            return reply
        except httpx.TransportError:
            if self._late.is_set():
                raise httpx.ReadTimeout("too slow") from None
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()
        self._forget()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Remembers the connection as soon as there is one, before anything is said over it."""
        if event == "connection.connect_tcp.complete":
            self._forget()
            self._socket = info["return_value"].get_extra_info("socket").dup()
            if self._late.is_set():
                self._cut()

    def _cut(self) -> None:
        self._late.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _read(response: Any, meter: Meter) -> bytes:
    packed = [word.lower() for word in response.headers.get_list("content-encoding", split_commas=True)]
    if len(packed) > 1 or not PACKED.issuperset(packed):
        raise ModelError(f"it packs its answer as {', '.join(packed)[:80]}, and was asked for gzip")
    refused = response.status_code >= 300
    parts = []
    for part in response.iter_bytes():
        meter.received += len(part)
        parts.append(part)
        if refused and meter.received > LARGEST_REFUSAL:
            break
        if meter.received > LARGEST_ANSWER:
            raise ModelError(f"an answer of more than {LARGEST_ANSWER >> 20} MB; lower requests.batch")
    body = b"".join(parts)
    if refused:
        return body[:LARGEST_REFUSAL]
    if sum(map(body.count, (b",", b"[", b"{", b"\n"))) > MOST_VALUES:
        raise ModelError(f"an answer of more than {MOST_VALUES:,} values; lower requests.batch")
    return body
