"""Mitigations in an audit: who knows of them, what is trained again, what the record says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.base import clone

from gnomon.auditing.api import audit
from gnomon.auditing.evidence import mitigations as mitigation
from gnomon.auditing.evidence.answers import AnswerSet, build_answers
from gnomon.auditing.inputs import plugins
from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.prepare import Prepared, make_rows, make_target, prepare, train_target
from gnomon.auditing.results.threat_model import mitigation_facts
from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings
from gnomon.auditing.synth import make_attackers_rows
from gnomon.core.errors import UsageError
from gnomon.core.mitigations import Reference
from gnomon.core.plan import Plan, make_plan
from gnomon.core.protocols import Trainer
from gnomon.engines.local import LocalEngine
from gnomon.mitigations import is_own
from gnomon.models.sklearn import SklearnTrainer
from gnomon.report import render
from gnomon.store.arrays import ArrayStore

PLAN: dict[str, Any] = {
    "data": {"source": "digits", "train_size": 300, "rows": 800, "reference_size": 100},
    "trainer": {
        "kind": "sklearn",
        "estimator": "sklearn.tree:DecisionTreeClassifier",
        "params": {"min_samples_leaf": 3},
    },
    "shadow": {"count": 4, "size": 200},
    "attacks": {"names": ["gap", "confidence", "lira"], "rehearsals": 1, "ladder": False},
}


def planned(*mitigations: str, **changes: Any) -> Plan:
    tables = {name: PLAN.get(name, {}) | values for name, values in changes.items()}
    return make_plan(PLAN | tables | {"mitigations": mitigations})


def run(folder: Path, *mitigations: str, **changes: Any) -> Outcome:
    return audit_plan(planned(*mitigations, **changes), folder, Settings(workers=1))


def world(plan: Plan, folder: Path, *, asks: bool = False) -> tuple[Prepared, AnswerSet]:
    """The evidence of a plan, and nothing behind it."""
    prepared = prepare(plan, load_inputs(plan), ArrayStore(folder / "store"), LocalEngine(1))
    target = make_target(train_target(prepared), prepared) if asks else None
    return prepared, build_answers(make_rows("real", prepared, target), target, prepared)


def sizes(answers: Sequence[Any]) -> list[int]:
    """Most entries above 0 in an answer, array by array."""
    return [int((np.asarray(a) > -np.inf).sum(axis=-1).max()) for a in answers]


def test_a_mitigation_of_answers_trains_nothing_again(tmp_path: Path) -> None:
    few = {"data": {"train_size": 100, "rows": 300, "reference_size": 60}, "shadow": {"count": 2, "size": 80}}
    plain = run(tmp_path, **few).record
    assert plain.shadows is not None
    assert plain.shadows.trained == 2
    stored = len(list(tmp_path.rglob("*.npy")))
    for mitigations in (("top3",), ("temperature5", "top2"), ("memguard:0.5", "round2")):
        found = run(tmp_path, *mitigations, **few).record
        assert found.shadows is not None
        assert (found.shadows.trained, found.shadows.reused) == (0, 2)
        if "round2" not in mitigations:
            assert found.target.test_accuracy == plain.target.test_accuracy
        assert found.provenance.fingerprints["data"] == plain.provenance.fingerprints["data"]
    mitigated = len(list(tmp_path.rglob("*.npy")))
    assert mitigated > stored
    run(tmp_path, "top3", **few)
    assert len(list(tmp_path.rglob("*.npy"))) == mitigated, "mitigated answers are found again"


def test_who_knows_the_mitigation_answers_through_it_and_who_is_naive_does_not(tmp_path: Path) -> None:
    for knows in (True, False):
        plan = planned("top2", shadow={"mitigated": knows})
        for asks in (False, True):
            _, found = world(plan, tmp_path, asks=asks)
            assert found.case.evidence.answers is not None
            assert found.case.evidence.shadows is not None
            assert sizes([found.case.evidence.answers]) == [2]
            seen = sizes(found.case.evidence.shadows.answers)
            assert max(seen) <= 2 if knows else min(seen) > 2


def test_a_target_that_can_be_asked_answers_as_its_stored_answers_do(tmp_path: Path) -> None:
    plan = planned("temperature5", "noise:0.1")
    _, stored = world(plan, tmp_path)
    setting, asked = world(plan, tmp_path, asks=True)
    np.testing.assert_allclose(np.exp(asked.target_answers), np.exp(stored.target_answers), atol=1e-6)
    query = asked.case.evidence.query
    assert query is not None
    np.testing.assert_allclose(np.exp(query.ask(asked.case.evidence.x)), np.exp(stored.target_answers), atol=1e-6)
    assert setting.inputs.trainer is not None


def test_the_record_and_the_report_say_what_is_mitigated_and_who_knows(tmp_path: Path) -> None:
    record = run(tmp_path, "top3", "labels").record
    assert [(m.label, m.acts_on) for m in record.mitigations] == [("top3", "answers"), ("labels", "answers")]
    assert record.threat_model.knows_mitigations is True
    assert any("answering with Top k (top3), Label only (labels)" in s for s in record.threat_model.sentences)
    assert "Mitigations: Top k (top3), Label only (labels). The attacker knows them." in _plain(record)
    assert record.target.answer_size == 1
    naive = run(tmp_path, "top3", shadow={"mitigated": False}).record
    assert naive.threat_model.knows_mitigations is False
    assert any("naive" in s for s in naive.threat_model.sentences)
    assert "The attacker does not know them (naive)." in _plain(naive)
    plain = run(tmp_path).record
    assert plain.mitigations == []
    assert plain.threat_model.knows_mitigations is None
    assert "Mitigations" not in _plain(plain)


def _plain(record: Any) -> str:
    return " ".join(render(record, "terminal").split())


def test_label_only_leaves_the_gap_attack(tmp_path: Path) -> None:
    found = {a.name: a for a in run(tmp_path, "labels").record.attacks}
    assert found["gap"].auc is not None
    assert found["confidence"].auc is not None
    assert found["confidence"].auc.value == pytest.approx(found["gap"].auc.value, abs=1e-9)


def test_repeated_targets_are_mitigated_too(tmp_path: Path) -> None:
    plan = planned("labels", target={"repeats": 2}, attacks={"names": ["gap", "confidence"]})
    found = {a.name: a for a in audit_plan(plan, tmp_path, Settings(workers=1)).record.attacks}
    assert found["gap"].repeats is not None
    assert found["confidence"].repeats is not None
    np.testing.assert_allclose(found["gap"].repeats.auc.values, found["confidence"].repeats.auc.values, atol=1e-9)


def test_rows_that_an_attacker_makes_come_from_the_mitigated_target(tmp_path: Path) -> None:
    climbing = {"kmax": 16, "itermax": 40, "budget": 800, "climbers": 64}
    shadow = {"source": "climbing", "climbing": climbing, "count": 2}
    plan = planned("top3", shadow=shadow).model_copy(update={"view": "adversary"})
    made = make_attackers_rows(plan, "climbing", tmp_path)
    assert len(made.y) > 0
    with pytest.raises(UsageError, match="label"):
        make_attackers_rows(plan.model_copy(update={"mitigations": ("labels",)}), "climbing", tmp_path)


@dataclass(frozen=True)
class Shallow:
    """A mitigation in training for tests: trees of one level."""

    name: ClassVar[str] = "shallow"
    title: ClassVar[str] = "Shallow trees"
    paper: ClassVar[str] = "nobody"
    acts_on: ClassVar[str] = "training"
    needs: ClassVar[frozenset[str]] = frozenset({"reference"})
    keeps_label: ClassVar[bool] = False
    examples: ClassVar[tuple[str, ...]] = ("shallow",)
    label: ClassVar[str] = "shallow"

    def apply(self, trainer: Trainer, reference: Reference | None) -> Trainer:
        assert isinstance(trainer, SklearnTrainer)
        assert reference is not None
        return Told(SklearnTrainer(clone(trainer.estimator).set_params(max_depth=1)), len(reference.y))


@dataclass(frozen=True)
class Told:
    """A trainer whose models say something of themselves."""

    inner: SklearnTrainer
    rows: int

    def train(self, x: Any, y: Any, n_classes: int, rows: Any, seeds: Any) -> Any:
        models = self.inner.train(x, y, n_classes, rows, seeds)
        for model in models:
            object.__setattr__(model, "facts", {"reference rows": self.rows, "loss": [2.0, 1.0]})
        return models

    def recipe(self) -> dict[str, Any]:
        return self.inner.recipe() | {"told": self.rows}

    def batch_size(self, x: Any, n_classes: int, size: int) -> int:
        return 1


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    real = mitigation.make_mitigation
    monkeypatch.setattr(mitigation, "make_mitigation", lambda t: Shallow() if t == "shallow" else real(t))
    monkeypatch.setattr(plugins, "is_own", lambda t: t == "shallow" or is_own(t))


@pytest.mark.usefixtures("shallow")
@pytest.mark.parametrize("knows", [True, False])
def test_a_mitigation_in_training_reaches_the_target_and_who_knows_of_it(tmp_path: Path, knows: bool) -> None:
    record = run(tmp_path, "shallow", "top3", shadow={"mitigated": knows}).record
    assert record.target.test_accuracy is not None
    assert record.target.test_accuracy < 0.35
    assert record.shadows is not None
    assert record.shadows.test_accuracy is not None
    assert (record.shadows.test_accuracy.value < 0.35) is knows
    assert record.mitigations[0].facts == {"reference rows": 100}
    assert record.mitigations[0].curves == {"loss": [2.0, 1.0]}
    again = run(tmp_path, "shallow", shadow={"mitigated": knows}).record
    assert again.shadows is not None
    assert again.shadows.trained == 0
    assert again.mitigations[0].facts == {"reference rows": 100}, "what the store kept"
    assert any("trained with Shallow trees (shallow)" in s for s in record.threat_model.sentences)


@pytest.mark.usefixtures("shallow")
def test_facts_go_to_the_mitigation_that_they_belong_to() -> None:
    one = mitigation.Mitigations(in_training=(Shallow(),))  # type: ignore[arg-type]
    both = mitigation.Mitigations(in_training=(Shallow(), Shallow()))  # type: ignore[arg-type]
    assert mitigation_facts(one, {"a": 1, "shallow": {"b": 2}})[0].facts == {"a": 1, "b": 2}
    assert [m.facts for m in mitigation_facts(both, {"a": 1, "shallow": {"b": 2}})] == [{"a": 1}, {"b": 2}, {"b": 2}]
    assert [m.label for m in mitigation_facts(mitigation.Mitigations(), {"epsilon": 8.0})] == ["in training"]
    assert mitigation_facts(mitigation.Mitigations(), {}) == []


@pytest.mark.usefixtures("shallow")
def test_what_cannot_be_mitigated_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    alone = replace_data(planned("shallow"), reference_size=None)
    with pytest.raises(
        UsageError, match=r'mitigation "shallow" needs rows that are held out: give data.reference_size'
    ):
        audit_plan(alone, tmp_path)
    with pytest.raises(UsageError, match=r'no mitigation is called "tops"'):
        run(tmp_path, "tops3")
    with pytest.raises(UsageError, match="11 entries to keep, but there are only 10 classes"):
        run(tmp_path, "top11")
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.usefixtures("shallow")
def test_a_given_target_can_be_mitigated_in_its_answers_only() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.integers(0, 3, 200)
    sides = ((x[:100], y[:100]), (x[100:], y[100:]))

    def model(rows: Any) -> Any:
        return np.tile([0.5, 0.3, 0.2], (len(rows), 1)) + 0.1 * (rows[:, :1] > 0) * np.array([[1, -1, 0]])

    extra = {"plan": {"mitigations": ["top2"]}}
    record = audit(model, *sides, trainer=None, attacks=("gap", "loss"), **extra).record
    assert record.target.answer_size == 2
    with pytest.raises(UsageError, match=r'"shallow" act in training, but the target is not trained here'):
        audit(
            model,
            *sides,
            trainer=None,
            attacks=("gap",),
            plan={"mitigations": ["shallow"], "data": {"reference_size": 10}},
        )


def replace_data(plan: Plan, **changes: Any) -> Plan:
    return plan.model_copy(update={"data": plan.data.model_copy(update=changes)})
