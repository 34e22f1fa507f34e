"""A service that trains and answers over HTTP, as a Trainer: the contract is in docs/endpoints.md.

A model's name is the digest of what decides it. So a model that is being trained is found again after a kill, and none
is begun twice. Each is removed when it has answered, also after a failure. Which models a service was told to train is
counted before they are begun, and forgotten when they are removed.
"""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, count_rows, fingerprint, take_rows
from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import GnomonError, ModelError, UsageError
from gnomon.core.protocols import OneByOne
from gnomon.models.endpoint.answers import AnswerReader, BadAnswerError
from gnomon.models.endpoint.headers import read_headers
from gnomon.models.endpoint.ledger import Database
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import make_batch
from gnomon.models.endpoint.transport import EndpointError, Request, Sender

TABLES = """
CREATE TABLE IF NOT EXISTS open (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS begun (count INTEGER NOT NULL);
INSERT INTO begun SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM begun);
"""
PROBLEM = (
    "the models of the service can't be counted there ({}); free space, name another folder, or remove the file if it "
    "is damaged"
)


class Jobs(Database):
    """A file that all workers share; what is written there is on disk before a request goes out.

    >>> jobs = Jobs()
    >>> jobs.begin("a", most=1)
    >>> jobs.begin("b", most=1)
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: trainer.max_jobs = 1: so many models were begun, and another one is needed; ...
    >>> jobs.end("a")
    >>> jobs.open(), jobs.begun()
    ([], 1)
    """

    def __init__(self, file: Path | None = None) -> None:
        """Opens a file, or makes it; without one, all is forgotten at the end.

        Raises:
            StoreError: the file can't be made, or is damaged.
        """
        super().__init__(file, TABLES, PROBLEM)

    def begin(self, name: str, most: int | None) -> None:
        """Counts a model that is about to be begun.

        Raises:
            UsageError: so many were begun already; then it is not counted.
        """
        with self.writing():
            begun = int(self.connection.execute("SELECT count FROM begun").fetchone()[0])
            if most is not None and begun >= most:
                raise UsageError(
                    f"trainer.max_jobs = {most}: so many models were begun, and another one is needed; raise it, or "
                    "lower shadow.count"
                )
            self.connection.execute("UPDATE begun SET count = count + 1")
            self.connection.execute("INSERT OR IGNORE INTO open VALUES (?)", (name,))

    def found(self, name: str) -> None:
        """Notes a model that is there already, so that it is removed in the end."""
        with self.writing():
            self.connection.execute("INSERT OR IGNORE INTO open VALUES (?)", (name,))

    def end(self, name: str) -> None:
        """Forgets a model that was removed."""
        with self.writing():
            self.connection.execute("DELETE FROM open WHERE name = ?", (name,))

    def open(self) -> list[str]:
        """Models that may still be there."""
        with self.writing():
            return [row[0] for row in self.connection.execute("SELECT name FROM open")]

    def begun(self) -> int:
        """How many were begun in all."""
        with self.writing():
            return int(self.connection.execute("SELECT count FROM begun").fetchone()[0])


SEEDS = 2**31  # a service's seed is below
AT_ONCE = 1000  # rows in a request for answers
WAITING = RequestsPlan(timeout=120)  # a service that trains may answer slowly meanwhile
REMOVING = RequestsPlan(tries=3, backoff=0.2, timeout=10)


