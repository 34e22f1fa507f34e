"""Where a user's own modules are found, and that nothing of theirs is where nobody asked for it."""

import sys
from pathlib import Path

import pytest

from gnomon.auditing.settings import Trust
from gnomon.cli.shared import own_modules_first


@pytest.mark.parametrize(("trust", "types", "first"), [(False, (), False), (True, (), True), (False, ("a.B",), True)])
def test_the_folder_comes_first_only_where_code_of_it_may_run(
    trust: bool, types: tuple[str, ...], first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["elsewhere"])
    own_modules_first(Trust(trust, types))
    assert sys.path == ([str(tmp_path), "elsewhere"] if first else ["elsewhere"])
