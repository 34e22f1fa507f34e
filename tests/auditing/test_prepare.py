"""Everything that a plan leaves open is settled, and nothing is trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnomon.attacks import ATTACKS
from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.prepare import Prepared, find_model, make_target, prepare, train_target
from gnomon.core.errors import BudgetError, PlanError, UsageError
from gnomon.core.plan import make_plan
from gnomon.defending.apply import make_owned
from gnomon.store.arrays import ArrayStore

PLAN: dict[str, Any] = {
    "data": {"source": "digits", "train_size": 100, "rows": 300},
    "trainer": {"kind": "sklearn", "estimator": "sklearn.tree:DecisionTreeClassifier"},
}


def settled(folder: Path, **changes: Any) -> Prepared:
    plan = make_plan(PLAN | changes)
    return prepare(plan, load_inputs(plan), ArrayStore(folder / "store"))


def test_it_trains_nothing_and_the_seed_decides(tmp_path: Path) -> None:
    one, same, other = settled(tmp_path), settled(tmp_path), settled(tmp_path, seed=1)
    np.testing.assert_array_equal(one.roles.members, same.roles.members)
    assert not np.array_equal(one.roles.members, other.roles.members)
    assert not set(one.roles.members) & set(one.roles.nonmembers)
    assert [a.name for a in one.attacks] == [a.name for a in ATTACKS]
    assert not (tmp_path / "store").exists()


def test_attacks_are_those_that_are_named_with_their_options(tmp_path: Path) -> None:
    chosen = settled(tmp_path, attacks={"names": ["gap", "shokri"], "options": {"shokri": {"epochs": 2}}}).attacks
    assert [a.name for a in chosen] == ["gap", "shokri"]
    assert chosen[1].epochs == 2  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match='did you mean "shokri"'):
        settled(tmp_path, attacks={"options": {"shokry": {}}})


def test_the_target_is_the_owners_model_again_and_counts_its_queries(tmp_path: Path) -> None:
    prepared = settled(tmp_path, target={"query_budget": 30}, mitigations=["labels"])
    x = prepared.data.x[:20]
    owned = make_owned(prepared.plan)
    np.testing.assert_array_equal(train_target(prepared).log_probs(x), owned.plain.log_probs(x))
    assert owned.trainer is not None
    target = make_target(train_target(prepared), prepared)
    assert target is not None
    np.testing.assert_array_equal(np.exp(target.ask(x)).max(axis=1), 1.0)
    with pytest.raises(BudgetError):
        target.ask(x)
    assert make_target(None, prepared) is None


def test_a_model_is_trained_only_where_it_is_needed(tmp_path: Path) -> None:
    prepared = settled(tmp_path)
    assert find_model(prepared, needed=False) is None
    assert find_model(prepared, needed=True) is not None


def test_nobody_to_query(tmp_path: Path) -> None:
    prepared = settled(tmp_path)
    nobody = replace(prepared, inputs=replace(prepared.inputs, trainer=None))
    with pytest.raises(PlanError, match="nothing to query"):
        train_target(nobody)
