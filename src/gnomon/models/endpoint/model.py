"""A model behind an endpoint: batches go out, answers come in and are kept, and no record is paid for twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.arrays import Floats, Ints, Rows, count_rows, fingerprint, take_rows
from gnomon.core.data.labels import class_name
from gnomon.core.documents.endpoint import Protocol as ProtocolName
from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.documents.record_parts import EndpointFacts
from gnomon.core.errors import BudgetError, ModelError
from gnomon.core.outputs import Outputs
from gnomon.core.plan import TargetPlan
from gnomon.core.protocols import KnownClasses, NamedClasses, Told, Twice
from gnomon.models.endpoint.answers import AnswerReader
from gnomon.models.endpoint.dialects import make_dialect
from gnomon.models.endpoint.headers import Headers, read_headers
from gnomon.models.endpoint.ledger import Ledger
from gnomon.models.endpoint.line import Response
from gnomon.models.endpoint.rows import RequestRows, make_batch
from gnomon.models.endpoint.transport import Request, Sender
from gnomon.models.readers.model_file import ModelFile, Use

LEDGER_VERSION = 1  # raise when what is kept under a record changes its meaning
FIRST = 8  # records of the first small query
AT_ONCE = 1024  # rows whose digests are made at once


@dataclass(eq=False)
class EndpointModel(NamedClasses):
    """A service that is queried over HTTP, each record once.

    Args:
        url: where it answers.
        protocol: how it is spoken to.
        plan: what is sent, what comes back, and how fast.
        headers: what goes with each request.
        classes: the data set's c class names, in the order of their ids, which is that of the answers.
        outputs: what the numbers in its answers are.
        budget: most records that are ever sent, further tries included; None for no limit.
        whole: probabilities sum to 1; otherwise the service rounds them, or shows the largest only.
        folder: where the ledger is kept; None to forget it.
        told: who is told how far it is and what was understood.

    Raises:
        UsageError: a template or a JMESPath that is none.
        MissingExtraError: a library is not installed.
    """

    url: str
    protocol: ProtocolName
    plan: RequestsPlan
    headers: Headers
    classes: tuple[str, ...]
    outputs: Outputs = "probabilities"
    budget: int | None = None
    whole: bool = True
    folder: Path | None = None
    told: Told = field(default_factory=Told)

    def __post_init__(self) -> None:
        own = self.classes if self.plan.classes is None else tuple(class_name(k) for k in self.plan.classes)
        self.whole = self.whole and self.plan.answers != "confidence"
        self._reader = AnswerReader(self.plan.answers, own, self.outputs, self.whole)
        self._sender = Sender(self.url, self.headers, self.plan)
        self._dialect = make_dialect(self.protocol, self.plan)
        self._understood: list[str] = []
        self._twice, self._tried = Twice(), False
        self._clock = threading.Lock()
        self._since = 0.0

    @property
    def known(self) -> KnownClasses | None:
        """The classes as the plan names them; None where answers come in the order of the data set's."""
        if self.plan.classes is None:
            return None
        return KnownClasses(tuple(self.plan.classes), np.arange(self.n_classes, dtype=np.int64))

    @property
    def one_column(self) -> bool:  # type: ignore[override] # follows from the plan here
        """It answers with one number a record."""
        return self.plan.answers == "positive"

    def remembering(self, folder: Path, told: Told) -> EndpointModel:
        """The same service, with a ledger in a folder."""
        return replace(self, folder=folder, told=told)

    @property
    def identity(self) -> str:
        """What stands for its answers without a query: address, protocol and version."""
        _ = self._learned
        return self._identity

    @property
    def spent(self) -> EndpointFacts:
        """What it was queried in all runs that share the folder."""
        ledger = self._ledger
        whole = {name: int(ledger.total(name)) for name in ("queries", "requests", "retries")}
        return EndpointFacts(
            address=self.url,
            protocol=self.protocol,
            understood=self._understood,
            records=ledger.count(),
            **whole,
            bytes_sent=int(ledger.total("bytes_sent")),
            bytes_received=int(ledger.total("bytes_received")),
            seconds=round(ledger.total("seconds"), 3),
            kept=self._kept,
            twice=self._twice.records,
            changed=self._twice.changed,
            change=self._twice.largest,
        )

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c): of the ledger, or else of the service.

        Raises:
            BudgetError: the records would pass the budget.
            ModelError: the service refuses, or answers with something else; what was answered is kept.
        """
        n = count_rows(x)
        if n == 0:
            return np.empty((0, self.n_classes), np.float32)
        _ = self._learned  # the ledger's name holds the model's version
        names = _names(x)
        found = self._ledger.find(list(dict.fromkeys(names)))
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            if name not in found:
                places.setdefault(name, place)
        if places:
            found |= self._ask(x, np.fromiter(places.values(), np.int64))
        return np.stack([found[name] for name in names])

    def asked_twice(self, x: Rows) -> Twice:
        """Queries some of the rows once more, evenly spaced, and compares; the budget may leave none."""
        n = count_rows(x)
        rows = np.unique(np.linspace(0, n - 1, min(n, self.plan.twice)).astype(np.int64))
        if not len(rows):
            return Twice()
        before = self.log_probs(take_rows(x, rows))
        self._start_clock()
        try:
            batches = [take_rows(x, rows[i : i + self._most]) for i in range(0, len(rows), self._most)]
            after = np.concatenate([self._answers(make_batch(part)) for part in batches])
        except BudgetError:
            return Twice()
        except ModelError as error:
            return Twice(failed=str(error))
        self._twice = Twice.of(before, after, kept_before=self._kept > 0)
        return self._twice

    @cached_property
    def _learned(self) -> bool:
        """Reads what the service says of itself, once."""
        try:
            self._understood = self._dialect.learn(self.url, self._look)
        except ModelError as error:
            raise self._sender.named(error) from None
        return True

    @cached_property
    def _identity(self) -> str:
        """Digest of everything that decides what is answered, as far as we can know."""
        deciding = self.plan.model_dump(mode="json", include={"form", "request", "answer", "answers", "output"})
        return fingerprint(
            ["endpoint", LEDGER_VERSION, self.url, self.protocol, self._dialect.version()],
            deciding,
            [self._reader.classes, self._reader.outputs],
        )

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(None if self.folder is None else self.folder / f"endpoint-{self._identity}.sqlite")

    @cached_property
    def _kept(self) -> int:
        """Records whose answers were there before this run."""
        return self._ledger.count()

    @property
    def _most(self) -> int:
        """Rows in a request."""
        limit = self._dialect.most()
        return self.plan.batch if limit is None else min(limit, self.plan.batch)

    def _look(self, url: str) -> Any:
        return self._sender.send(Request(), Response.json, url=url)  # no query: it costs nothing, and is not counted

    def _ask(self, x: Rows, rows: Ints) -> dict[str, Floats]:
        """Sends rows that the ledger does not hold; returns their answers by name."""
        _ = self._kept
        left = None if self.budget is None else self.budget - int(self._ledger.total("queries"))
        if left is not None and len(rows) > left:
            raise BudgetError(
                f"query budget: {len(rows):,} more records to send, {max(left, 0):,} of {self.budget:,} are left in "
                f"target.query_budget; nothing was sent"
            )
        advance = self.told.stage("queries", len(rows))
        found: dict[str, Floats] = {}
        self._start_clock()
        if not (self._tried or self._kept):  # answers were understood before
            first, rows = rows[: min(FIRST, self._most)], rows[min(FIRST, self._most) :]
            found |= self._small_query(take_rows(x, first))
            advance(len(first))
        try:
            with ThreadPoolExecutor(self.plan.concurrency) as threads:
                for some in self._in_flight(threads, x, rows):
                    found |= some
                    advance(len(some))
        finally:
            self._sender.stopped.clear()
        return found

    def _small_query(self, x: Rows) -> dict[str, Floats]:
        """Sends a few records first, and says what was understood."""
        batch = make_batch(x)
        answers = self._kept_answers(batch)
        self._tried = True
        columns = ", ".join(batch.columns[:6]) + (f", ... ({len(batch.columns)})" if len(batch.columns) > 6 else "")
        shown = ", ".join(
            f"{name} {p:.3g}" for name, p in zip(self.classes[:4], np.exp(answers[0][:4]).tolist(), strict=False)
        )
        self._understood = [
            *self._understood,
            f"{len(batch)} records of the columns {columns} were sent first",
            f"an answer is {self._reader.describe()}",
            f"the first record: {shown}{', ...' if self.n_classes > 4 else ''}",
        ]
        self.told.note(f"{self._sender.host} ({self.protocol}): {'; '.join(self._understood)}")
        return dict(zip(batch.ids, answers, strict=True))

    def _in_flight(self, threads: ThreadPoolExecutor, x: Rows, rows: Ints) -> Iterator[dict[str, Floats]]:
        """Batches as they are answered; after an error no new one is sent, and those on their way are kept."""
        parts = iter([rows[i : i + self._most] for i in range(0, len(rows), self._most)])

        def begin(count: int) -> set[Future[dict[str, Floats]]]:
            return {threads.submit(self._ask_batch, take_rows(x, part)) for part in islice(parts, count)}

        waiting, failed = begin(self.plan.concurrency), None
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    error = future.exception()
                    if error is None:
                        yield future.result()
                    else:
                        failed = failed or error
                        self._sender.stopped.set()
                if failed is None:
                    waiting |= begin(len(finished))
        except BaseException:
            self._sender.stopped.set()  # Ctrl-C: nobody waits for another try
            raise
        if failed is not None:
            raise failed

    def _ask_batch(self, x: Rows) -> dict[str, Floats]:
        batch = make_batch(x)
        return dict(zip(batch.ids, self._kept_answers(batch), strict=True))

    def _kept_answers(self, batch: RequestRows) -> Floats:
        """Sends a batch, and writes its answers down."""
        found = self._answers(batch)
        self._ledger.keep(batch.ids, found)
        return found

    def _answers(self, batch: RequestRows) -> Floats:
        """Sends a batch until it is answered."""

        def read(response: Response) -> Floats:
            return self._reader.read(self._dialect.answers(response, batch), len(batch))

        def before(number: int) -> None:
            self._ledger.spend(len(batch), self.budget, again=number > 1)

        try:
            request = self._dialect.request(batch)
        except ModelError as error:
            raise self._sender.named(error) from None
        return self._sender.send(request, read, before=before, after=self._count)

    def _start_clock(self) -> None:
        with self._clock:
            self._since = time.monotonic()

    def _count(self, sent: int, received: int) -> None:
        with self._clock:
            now = time.monotonic()
            waited, self._since = (now - self._since if self._since else 0.0), now
        self._ledger.add(bytes_sent=sent, bytes_received=received, seconds=waited)


def _names(x: Rows) -> list[str]:
    """The names of all rows, by their content."""
    n = count_rows(x)
    parts = [np.arange(i, min(n, i + AT_ONCE), dtype=np.int64) for i in range(0, n, AT_ONCE)]
    return [name for part in parts for name in make_batch(take_rows(x, part)).ids]


def open_endpoint(target: TargetPlan) -> ModelFile:
    """A plan's endpoint, before it is joined to classes; nothing is sent yet.

    Raises:
        UsageError: an environment variable that is not set.
    """
    url, protocol, plan = target.endpoint, target.protocol, target.requests
    assert url is not None
    assert protocol is not None
    headers = read_headers(target.headers)

    def make(use: Use) -> EndpointModel:
        whole = target.reveals in ("full", "labels")
        return EndpointModel(url, protocol, plan, headers, tuple(use.classes), use.outputs, target.query_budget, whole)

    return ModelFile(make, plan.classes)
