"""A risk appetite is a file; a mistake in it is one line."""

from pathlib import Path

import pytest

from gnomon.auditing.structure.examine import read_appetite
from gnomon.core.errors import PlanError


def test_keys_that_are_not_given_are_cautious(tmp_path: Path) -> None:
    file = tmp_path / "tre.toml"
    file.write_text('leaf_rows = 5\nrefuse = ["stored-rows", "small-leaves"]\n')
    found = read_appetite(str(file))
    assert (found.leaf_rows, found.stored_rows, found.refuse) == (5, 0, ("stored-rows", "small-leaves"))
    assert read_appetite(None).leaf_rows == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("leaf_row = 5", 'did you mean "leaf_rows"'),
        ("leaf_rows = 0", "leaf_rows: input should be greater than or equal to 1, got 0"),
        ('refuse = ["knn"]', "refuse.0"),
        ("leaf_rows =", "not valid TOML"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "tre.toml"
    file.write_text(text)
    with pytest.raises(PlanError, match=r"tre\.toml") as raised:
        read_appetite(str(file))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
