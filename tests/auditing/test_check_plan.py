"""A plan checked: what an audit would say first, and nothing on the disk."""

from pathlib import Path
from typing import Any

import pytest

from gnomon.auditing.check_plan import check_plan
from gnomon.core.errors import UsageError
from gnomon.core.plan import make_plan

PLAN: dict[str, Any] = {
    "name": "digits",
    "data": {"source": "digits", "train_size": 100, "nonmember_size": 120, "rows": 400},
    "trainer": {"kind": "sklearn", "estimator": "sklearn.tree:DecisionTreeClassifier"},
    "shadow": {"count": 6, "size": 90},
    "attacks": {"names": ["gap", "boundary"]},
}


def test_it_states_what_the_audit_will_do_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = check_plan(make_plan(PLAN))
    assert (found.name, found.target, found.shadows, found.training_rows) == ("digits", "trained here", 6, 90)
    assert (found.data.members, found.data.nonmembers) == (100, 120)
    assert [one.name for one in found.attacks] == ["gap", "boundary"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"view": "adversary", "shadow": {"count": 2, "size": 5000}}, "5000 rows"),
        ({"statistics": {"slices": ["shoe"]}}, "shoe"),
        ({"attacks": {"names": ["gapp"]}}, 'did you mean "gap"'),
    ],
)
def test_what_would_end_the_audit_ends_the_check(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_plan(make_plan(PLAN | changes))