@dataclass(frozen=True)
class ServiceTrainer(OneByOne):
    """Whatever a service trains when it is sent rows, labels and a seed.

    Attributes:
        address: of the service; models are at ADDRESS/models/NAME.
        headers: name -> "env:VARIABLE"; values are read when they are needed and stand nowhere else.
        timeout: seconds for the training of one model.
        poll: seconds between two looks at it.
        max_jobs: most models that are ever begun; None for no limit.
        version: what else decides what comes out; in the store's key.
        classes: names of the classes, in the order of their ids.
        labels: the labels as the data have them; None: class ids.
        folder: where the models that were begun are counted; None to forget them.
        requests: how requests are sent and tried again.
    """

    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3600.0
    poll: float = 5.0
    max_jobs: int | None = None
    version: str = ""
    classes: tuple[str, ...] = ()
    labels: tuple[Any, ...] | None = None
    folder: Path | None = None
    requests: RequestsPlan = WAITING

    def recipe(self) -> dict[str, Any]:
        """Address and version; what the service does is known to nobody here."""
        return {"kind": "service", "address": self.address, "version": self.version, "seeds": SEEDS}

    def for_labels(self, classes: Sequence[str], labels: tuple[Any, ...] | None) -> ServiceTrainer:
        """The same with the labels of a data set."""
        return replace(self, classes=tuple(classes), labels=tuple(classes) if labels is None else labels)

    @property
    def near(self) -> bool:
        """The models that it began are counted in a folder here."""
        return True

    def remembering(self, folder: Path) -> ServiceTrainer:
        """The same, with its count in a folder."""
        return replace(self, folder=folder)

    def tidy(self) -> None:
        """Removes what is still there of all models that were begun, as far as the service lets us."""
        jobs = self._jobs()
        for name in jobs.open():
            _remove(self._sender(REMOVING), self._place(name), jobs, name)

    def _jobs(self) -> Jobs:
        name = fingerprint(self.address, self.version)
        return Jobs(None if self.folder is None else self.folder / f"jobs-{name}.sqlite")

    def _sender(self, plan: RequestsPlan) -> Sender:
        return Sender(self.address, read_headers(self.headers, "trainer.headers"), plan)

    def _place(self, name: str) -> str:
        return f"{self.address.rstrip('/')}/models/{name}"

    def train_one(self, x: Rows, y: Ints, n_classes: int, rows: Ints, seed: int) -> ServiceModel:
        """A model that the service trains.

        Raises:
            UsageError: the service can't be used, or max_jobs models were begun.
            ModelError: it could not train a model.
        """
        batch = make_batch(take_rows(x, rows))
        known = tuple(range(n_classes)) if self.labels is None else self.labels
        order = self.classes or tuple(str(k) for k in known)
        document = {
            "seed": seed % SEEDS,
            "classes": list(known),
            "columns": list(batch.columns),
            "rows": batch.rows,
            "labels": [known[k] for k in y[rows].tolist()],
        }
        name = fingerprint(self.recipe(), json.dumps(document, default=str))
        model = ServiceModel(self._sender(self.requests), self._place(name), name, self._jobs(), order)
        try:
            self._until_ready(model, document)
        except EndpointError as error:
            raise UsageError(f"the service that trains can't be used: {error}") from None
        return model

    def _until_ready(self, model: ServiceModel, document: dict[str, Any]) -> None:
        """Begins a model if it is not there, and waits for it."""
        deadline = time.monotonic() + self.timeout
        status = model.look()
        if status["status"] == "failed":  # of an earlier run
            model.drop()
            status = {"status": "missing"}
        if status["status"] == "missing":
            model.jobs.begin(model.name, self.max_jobs)
            status = model.send("PUT", json.dumps(document, default=str, allow_nan=False).encode())
        else:
            model.jobs.found(model.name)
        while status["status"] != "ready":
            if status["status"] == "failed":
                said = model.sender.headers.hide(str(status.get("message", "it does not say why"))[:300])
                model.remove()
                raise ModelError(f"the service could not train a model on {len(document['rows'])} rows: {said}")
            if time.monotonic() > deadline:
                model.remove()
                raise ModelError(f"the service took longer than {self.timeout:g} s (trainer.timeout) for a model")
            time.sleep(self.poll)
            status = model.look()
            if status["status"] == "missing":
                raise ModelError("the service forgot a model that it was told to train")


class ServiceModel:
    """A model that a service trained; it is removed there when it is not needed any more."""

    def __init__(self, sender: Sender, place: str, name: str, jobs: Jobs, classes: tuple[str, ...]) -> None:
        self.sender = sender
        self.name = name
        self.jobs = jobs
        self._place = place
        self._reader = AnswerReader("probabilities", classes)
        self.remove = weakref.finalize(self, _remove, sender, place, jobs, name)

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return len(self._reader.classes)

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c).

        Raises:
            ModelError: the service refuses, or answers with something else than probabilities.
        """
        n = count_rows(x)
        parts = [np.arange(i, min(n, i + AT_ONCE), dtype=np.int64) for i in range(0, n, AT_ONCE)]
        found = [self._answers(take_rows(x, part)) for part in parts]
        return np.concatenate(found) if found else np.empty((0, self.n_classes), np.float32)

    def drop(self) -> None:
        """Removes what the service has under the name now; what it gets later is removed in its time."""
        _remove(self.sender, self._place, self.jobs, self.name)

    def look(self) -> dict[str, Any]:
        """How far it is: training, ready, failed, or missing."""
        return self.send("GET", None)

    def send(self, method: str, body: bytes | None) -> dict[str, Any]:
        """Sends something about the model; what comes back has a status."""
        return self.sender.send(Request(body, method=method, missing=method == "GET"), _status, url=self._place)

    def _answers(self, x: Rows) -> Floats:
        batch = make_batch(x)
        body = json.dumps({"columns": list(batch.columns), "rows": batch.rows}, allow_nan=False).encode()

        def read(response: Response) -> Floats:
            document = response.json()
            return self._reader.read(
                document.get("probabilities") if isinstance(document, dict) else document, len(batch)
            )

        return self.sender.send(Request(body), read, url=f"{self._place}/predict")


def _status(response: Response) -> dict[str, Any]:
    if response.status == 404:
        return {"status": "missing"}
    found = response.json()
    if not isinstance(found, dict) or found.get("status") not in ("training", "ready", "failed"):
        raise BadAnswerError(f"expected a status of training, ready or failed, got {str(found)[:120]}")
    return found


def _remove(sender: Sender, place: str, jobs: Jobs, name: str) -> None:
    """Removes a model; where that fails, the next run of the same command does it."""
    with suppress(GnomonError):
        sender.send(Request(method="DELETE", missing=True), lambda response: response.status, url=place)
        jobs.end(name)
