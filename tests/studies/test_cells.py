"""What decides a cell's record decides its key."""

from pathlib import Path

import pytest

from gnomon.core.plan import Plan, make_plan
from gnomon.studies.cells import cell_key


def plan_with(key: str, value: str) -> Plan:
    values: dict[str, dict[str, object]] = {"data": {"source": "digits"}, "canaries": {"kind": "random"}}
    if key in ("data.members", "data.nonmembers", "data.pool"):
        values["data"] = {"members": "in.csv", "nonmembers": "out.csv"}
    if key == "canaries.file":
        values["canaries"] = {"kind": "own"}
    *tables, name = key.split(".")
    table = values
    for part in tables:
        table = table.setdefault(part, {})  # type: ignore[assignment]
    table[name] = value  # type: ignore[assignment]
    return make_plan(values)


@pytest.mark.parametrize(
    "key",
    [
        "data.members",
        "data.nonmembers",
        "data.pool",
        "target.model",
        "target.member_answers",
        "target.nonmember_answers",
        "shadow.marginals",
        "canaries.file",
    ],
)
def test_another_content_of_a_file_is_another_cell(key: str, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a,b\n1,2\n")
    plan = plan_with(key, str(file))
    before = cell_key(plan)
    assert cell_key(plan) == before
    file.write_text("a,b\n1,3\n")
    assert cell_key(plan) != before


@pytest.mark.parametrize("key", ["target.callable", "trainer.module", "trainer.function", "shadow.recipe.function"])
def test_another_content_of_the_users_own_code_is_another_cell(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "own_recipe_of_test_cells.py"
    file.write_text("def make(): ...\n")
    plan = plan_with(key, f"{file.stem}:make")
    before = cell_key(plan)
    file.write_text("def make(): return 1\n")
    assert cell_key(plan) != before
