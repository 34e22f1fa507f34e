"""Attacks on what is observed of models beside their answers: who is observed, when, and what it costs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier

from gnomon.attacks import ATTACKS
from gnomon.auditing.evidence.access import FOLLOWS, SEES_SHADOWS
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import RowSplit
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.run import run_audit
from gnomon.core.data.dataset import make_dataset
from gnomon.core.plan import make_plan
from gnomon.engines.local import LocalEngine
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch.trainer import TorchTrainer
from gnomon.store.arrays import ArrayStore

N = 200  # members, and as many non-members
TRAINER = TorchTrainer(hidden=(16,), epochs=40, learning_rate=0.02, device="cpu")
OBSERVING = [attack.name for attack in ATTACKS if attack.needs & {"checkpoints", "inside"}]
COURSE = [attack.name for attack in ATTACKS if "checkpoints" in attack.needs]
QUICK = {name: {"trees": 8} for name in OBSERVING}
INSIDE = [attack.name for attack in ATTACKS if "inside" in attack.needs]


def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, (4 * N, 24)).astype(np.uint8), rng.integers(0, 2, 4 * N)


def run(
    folder: Path,
    *,
    names: Any = None,
    model: Any = None,
    trainer: Any = TRAINER,
    view: str = "auditor",
    ladder: bool = False,
    **target,
):
    x, y = rows()
    values = {
        "view": view,
        "data": {"members": "(in memory)", "nonmembers": "(in memory)"},
        "target": target,
        "shadow": {"count": 4, "size": N if view == "auditor" else N // 2},
        "attacks": {"names": names, "rehearsals": 2, "ladder": ladder, "options": QUICK},
        "preflight": {"override": ["duplicate-rows", "blind-baseline"]},
    }
    pool = np.arange(2 * N, 4 * N) if view == "adversary" else np.empty(0, np.int64)
    parts = RowSplit(np.arange(N), np.arange(N, 2 * N), pool)
    subject = AuditInputs(make_dataset(x, y), parts, False, model, None, trainer, trainer)
    return run_audit(make_plan(values), subject, store=ArrayStore(folder), engine=LocalEngine(1))


def by_name(outcome: Outcome) -> dict:
    return {result.name: result for result in outcome.record.attacks}


@pytest.mark.parametrize("view", ["auditor", "adversary"])
def test_an_attack_that_is_named_is_shown_what_it_needs(tmp_path: Path, view: str) -> None:
    names = COURSE if view == "auditor" else [name for name in COURSE if name != "trajectory_online"]
    outcome = run(tmp_path, names=["loss", *names], view=view)
    for name in names:
        found = by_name(outcome)[name]
        assert found.status == "ok", found.reason
        assert len(found.rehearsals) == 2
        assert found.auc.value > 0.6
    assert outcome.record.verdict.attack == "loss", "a verdict speaks of black-box attacks"


def test_no_shadow_of_the_adversary_knew_an_audited_record(tmp_path: Path) -> None:
    found = by_name(run(tmp_path, names=["trajectory_online"], view="adversary"))["trajectory_online"]
    assert found.reason == "needs shadow models trained on audited rows (the auditor's view)"


def test_without_a_word_in_the_plan_nobody_is_observed(tmp_path: Path) -> None:
    found = by_name(run(tmp_path))
    assert {found[name].reason for name in COURSE} == {FOLLOWS}
    assert {found[name].reason for name in INSIDE} == {SEES_SHADOWS}
    assert len(list(tmp_path.rglob("*.npy"))) == 5


def test_a_number_of_checkpoints_is_a_word_in_the_plan(tmp_path: Path) -> None:
    found = by_name(run(tmp_path, names=["trajectory"], checkpoints=3))["trajectory"]
    assert found.status == "ok"
    assert "sees the loss at 3 checkpoints of the training" in found.notes


def test_who_sees_less_than_full_answers_sees_no_training(tmp_path: Path) -> None:
    found = by_name(run(tmp_path, names=["gap", *COURSE], reveals="labels"))
    assert {found[name].reason for name in COURSE} == {'follows the training of a target that reveals "labels" only'}


def test_a_model_that_was_trained_elsewhere_has_no_course(tmp_path: Path) -> None:
    x, y = rows()
    [model] = TRAINER.train(x, y, 2, [np.arange(N)], [1])
    found = by_name(run(tmp_path, names=["loss", *COURSE], model=model))
    assert {found[name].reason for name in COURSE} == {"needs checkpoints of a training that is done here"}


def test_a_store_that_knows_the_answers_learns_the_course_and_keeps_the_answers(tmp_path: Path) -> None:
    plain = run(tmp_path, names=["loss", "lira"])
    assert plain.record.shadows is not None
    observed = run(tmp_path, names=["loss", "lira", *COURSE])
    assert (observed.record.shadows.trained, observed.record.shadows.reused) == (4, 0)
    for name, scores in plain.scores.items():
        np.testing.assert_array_equal(observed.scores[name], scores)
    again = run(tmp_path, names=["loss", "lira", *COURSE])
    assert (again.record.shadows.trained, again.record.shadows.reused) == (0, 4)
    for name, scores in observed.scores.items():
        np.testing.assert_array_equal(again.scores[name], scores)


def test_a_target_that_is_asked_is_observed_too(tmp_path: Path) -> None:
    found = by_name(run(tmp_path, names=["loss", "gradient_norm", *COURSE]))
    assert {found[name].status for name in ("gradient_norm", *COURSE)} == {"ok"}


def test_repeated_targets_are_observed(tmp_path: Path) -> None:
    found = by_name(run(tmp_path, names=["trajectory"], repeats=2))["trajectory"]
    assert found.repeats is not None
    assert found.repeats.targets == 2


@pytest.mark.parametrize("view", ["auditor", "adversary"])
def test_the_inside_of_target_and_shadows_is_seen_where_it_is_named(tmp_path: Path, view: str) -> None:
    outcome = run(tmp_path, names=["loss", *OBSERVING], view=view, ladder=True)
    for name in INSIDE:
        found = by_name(outcome)[name]
        assert found.status == "ok", found.reason
        assert len(found.rehearsals) == 2
        assert found.auc.value > 0.6
    assert outcome.record.verdict.attack == "loss"
    assert {"gradients", "checkpoints"} <= {rung.key for rung in outcome.record.ladder}
    again = run(tmp_path, names=["loss", *OBSERVING], view=view)
    assert again.record.shadows.trained == 0
    for name, scores in outcome.scores.items():
        np.testing.assert_array_equal(again.scores[name], scores)


def test_a_network_that_was_trained_elsewhere_is_looked_into_beside_shadows_from_here(tmp_path: Path) -> None:
    x, y = rows()
    [model] = TRAINER.train(x, y, 2, [np.arange(N)], [1])
    found = by_name(run(tmp_path, names=["loss", *INSIDE], model=model))
    for name in INSIDE:
        assert found[name].status == "ok", found[name].reason
        assert found[name].auc.value > 0.6


def test_what_cannot_be_looked_into_is_skipped_with_a_reason(tmp_path: Path) -> None:
    trainer = SklearnTrainer(DecisionTreeClassifier())
    found = by_name(run(tmp_path, names=["loss", *OBSERVING], trainer=trainer))
    assert found["nasr"].reason == "needs white-box access to the target and its shadows (torch networks)"
    assert found["trajectory"].reason == "needs checkpoints of a training that is done here"
    assert found["loss"].status == "ok"


def test_boosted_trees_are_followed_stage_by_stage(tmp_path: Path) -> None:
    trainer = SklearnTrainer(GradientBoostingClassifier(n_estimators=40, max_depth=4, learning_rate=0.3))
    found = by_name(run(tmp_path, names=["trajectory"], trainer=trainer))
    assert found["trajectory"].status == "ok", found["trajectory"].reason
    assert found["trajectory"].auc.value > 0.7
