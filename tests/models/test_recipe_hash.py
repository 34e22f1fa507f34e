"""What stands for a recipe in keys."""

from pathlib import Path

import pytest
from tests.models.test_user_code import write

from gnomon.core.errors import ModelError
from gnomon.models.recipe_hash import describe_files


def test_files_count_by_name_and_content_wherever_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write({"a/x.csv": "1", "b/x.csv": "1", "c/y.csv": "1"})
    one, two, three = (describe_files([name]) for name in ("a/x.csv", "b/x.csv", "c/y.csv"))
    assert one == two != three
    assert describe_files(()) == {}
    with pytest.raises(ModelError, match=r"gone\.csv: a file of the recipe cannot be read"):
        describe_files(["gone.csv"])
