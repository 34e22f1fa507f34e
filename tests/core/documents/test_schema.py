"""What tables of a plan and parts of a record refuse, and which keys name files or code."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from gnomon.core.documents.schema import CodeName, Estimate, FileName, Part, PlanTable


class Inner(PlanTable):
    rows: FileName | None = None
    code: CodeName = "a:b"


class Outer(PlanTable):
    table: Inner = Inner()
    other: FileName | None = None
    word: str = "plain"


def test_keys_are_found_by_what_they_name_wherever_they_stand() -> None:
    plan = Outer(table=Inner(rows="a.csv"), other="b.csv")
    assert dict(plan.named("file")) == {"table.rows": "a.csv", "other": "b.csv"}
    assert dict(plan.named("code")) == {"table.code": "a:b"}


def test_only_files_become_relative_to_a_folder() -> None:
    plan = Outer(table=Inner(rows="a.csv"), other="/b.csv").with_files_in(Path("/plans"))
    assert (plan.table.rows, plan.other, plan.table.code, plan.word) == ("/plans/a.csv", "/b.csv", "a:b", "plain")
    assert Outer().with_files_in(Path("/plans")) == Outer()
    assert Outer().with_files_in(Path("/plans")).model_fields_set == set()


@pytest.mark.parametrize("kind", [Inner, Estimate])
def test_unknown_keys_are_refused_and_nothing_changes_later(kind: type[PlanTable | Part]) -> None:
    given = {"value": 1.0, "low": 0.0, "high": 2.0} if kind is Estimate else {}
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        kind(**given, surprise=1)
    made = kind(**given)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, next(iter(kind.model_fields)), None)


def test_json_has_no_infinities() -> None:
    text = Estimate(value=float("inf"), low=float("nan"), high=1.0).model_dump_json()
    assert json.loads(text) == {"value": None, "low": None, "high": 1.0}
