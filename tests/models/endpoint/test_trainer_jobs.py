"""Models that a service was told to train are counted and not forgotten."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gnomon.core.errors import StoreError, UsageError
from gnomon.models.endpoint.trainer import Jobs


def test_what_was_begun_is_there_for_whoever_opens_the_file_next(tmp_path: Path) -> None:
    first = Jobs(tmp_path / "jobs.sqlite")
    first.begin("a", None)
    first.found("b")
    first.end("a")
    again = Jobs(tmp_path / "jobs.sqlite")
    assert (again.open(), again.begun()) == (["b"], 1)


def test_the_limit_holds_for_all_who_count_at_once(tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite"

    def begin(number: int) -> bool:
        try:
            Jobs(file).begin(f"job {number}", 5)
        except UsageError:
            return False
        return True

    with ThreadPoolExecutor(8) as several:
        assert sum(several.map(begin, range(24))) == 5
    assert len(Jobs(file).open()) == 5, "one that was refused is not noted"


def test_a_damaged_file_is_one_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_bytes(b"no database" * 500)
    with pytest.raises(StoreError, match=r"jobs\.sqlite: the models of the service can't be counted there"):
        Jobs(tmp_path / "jobs.sqlite")
