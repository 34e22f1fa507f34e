"""Audits that are kept: read back as long as nothing that decides them changed, and otherwise made."""

from pathlib import Path

import pytest
from tests.runs.test_compare import outcome
from tests.studies.worlds import small_plan

from gnomon.auditing.settings import Settings, Silent
from gnomon.core.plan import Plan
from gnomon.defending import results
from gnomon.defending.results import MARK, Keeper


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Plans that were audited, by a stand-in for the audit."""
    plans: list[Plan] = []

    def audit(plan: Plan, *_: object, **__: object):
        plans.append(plan)
        result = outcome(1.0, len(plans))
        result.record.plan.update(plan.model_dump(mode="json"))
        return result

    monkeypatch.setattr(results, "audit_plan", audit)
    return plans


def test_an_audit_is_made_once_for_each_plan(made: list[Plan], tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, Settings(workers=1), Silent())
    first = keeper.outcome(small_plan(), "none")
    again = keeper.outcome(small_plan(), "none")
    assert len(made) == 1
    assert again.record.attacks == first.record.attacks
    assert again.ids == first.ids
    assert (tmp_path / "none" / "report.html").is_file()
    keeper.outcome(small_plan(seed=1), "none")
    assert len(made) == 2


@pytest.mark.parametrize("lost", [MARK, "record.json", "scores/loss.npy"])
def test_what_lost_a_part_is_made_again(made: list[Plan], tmp_path: Path, lost: str) -> None:
    keeper = Keeper(tmp_path, Settings(workers=1), Silent())
    keeper.outcome(small_plan(), "none")
    (tmp_path / "none" / lost).unlink()
    keeper.outcome(small_plan(), "none")
    assert len(made) == 2
