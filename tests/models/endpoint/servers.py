"""A real HTTP server on this machine that answers for a model in each dialect, and misbehaves when told to."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

Predict = Callable[[list[list[Any]]], Any]  # rows -> probabilities (n, c)


@dataclass
class Service:
    """What the server answers, and what it saw."""

    predict: Predict
    answer: str = "probabilities"  # map, positive, labels
    classes: tuple[str, ...] = ("0", "1")
    metadata: dict[str, Any] | None = None
    harm: Callable[[int], str] = lambda _: ""  # request number, from 0 -> what goes wrong with it
    delay: float = 0.0
    silence: float = 3.0
    wait: str = "0"
    csv: bool = False  # answers are csv
    requests: int = 0
    received: int = 0  # records that came in, those that were not answered included
    answered: Counter[str] = field(default_factory=Counter)  # records whose answer went out whole
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answers(self, rows: list[list[Any]]) -> list[Any]:
        found = np.asarray(self.predict(rows))
        if self.answer == "map":
            return [dict(zip(self.classes, row, strict=True)) for row in found.tolist()]
        if self.answer == "vertex":
            return [{"classes": list(self.classes), "scores": row} for row in found.tolist()]
        if self.answer == "positive":
            return found[:, 1].tolist()
        if self.answer == "labels":
            return [self.classes[k] for k in found.argmax(axis=1)]
        return found.tolist()


class Handler(BaseHTTPRequestHandler):
    """One request: the kind of answer follows from what was sent."""

    protocol_version = "HTTP/1.1"

    @property
    def service(self) -> Service:
        return self.server.service  # type: ignore[attr-defined]

    def log_message(self, *words: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.service.metadata is None:
            self.reply(404, f"no model for {self.headers['authorization']}".encode())
            return
        self.reply(200, json.dumps(self.service.metadata).encode())

    def do_POST(self) -> None:
        body, service = self.rfile.read(int(self.headers["content-length"])), self.service
        rows, wrap, ids = self.understand(body)
        with service.lock:
            number, service.requests = service.requests, service.requests + 1
            service.received += len(rows)
            service.headers.append(dict(self.headers))
            service.bodies.append(body)
        harm = service.harm(number)
        time.sleep(service.delay)
        if harm in ("429", "500", "503", "400", "401", "404", "413"):
            self.reply(int(harm), f"no: {dict(self.headers)}".encode(), **{"retry-after": service.wait})
            return
        if harm.startswith("redirect"):
            self.reply(307, b"", location=harm.partition(" ")[2])
            return
        if harm == "silence":
            time.sleep(service.silence)
        if harm == "drip":
            self.drip()
            return
        answers = service.answers(rows)
        if harm == "nan":
            answers[0] = [float("nan")] * len(answers[0])
        if harm == "rows":
            answers = answers[:-1]
        if harm == "order":
            answers, ids = answers[::-1], ids[::-1]
        reply = b"<html>busy</html>" if harm == "html" else json.dumps(wrap(answers, ids)).encode()
        if harm == "cut":
            self.send_response(200)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply[: len(reply) // 2])
            self.close_connection = True
            return
        if not harm:
            with service.lock:
                service.answered.update(json.dumps(row) for row in rows)
        if self.service.csv:
            self.reply(200, "".join(f"{','.join(map(str, row))}\n" for row in answers).encode(), kind="text/csv")
            return
        self.reply(200, reply)

    def understand(self, body: bytes) -> tuple[list[list[Any]], Callable[[list[Any], list[Any]], Any], list[Any]]:
        """Rows, what wraps their answers, and their ids."""
        kinds = self.service.kinds
        if self.headers["content-type"] == "text/csv":
            kinds.add("csv")
            lines = list(csv.reader(io.StringIO(body.decode())))
            lines = lines[1:] if lines[0][0] in ("a", "x0") else lines
            return [[float(v) for v in line] for line in lines], lambda found, _: found, []
        sent = json.loads(body)
        if "dataframe_split" in sent:
            kinds.add("dataframe_split")
            return sent["dataframe_split"]["data"], lambda found, _: {"predictions": found}, []
        for key in ("dataframe_records", "instances", "inputs"):
            rows = sent.get(key)
            if rows and not (isinstance(rows[0], dict) and "datatype" in rows[0]):
                rows = [list(row.values()) if isinstance(row, dict) else row for row in rows]
                kinds.add(key)
                return rows, lambda found, _: {"predictions": found}, []
        if "inputs" in sent:
            kinds.add("oip")
            return self.tensors(sent), self.as_tensor(sent), []
        kinds.add("template")
        return (
            sent["rows"],
            lambda found, ids: {"results": [{"id": i, "p": p} for i, p in zip(ids, found, strict=False)]},
            sent.get("ids", list(range(len(sent["rows"])))),
        )

    def tensors(self, sent: dict[str, Any]) -> list[list[Any]]:
        first = sent["inputs"][0]
        if len(sent["inputs"]) == 1:
            return np.array(first["data"]).reshape(first["shape"]).tolist()
        return [list(row) for row in zip(*(each["data"] for each in sent["inputs"]), strict=True)]

    def as_tensor(self, sent: dict[str, Any]) -> Callable[[list[Any], list[Any]], Any]:
        def wrap(found: list[Any], _: list[Any]) -> Any:
            array = np.array(found)
            datatype = "BYTES" if array.dtype.kind == "U" else "FP64"
            output = {"name": "out", "shape": list(array.shape), "datatype": datatype, "data": array.ravel().tolist()}
            return {"model_name": "m", "id": sent["id"], "outputs": [output]}

        return wrap

    def drip(self) -> None:
        """A byte every now and then: no single wait is long, the whole never ends."""
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        for _ in range(int(self.service.silence / 0.1)):
            try:
                self.wfile.write(b"[")
                self.wfile.flush()
            except OSError:
                break
            time.sleep(0.1)
        self.close_connection = True

    def reply(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Forgets who hung up on it."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def serving(service: Service) -> Iterator[str]:
    """The address of a server that answers while the block runs."""
    server = Server(("127.0.0.1", 0), Handler)
    server.service = service  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
