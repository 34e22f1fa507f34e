"""A file is written whole or not at all."""

import stat
from pathlib import Path

import numpy as np
import pytest
from tests.full_disk import full_disk

from gnomon.core.errors import StoreError
from gnomon.core.system import replacing, write_text


def test_a_file_takes_the_place_of_the_old_one_and_its_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.txt"
    write_text(file, "one\nünö")
    write_text(file, "two")
    assert file.read_text(encoding="utf-8") == "two"
    assert [path.name for path in file.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_the_new_file_has_the_permissions_that_were_asked_for(mode: int, tmp_path: Path) -> None:
    with replacing(tmp_path / "a", mode=mode) as temporary:
        temporary.write_bytes(b"x")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_a_reader_sees_the_old_file_until_the_block_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "old")
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert (tmp_path / "a").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(error: type[BaseException], tmp_path: Path) -> None:
    write_text(tmp_path / "a", "old")
    with pytest.raises(error), replacing(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_numpys_words_for_a_full_disk_are_not_ours(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    with (
        full_disk(),
        pytest.raises(
            StoreError, match=r"a\.npy: cannot be written \(only a part of it, as if the disk were full\); free"
        ),
        replacing(file) as temporary,
        temporary.open("wb") as stream,
    ):
        np.save(stream, np.zeros(1000))
    assert not list(tmp_path.iterdir())
