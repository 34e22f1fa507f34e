"""Which models a service was told to train: counted before they are begun, and forgotten when they are removed."""

from __future__ import annotations

from pathlib import Path

from gnomon.core.errors import UsageError
from gnomon.models.endpoint.ledger import Database

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
