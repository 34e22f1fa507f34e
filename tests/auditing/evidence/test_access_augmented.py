"""Several queries a record through whole small audits."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnomon.auditing.evidence.answers import build_answers
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import RowSplit, draw_roles, draw_training_rows
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.prepare import make_rows, prepare
from gnomon.auditing.run import run_audit
from gnomon.core.answers import Reveal
from gnomon.core.data.augmentations import read_augmentations
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import BudgetError, PlanError, UsageError
from gnomon.core.plan import make_plan
from gnomon.core.seeds import Seeds
from gnomon.engines.local import LocalEngine
from gnomon.models.plugins import estimator_from_path
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.target import Target, parse_reveal
from gnomon.store.arrays import ArrayStore

N, D = 240, 30
READERS = ["lira", "lira_offline", "rmia", "rmia_offline", "bavaria", "bavaria_offline", "calibrated"]
FLIPS = ["flips:0.1x2"]


def bits() -> Dataset:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (N, D)).astype(np.float32)
    return make_dataset(x, (x[:, :5].sum(axis=1) + rng.normal(0, 1.5, N) > 2.5).astype(int))


@dataclass(frozen=True)
class Counted(SklearnTrainer):
    trained: list[int] = field(default_factory=list, compare=False)

    def train(self, *given: Any) -> Any:
        self.trained.append(len(given[3]))
        return super().train(*given)


def recipe() -> Counted:
    return Counted(estimator_from_path("sklearn.ensemble:RandomForestClassifier", {"n_estimators": 5}))


def plan_of(**tables: Any) -> Any:
    values: dict[str, Any] = {
        "data": {"source": "x", "population_size": 40, "train_size": 100},
        "shadow": {"count": 6},
        "attacks": {"names": READERS, "rehearsals": 1, "queries": FLIPS},
        "statistics": {"fprs": [0.1]},
    }
    for name, table in tables.items():
        values[name] = {**values.get(name, {}), **table} if isinstance(table, dict) else table
    return make_plan(values)


def world_of(folder: Path, plan: Any, trainer: Counted, target: Target | None = None) -> Any:
    data = bits()
    inputs = AuditInputs(data, None, False, None if target is None else target.model, None, trainer, trainer)
    prepared = prepare(plan, inputs, ArrayStore(folder), LocalEngine(1))
    return build_answers(make_rows("real", prepared, target), target, prepared), data, prepared.roles


def audited(folder: Path, **tables: Any) -> Outcome:
    trainer = recipe()
    subject = AuditInputs(bits(), None, False, None, None, trainer, trainer)
    return run_audit(plan_of(**tables), subject, store=ArrayStore(folder), engine=LocalEngine(1))


def test_every_model_answers_the_version_itself(tmp_path: Path) -> None:
    plan, trainer = plan_of(), recipe()
    world, data, roles = world_of(tmp_path, plan, trainer)
    evidence, audited_rows = world.case.evidence, world.case.audited
    version = read_augmentations(FLIPS, data.features, Seeds(plan.seed).child("queries"))[1]
    asked = version.of(data.x, data.features, np.zeros(D))
    target = trainer.train(data.x, data.y, 2, [roles.train], [Seeds(plan.seed).child("target").integer()])[0]
    variant = evidence.variants[1]
    np.testing.assert_allclose(variant.answers, target.log_probs(asked[audited_rows]), atol=1e-6)
    drawn, _ = world.pool
    seed = Seeds(plan.seed).child("shadow", 4).integer()
    shadow = trainer.train(data.x, data.y, 2, [drawn.train[4]], [seed])[0]
    np.testing.assert_allclose(variant.shadows.of_shadow(4), shadow.log_probs(asked[audited_rows]), atol=1e-6)
    np.testing.assert_allclose(
        variant.population.shadows.of_shadow(4), shadow.log_probs(asked[roles.population]), atol=1e-6
    )
    np.testing.assert_array_equal(variant.shadows.member, evidence.shadows.member)
    assert not np.array_equal(variant.answers, evidence.answers)


def test_a_pool_without_versions_is_kept_and_only_versions_are_added(tmp_path: Path) -> None:
    first, second, third = recipe(), recipe(), recipe()
    plain, *_ = world_of(tmp_path, plan_of(attacks={"queries": []}), first)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    more, *_ = world_of(tmp_path, plan_of(), second)
    again, *_ = world_of(tmp_path, plan_of(), third)
    assert (sum(first.trained), sum(second.trained), sum(third.trained)) == (7, 7, 0)
    assert {path: path.stat().st_mtime_ns for path in files} == files, "answers that were there were written again"
    assert len(list(tmp_path.rglob("*.npy"))) == 3 * len(files)
    np.testing.assert_array_equal(plain.case.evidence.answers, more.case.evidence.answers)
    np.testing.assert_array_equal(more.case.evidence.variants[0].answers, again.case.evidence.variants[0].answers)
    assert plain.pool[1].keys == more.pool[1].keys


@pytest.mark.parametrize("reveals", ["top:1", "labels", "rounded:1"])
def test_versions_go_through_what_the_target_reveals(tmp_path: Path, reveals: str) -> None:
    full, *_ = world_of(tmp_path, plan_of(), recipe())
    less, *_ = world_of(tmp_path, plan_of(target={"reveals": reveals}), recipe())
    reveal = parse_reveal(reveals)
    for whole, part in zip(full.case.evidence.variants, less.case.evidence.variants, strict=True):
        np.testing.assert_array_equal(part.answers, reveal.apply(whole.answers))
        np.testing.assert_array_equal(part.shadows.of_shadow(0), reveal.apply(whole.shadows.of_shadow(0)))
        np.testing.assert_array_equal(part.population.answers, reveal.apply(whole.population.answers))
    assert full.case.evidence.through(Reveal("labels")).variants[0].reveal == Reveal("labels")


def test_an_offline_view_hides_the_same_models_in_every_query(tmp_path: Path) -> None:
    plan = plan_of(view="adversary", data={"keep_apart": False, "population_size": None}, shadow={"size": 60})
    world, *_ = world_of(tmp_path, plan, recipe())
    evidence = world.case.evidence
    assert evidence.shadows.hide_members
    assert evidence.shadows.member.any()
    for variant in evidence.variants:
        np.testing.assert_array_equal(np.isnan(variant.shadows.of_shadow(0)).all(axis=1), evidence.shadows.member[0])


def test_rehearsals_meet_the_same_queries(tmp_path: Path) -> None:
    world, *_ = world_of(tmp_path, plan_of(), recipe())
    evidence = world.case.evidence
    rehearsal, _ = evidence.rehearse(1)
    assert len(rehearsal.variants) == 2
    np.testing.assert_array_equal(rehearsal.variants[0].answers, evidence.variants[0].pool.of_shadow(1))
    assert rehearsal.variants[0].shadows.n_shadows == rehearsal.shadows.n_shadows


def test_a_given_target_is_charged_and_asked_no_more_than_needed(tmp_path: Path) -> None:
    data = bits()
    plan = plan_of()
    seeds = Seeds(plan.seed)
    parts = draw_training_rows(len(data), plan.data, seeds, None)
    model = recipe().train(data.x, data.y, 2, [draw_roles(parts, plan, seeds, None).train], [1])[0]
    target = Target(model, Reveal(), 1000)
    world, _, roles = world_of(tmp_path, plan, recipe(), target)
    wanted = 2 * len(np.union1d(roles.audited, roles.population))
    assert (world.asked, target.asked) == (wanted, wanted)
    for variant in world.case.evidence.variants:
        assert not np.isnan(variant.answers).any()
        assert not np.isnan(variant.population.answers).any()


def test_a_budget_is_never_passed(tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match=r"attacks.queries: 2 versions of 240 records are 480 queries, 479 are left"):
        audited(tmp_path, target={"query_budget": 479})
    assert not list(tmp_path.rglob("*.npy"))


def test_the_record_says_what_was_asked(tmp_path: Path) -> None:
    record = audited(tmp_path, target={"repeats": 2}).record
    assert record.threat_model.queries == ["flips:0.1 (1)", "flips:0.1 (2)"]
    assert record.threat_model.queries_asked == 480
    assert any("480 further queries" in sentence for sentence in record.threat_model.sentences)
    for attack in record.attacks:
        assert attack.status == "ok", attack.reason
        assert "3 queries a record: itself and 2 versions of it" in attack.notes
        assert attack.repeats is not None
    plain = audited(tmp_path, attacks={"queries": []}).record
    assert plain.threat_model.queries == []
    figures = {a.name: a.auc for a in plain.attacks}
    assert all(a.auc != figures[a.name] for a in record.attacks), "a query that changes no score was not read"
    assert record.by_shadows is not None
    lira = next(a for a in record.attacks if a.name == "lira")
    assert lira.auc is not None
    assert record.by_shadows.points[-1].auc.value == pytest.approx(lira.auc.value)


def test_answers_without_a_model_cannot_be_asked_again(tmp_path: Path) -> None:
    data, trainer = bits(), recipe()
    answers = np.log(np.full((N, 2), 0.5, np.float32))
    parts = RowSplit(np.arange(100), np.arange(100, N), np.arange(0))
    subject = AuditInputs(data, parts, False, None, answers, trainer, trainer)
    with pytest.raises(PlanError, match="give the model itself"):
        run_audit(plan_of(), subject, store=ArrayStore(tmp_path), engine=LocalEngine(1))


def test_a_version_that_rows_do_not_have_ends_the_audit_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'attacks.queries: "mirror" needs images'):
        audited(tmp_path, attacks={"queries": ["mirror"]})
