"""What decides a cell's record decides its key."""

import json
from pathlib import Path

import pytest
from tests.studies.worlds import small_plan

from gnomon.auditing.settings import Settings, Silent
from gnomon.core.generations import seal
from gnomon.core.plan import Plan, make_plan, read_plan
from gnomon.studies.cells import cell_key, finished, run_cell
from gnomon.studies.spec import CellPlan


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


def test_a_swapped_record_is_not_taken(tmp_path: Path) -> None:
    """Whole folders that were swapped, and a record that was put into another cell with a manifest that fits."""
    data = {"source": "digits", "rows": 160, "train_size": 80, "nonmember_size": 80}
    plans = [small_plan(data=data, seed=seed, shadow={"count": 0}, attacks={"names": ["gap"]}) for seed in (0, 1)]
    cells = [CellPlan({}, plan.seed, plan) for plan in plans]
    one, two = (run_cell(cell, tmp_path, Settings(workers=1), Silent()).folder for cell in cells)
    assert [finished(cell, tmp_path) is not None for cell in cells] == [True, True]
    own = (one / "record.json").read_text()
    assert read_plan(one / "plan.toml").seed == 0
    one.rename(tmp_path / "aside")
    two.rename(one)
    (tmp_path / "aside").rename(two)
    assert [finished(cell, tmp_path) for cell in cells] == [None, None]
    note = (two / "cell.json").read_text()
    (one / "cell.json").write_text(note)
    (one / "manifest.json").unlink()
    seal(one, "audit")
    assert finished(cells[0], tmp_path) is None
    again = run_cell(cells[0], tmp_path, Settings(workers=1), Silent())
    assert "holds the record of another plan than this cell's; carried out again" in str(again.reason)
    assert again.record is not None
    assert again.record.plan == json.loads(own)["plan"]
