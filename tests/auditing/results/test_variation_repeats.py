"""Repeated targets through a whole small audit, and who can be accused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification

from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import RowSplit
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.run import run_audit
from gnomon.core.data.dataset import make_dataset
from gnomon.core.errors import UsageError
from gnomon.core.plan import make_plan
from gnomon.engines.local import LocalEngine
from gnomon.models.plugins import estimator_from_path
from gnomon.models.sklearn import SklearnTrainer
from gnomon.store.arrays import ArrayStore

N = 400


def audited(folder: Path, parts: RowSplit | None = None, *, depth: int | None = None, **tables: Any) -> Outcome:
    x, y = make_classification(N, 8, n_informative=5, n_classes=3, flip_y=0.2, random_state=0)
    data = make_dataset(x, y, groups=np.arange(N) // 4)
    recipe = SklearnTrainer(estimator_from_path("sklearn.tree:DecisionTreeClassifier", {"max_depth": depth}))
    values = {
        "data": {"source": "x"},
        "shadow": {"count": 6},
        "attacks": {"names": ["gap", "loss", "lira"], "rehearsals": 2},
        "statistics": {"fprs": [0.1], "slices": ["class", "x0:2"]},
    }
    for name, table in tables.items():
        values[name] = {**values.get(name, {}), **table} if isinstance(table, dict) else table
    subject = AuditInputs(data, parts, False, None, None, recipe, recipe)
    return run_audit(make_plan(values), subject, store=ArrayStore(folder), engine=LocalEngine(1))


def test_repeated_targets_show_their_spread(tmp_path: Path) -> None:
    record = audited(tmp_path, target={"repeats": 3}).record
    for attack in record.attacks:
        assert attack.auc is not None
        found = attack.repeats
        assert found is not None
        assert (found.targets, len(found.auc.values), found.auc.values[0]) == (3, 3, attack.auc.value)
        assert found.auc.lowest <= np.mean(found.auc.values) <= found.auc.highest
        assert len(set(found.auc.values)) > 1, "other rows and seeds make another model"
    gap = next(a.repeats for a in record.attacks if a.name == "gap")
    assert gap is not None
    # a full tree knows its rows by heart whichever they are, and errs on others: every target leaks
    assert gap.auc.lowest > 0.6
    assert "single-target" not in [f.code for f in record.findings]


def test_one_target_carries_its_caveat(tmp_path: Path) -> None:
    record = audited(tmp_path).record
    assert all(a.repeats is None for a in record.attacks)
    assert "single-target" in [f.code for f in record.findings]


def test_repeats_are_the_same_again_and_come_from_the_store(tmp_path: Path) -> None:
    first, again = (audited(tmp_path, target={"repeats": 2}).record for _ in range(2))
    assert [a.repeats for a in first.attacks] == [a.repeats for a in again.attacks]


def test_members_in_the_attackers_pool_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keep_apart"):
        audited(tmp_path, view="adversary", data={"keep_apart": False}, target={"repeats": 2}, shadow={"size": 100})


def test_the_record_of_a_whole_audit_speaks_of_people(tmp_path: Path) -> None:
    outcome = audited(tmp_path, data={"split_by_group": True})
    record = outcome.record
    assert record.risk is not None
    assert outcome.risk is not None
    assert len(outcome.risk.ids) == len(outcome.ids) == record.data.members + record.data.nonmembers
    assert outcome.risk.ids == outcome.ids
    for attack in record.attacks:
        assert attack.groups is not None
        assert attack.groups.mixed == 0
        assert attack.auc is not None
        assert attack.groups.auc.value > attack.auc.value, "a person leaks more than a record"
        assert len(attack.rehearsals) == 2
    assert [s.name for s in record.slices] == ["class", "x0:2"]
    assert sum(p.members for p in record.slices[0].slices) == record.data.members


def test_a_model_that_remembers_nothing_exposes_no_person(tmp_path: Path) -> None:
    record = audited(tmp_path, depth=1, data={"split_by_group": True}).record
    assert record.risk is not None
    assert record.risk.calibration_error is not None
    assert record.risk.calibration_error.low < 0.05
    assert abs((record.risk.mean_members or 0) - (record.risk.mean_nonmembers or 0)) < 0.1


def test_the_record_says_whose_intervals_allow_for_records_that_judge_each_other(tmp_path: Path) -> None:
    overlap = {"data": {"keep_apart": False}, "shadow": {"size": 100}, "attacks": {"names": ["loss", "lira_offline"]}}
    record = audited(tmp_path, view="adversary", **overlap).record
    assert {a.name: a.wider > 1.05 for a in record.attacks} == {"loss": False, "lira_offline": True}
