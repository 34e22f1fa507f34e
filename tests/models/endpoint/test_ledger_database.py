"""A transaction is written whole or not at all, and waits for others."""

import sqlite3
from pathlib import Path

import pytest

from gnomon.models.endpoint.ledger import open_database, writing

TABLE = "CREATE TABLE IF NOT EXISTS t (x INTEGER);"


def test_what_raises_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "new" / "t.sqlite"
    connection = open_database(file, TABLE)
    with writing(connection):
        connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(KeyboardInterrupt), writing(connection):
        connection.execute("INSERT INTO t VALUES (2)")
        raise KeyboardInterrupt
    again = open_database(file, TABLE)
    assert again.execute("SELECT x FROM t").fetchall() == [(1,)]
    connection.close()
    again.close()


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    one, other = (open_database(tmp_path / "t.sqlite", TABLE) for _ in range(2))
    other.execute("PRAGMA busy_timeout = 10")
    with writing(one), pytest.raises(sqlite3.OperationalError, match="locked"), writing(other):
        pass
    one.close()
    other.close()
