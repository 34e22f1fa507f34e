"""The ledger: which records were paid for, what was answered, and what it all cost; durable after each batch.

One SQLite file for each way of querying one endpoint. What a try costs is written before it is sent, so that a killed
audit never counts too little; answers are written as they come, so that no record that was answered is sent again.
Several processes may share a file.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gnomon.core.arrays import Floats
from gnomon.core.errors import BudgetError, StoreError


class Database:
    """Tables in a file that several processes share; without a file, all is forgotten at the end.

    Args:
        file: the file, which is made if it is not there.
        tables: the statements that make them.
        problem: what can't be done where the file fails, with a place for the reason.

    Raises:
        StoreError: the file can't be made, or is damaged; also where something is read or written.
    """

    def __init__(self, file: Path | None, tables: str, problem: str) -> None:
        self._problem = f"{file or 'endpoint'}: {problem}"
        with self.reading():
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(file or ":memory:", timeout=60, check_same_thread=False)
            weakref.finalize(self, self.connection.close)
            self.connection.isolation_level = None  # transactions begin where `writing` says so
            self.connection.executescript(tables)
            if file is not None:
                file.chmod(0o600)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What fails inside is said in our words."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(self._problem.format(error)) from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; no other process writes meanwhile, and nothing is written if it raises."""
        with self.reading():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise


TABLES = """
CREATE TABLE IF NOT EXISTS answers (record TEXT PRIMARY KEY, answer BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
"""
ADD = "INSERT INTO totals VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
AT_ONCE = 500  # records in one look-up
PROBLEM = (
    "the answers of the endpoint can't be kept there ({}); free space, name another folder, or remove the file if it "
    "is damaged (its records are then sent again)"
)


class Ledger(Database):
    """Answers by record, and totals; used by several threads, and by several processes that share the file.

    >>> ledger = Ledger()
    >>> ledger.spend(3, budget=4)
    >>> ledger.keep(["a"], np.log(np.array([[0.5, 0.5]], np.float32)))
    >>> np.exp(ledger.find(["a", "b"])["a"]).tolist(), ledger.total("queries")
    ([0.5, 0.5], 3.0)
    >>> ledger.spend(2, budget=4)
    Traceback (most recent call last):
    gnomon.core.errors.BudgetError: query budget: 2 more records to send, 3 of 4 are spent; nothing was sent
    """

    def __init__(self, file: Path | None = None) -> None:
        """Opens a file, or makes it; without one, all is forgotten at the end.

        Raises:
            StoreError: the file can't be made, or is damaged.
        """
        self._lock = threading.Lock()
        self._waiting: dict[str, float] = {}
        super().__init__(file, TABLES, PROBLEM)

    def find(self, records: Sequence[str]) -> dict[str, Floats]:
        """Natural-log probabilities (c,) of those of the records that were answered."""
        found: dict[str, Floats] = {}
        with self._lock, self.reading():
            for start in range(0, len(records), AT_ONCE):
                some = records[start : start + AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = self.connection.execute(f"SELECT record, answer FROM answers WHERE record IN ({marks})", some)
                found |= {record: np.frombuffer(answer, np.float32) for record, answer in rows}
        return found

    def count(self) -> int:
        """How many records have an answer."""
        with self._lock, self.reading():
            return int(self.connection.execute("SELECT count(*) FROM answers").fetchone()[0])

    def total(self, name: str) -> float:
        """What was added up under a name."""
        with self._lock, self.reading():
            return self._total(name)

    def spend(self, queries: int, budget: int | None, *, again: bool = False) -> None:
        """Counts records that are about to be sent in a request, and whether it is a further try.

        Raises:
            BudgetError: they would pass the budget; then they are not counted and must not be sent.
        """
        with self._lock, self.writing():
            spent = self._total("queries")
            if budget is not None and spent + queries > budget:
                raise BudgetError(
                    f"query budget: {queries:,} more records to send, {spent:,.0f} of {budget:,} are spent; nothing "
                    "was sent"
                )
            self.connection.executemany(ADD, [("queries", queries), ("requests", 1), ("retries", int(again))])

    def add(self, **amounts: float) -> None:
        """Adds to totals; they are written with what is written next."""
        with self._lock:
            for name, amount in amounts.items():
                self._waiting[name] = self._waiting.get(name, 0.0) + amount

    def keep(self, records: Sequence[str], answers: Floats) -> None:
        """Writes answers (n, c); they are on disk when this returns."""
        rows = [(r, np.ascontiguousarray(a, np.float32).tobytes()) for r, a in zip(records, answers, strict=True)]
        with self._lock, self.writing():
            self.connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", rows)

    def _total(self, name: str) -> float:
        found = self.connection.execute("SELECT value FROM totals WHERE name = ?", (name,)).fetchone()
        return self._waiting.get(name, 0.0) + (0.0 if found is None else float(found[0]))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, in which the waiting totals are written too."""
        with super().writing():
            yield
            self.connection.executemany(ADD, list(self._waiting.items()))
        self._waiting.clear()
