"""A small real service that trains scikit-learn trees and answers for them: the contract of docs/endpoints.md."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeClassifier
from tests.models.endpoint.servers import Server


@dataclass
class Trainings:
    """What the service has, and what it did."""

    seconds: float = 0.0  # that a training takes
    harm: Callable[[str, int], str] = lambda _method, _number: ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    most_at_once: int = 0
    requests: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str, sent: dict[str, Any]) -> None:
        with self.lock:
            if name in self.jobs:
                return
            self.jobs[name] = {"status": "training"}
            self.begun.append(name)
            running = sum(job["status"] == "training" for job in self.jobs.values())
            self.most_at_once = max(self.most_at_once, running)
        threading.Thread(target=self.train, args=(self.jobs[name], sent), daemon=True).start()

    def train(self, job: dict[str, Any], sent: dict[str, Any]) -> None:
        time.sleep(self.seconds)
        if self.harm("train", len(self.begun)):
            job.update(message=f"no memory for {dict(self.headers[-1])}", status="failed")
            return
        tree = DecisionTreeClassifier(random_state=sent["seed"], max_features=2)
        tree.fit(np.array(sent["rows"]), np.array(sent["labels"]))
        columns = [list(tree.classes_).index(label) if label in tree.classes_ else None for label in sent["classes"]]
        job.update(tree=tree, columns=columns, status="ready")

    def answer(self, job: dict[str, Any], rows: list[list[Any]]) -> list[list[float]]:
        found = job["tree"].predict_proba(np.array(rows))
        return [[0.0 if k is None else row[k] for k in job["columns"]] for row in found.tolist()]


def _said(job: dict[str, Any]) -> dict[str, Any]:
    return {key: job[key] for key in ("status", "message") if key in job}


class Handler(BaseHTTPRequestHandler):
    """One request about one model."""

    protocol_version = "HTTP/1.1"

    @property
    def service(self) -> Trainings:
        return self.server.service  # type: ignore[attr-defined]

    def log_message(self, *words: Any) -> None:
        pass

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.service.lock:
            number, self.service.requests = self.service.requests, self.service.requests + 1
            self.service.headers.append(dict(self.headers))
        harm = self.service.harm(self.command, number)
        if harm:
            self.reply(int(harm), {"error": dict(self.headers)})
            return
        _, models, name, *rest = self.path.split("/")
        assert models == "models"
        job = self.service.jobs.get(name)
        if self.command == "PUT":
            self.service.begin(name, json.loads(body))
            self.reply(201, _said(self.service.jobs[name]))
        elif job is None:
            self.reply(404, {})
        elif self.command == "DELETE":
            del self.service.jobs[name]
            self.reply(200, {})
        elif rest == ["predict"]:
            self.reply(200, {"probabilities": self.service.answer(job, json.loads(body)["rows"])})
        else:
            self.reply(200, _said(job))

    do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 - the base class looks for these names

    def reply(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def training(service: Trainings) -> Iterator[str]:
    """The address of a service that trains while the block runs."""
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
