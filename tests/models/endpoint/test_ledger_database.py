"""A transaction is written whole or not at all, and waits for others."""

from pathlib import Path

import pytest

from gnomon.core.errors import StoreError
from gnomon.models.endpoint.ledger import Database

TABLE = "CREATE TABLE IF NOT EXISTS t (x INTEGER);"


def test_what_raises_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "new" / "t.sqlite"
    database = Database(file, TABLE, "no way ({})")
    with database.writing():
        database.connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(KeyboardInterrupt), database.writing():
        database.connection.execute("INSERT INTO t VALUES (2)")
        raise KeyboardInterrupt
    again = Database(file, TABLE, "no way ({})")
    assert again.connection.execute("SELECT x FROM t").fetchall() == [(1,)]


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    one, other = (Database(tmp_path / "t.sqlite", TABLE, "no way ({})") for _ in range(2))
    other.connection.execute("PRAGMA busy_timeout = 10")
    with one.writing(), pytest.raises(StoreError, match=r"t.sqlite: no way \(database is locked\)"), other.writing():
        pass
