"""SQLite files that several processes share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_database(file: Path | None, tables: str) -> sqlite3.Connection:
    """A connection whose transactions begin where `writing` says so; without a file, all is forgotten at the end.

    Raises:
        sqlite3.Error, OSError: the file can't be made, or is damaged.
    """
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file or ":memory:", timeout=60, check_same_thread=False)
    connection.isolation_level = None
    connection.executescript(tables)
    return connection


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction; no other process writes meanwhile, and nothing is written if it raises.

    Raises:
        sqlite3.Error: it can't be written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
