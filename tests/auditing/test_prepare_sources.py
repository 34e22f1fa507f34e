"""Shadow data that the attacker makes: one key of the plan, everything else stays."""

from pathlib import Path
from typing import Any

import pytest

from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings
from gnomon.core.documents.record import Record
from gnomon.core.errors import DataError, PlanError, UsageError
from gnomon.core.plan import make_plan

PLAN: dict[str, Any] = {
    "view": "adversary",
    "data": {"source": "digits", "train_size": 300, "nonmember_size": 300},
    "trainer": {
        "kind": "sklearn",
        "estimator": "sklearn.tree:DecisionTreeClassifier",
        "params": {"min_samples_leaf": 3},
    },
    "shadow": {"count": 3, "size": 200, "rows": 400},
    "attacks": {"names": ["gap", "shokri"], "rehearsals": 0, "options": {"shokri": {"epochs": 2}}},
}


def run(folder: Path, source: Any, **shadow: Any) -> Record:
    plan = make_plan(PLAN | {"shadow": PLAN["shadow"] | {"source": source} | shadow})
    return audit_plan(plan, folder, Settings(workers=1)).record


def test_several_sources_stand_side_by_side(tmp_path: Path) -> None:
    record = run(tmp_path, ["noisy:0.2", "marginals", "real"])
    assert [s.source for s in record.shadow_sources] == ["noisy:0.2", "marginals", "real"]
    assert [s.rows for s in record.shadow_sources] == [1197, 400, 1197]
    assert [s.queries for s in record.shadow_sources] == [0, 400, 0]
    assert all([a.name for a in s.attacks] == ["shokri"] for s in record.shadow_sources)
    assert record.threat_model.shadow_data == "noisy:0.2"
    assert any("noisy versions" in s for s in record.threat_model.sentences)


def test_climbing_counts_its_queries_and_keeps_its_budget(tmp_path: Path) -> None:
    rules = {"kmax": 16, "itermax": 100, "budget": 3000, "climbers": 64}
    [found] = run(tmp_path, "climbing", climbing=rules).shadow_sources
    assert 0 < found.queries <= 3000
    assert found.rows > 10
    assert found.queries_per_record == pytest.approx(found.queries / found.rows)


def test_another_target_in_the_same_folder_is_climbed_anew(tmp_path: Path) -> None:
    rules = {"kmax": 16, "itermax": 100, "budget": 2000, "climbers": 64}
    first = run(tmp_path, "climbing", climbing=rules)
    plan = make_plan(PLAN | {"seed": 5, "shadow": PLAN["shadow"] | {"source": "climbing", "climbing": rules}})
    second = audit_plan(plan, tmp_path, Settings(workers=1)).record
    assert second.shadow_sources[0].queries > 0
    assert len(list((tmp_path / "store").glob("climb-*.npz"))) == 2
    assert first.provenance.fingerprints["data"] == second.provenance.fingerprints["data"]


PIXELS = [{"name": f"pixel{j}", "kind": "integer", "columns": [j], "low": 0, "high": 16} for j in range(64)]


def declared(folder: Path, features: Any) -> Record:
    data = PLAN["data"] | {"features": features}
    return audit_plan(
        make_plan(PLAN | {"data": data, "shadow": PLAN["shadow"] | {"source": "marginals"}}), folder
    ).record


def test_features_may_be_declared_in_the_plan(tmp_path: Path) -> None:
    assert declared(tmp_path, PIXELS).shadow_sources[0].rows == 400


@pytest.mark.parametrize(
    ("features", "error", "words"),
    [
        (PIXELS[:-1], PlanError, "63 columns are declared"),
        ([*PIXELS[:-1], PIXELS[-1] | {"high": 3}], DataError, "pixel63"),
        ([*PIXELS[:-1], PIXELS[-1] | {"kind": "whole"}], UsageError, "kind"),
    ],
)
def test_features_that_the_rows_do_not_have_are_refused(
    tmp_path: Path, features: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        declared(tmp_path, features)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"view": "auditor", "shadow": {"source": "noisy"}}, UsageError, "adversary"),
        ({"shadow": {"source": "climbing"}, "target": {"reveals": "labels"}}, UsageError, "label"),
        ({"shadow": {"source": "nosy"}}, PlanError, "pattern"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, changes: dict[str, Any], error: type, words: str) -> None:
    values = PLAN | changes | {"shadow": PLAN["shadow"] | changes["shadow"]}
    with pytest.raises(error, match=words):
        audit_plan(make_plan(values), tmp_path, Settings(workers=1))
