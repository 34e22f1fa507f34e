"""Services that drip, flood, pack and lie: an exchange ends in time, in one kind of error, with little in memory."""

import gzip
import itertools
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

pytest.importorskip("httpx")
pytest.importorskip("tenacity")

from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import ModelError
from gnomon.models.endpoint.headers import Headers
from gnomon.models.endpoint.line import LARGEST_ANSWER, LARGEST_REFUSAL, MOST_VALUES, Lines, Meter, Response
from gnomon.models.endpoint.transport import EndpointError, Request, Sender

OK = b"HTTP/1.1 200 OK\r\n"
PACKED = OK + b"content-encoding: gzip\r\n\r\n"
BOMB = gzip.compress(bytes(LARGEST_ANSWER + 2**20))
Pieces = Callable[[], Iterator[bytes]]


def slowly(piece: bytes) -> Iterator[bytes]:
    while True:
        time.sleep(0.02)
        yield piece


def empty_blocks() -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    while True:
        time.sleep(0.02)
        yield packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)


@contextmanager
def speaking(pieces: Pieces) -> Iterator[str]:
    """A server that answers whatever it is sent with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with suppress(OSError), connection, connection.makefile("rb") as asked:
                        length = [int(line[15:]) for line in iter(asked.readline, b"\r\n") if b"th:" in line]
                        asked.read(sum(length))
                        for piece in pieces():
                            connection.sendall(piece)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x"
        server.shutdown(socket.SHUT_RDWR)


def asked(url: str, **plan: Any) -> Any:
    sender = Sender(url, Headers(), RequestsPlan(**{"tries": 1, "timeout": 0.3, **plan}))
    return sender.send(Request(b"{}"), Response.json)


@pytest.mark.parametrize(
    "pieces",
    [
        lambda: slowly(b"H"),
        lambda: itertools.chain([OK], slowly(b"x")),
        lambda: itertools.chain([OK], slowly(b"x-a: b\r\n")),
        lambda: itertools.chain([OK, b"content-length: 999\r\n\r\n"], slowly(b"[")),
        lambda: itertools.chain([OK, b"\r\n"], slowly(b"1")),
        lambda: itertools.chain([OK, b"transfer-encoding: chunked\r\n\r\n1;"], slowly(b"x")),
        lambda: itertools.chain([PACKED], empty_blocks()),
    ],
    ids=["status", "header", "headers", "body", "no-length", "chunk", "nothing-packed"],
)
def test_whatever_drips_ends_in_time(pieces: Pieces) -> None:
    with speaking(pieces) as url:
        start = time.monotonic()
        with pytest.raises(EndpointError, match=r"no whole answer within 0\.3 s"):
            asked(url)
        assert time.monotonic() - start < 3


def flood() -> Iterator[bytes]:
    return itertools.repeat(b"[" * 2**16)


@pytest.mark.parametrize(
    ("head", "pieces", "words"),
    [
        (OK + b"\r\n", flood, "an answer of more than 64 MB; lower requests.batch"),
        (PACKED, lambda: iter([BOMB]), "an answer of more than 64 MB; lower requests.batch"),
        (OK + b"content-encoding: br\r\n\r\n", flood, "it packs its answer as br, and was asked for gzip"),
        (OK + b"\r\n", lambda: iter([b"[" + b"[]," * MOST_VALUES]), f"more than {MOST_VALUES:,} values"),
        (b"HTTP/1.1 403 No\r\n\r\n", lambda: itertools.repeat(b"ab " * 2**15), "status 403: ab ab"),
        (OK + b"\r\n", lambda: iter([b"[" * 10**6]), "expected JSON"),
    ],
    ids=["endless", "bomb", "other-packing", "nested", "endless-refusal", "deep"],
)
def test_whatever_floods_is_one_line(head: bytes, pieces: Pieces, words: str) -> None:
    with speaking(lambda: itertools.chain([head], pieces())) as url, pytest.raises(ModelError) as error:
        asked(url, timeout=20)
    assert words in str(error.value)
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


def test_what_is_packed_twice_is_never_unpacked_whole() -> None:
    twice = OK + b"content-encoding: gzip\r\ncontent-encoding: gzip\r\n\r\n"
    with speaking(lambda: iter([twice, gzip.compress(BOMB)])) as url:
        tracemalloc.start()
        with pytest.raises(ModelError, match="packs its answer as gzip, gzip"):
            asked(url, timeout=20)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 2**24


def test_a_line_is_used_again_and_a_refusal_is_read_in_part() -> None:
    lines, meter = Lines({}), Meter()
    with speaking(lambda: iter([b"HTTP/1.1 500 No\r\ncontent-length: 300000\r\n\r\n", b"x" * 300000])) as url:
        with lines.line() as first:
            reply = first.exchange("GET", url, None, "", 5.0, meter)
        with lines.line() as second:
            assert second is first
    lines.close()
    assert (reply.status, len(reply.body)) == (500, LARGEST_REFUSAL)
    assert LARGEST_REFUSAL < meter.received < 300000
