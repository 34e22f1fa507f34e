"""Who may ask and look inside, and what a budget is spent on."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from gnomon.attacks import ATTACKS
from gnomon.auditing.evidence.access import COSTS_QUERIES
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.inputs.roles import RowSplit
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.run import run_audit
from gnomon.core.data.dataset import make_dataset
from gnomon.core.plan import make_plan
from gnomon.core.protocols import TWICE
from gnomon.engines.local import LocalEngine
from gnomon.models.sklearn import SklearnModel
from gnomon.models.torch.trainer import TorchTrainer
from gnomon.store.arrays import ArrayStore

ASKING = [attack.name for attack in ATTACKS if "query" in attack.needs]
LOOKING = [attack.name for attack in ATTACKS if "gradients" in attack.needs]
N = 60  # members, and as many non-members
ITSELF = 2 * N + 2 * TWICE  # rows that the audit queries: each record, and a few twice more


class Counting:
    """Learned its members' labels by heart and guesses elsewhere; counts the rows that reach it."""

    n_classes = 2

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.known = {row.tobytes(): label for row, label in zip(x, y, strict=True)}
        self.rows = 0

    def log_probs(self, x: np.ndarray) -> np.ndarray:
        self.rows += len(x)
        label = [self.known.get(row.tobytes(), int(row.sum()) % 2) for row in x]
        return np.log(np.where(np.arange(2) == np.array(label)[:, None], np.float32(0.8), np.float32(0.2)))


def bits() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, (2 * N, 12)).astype(np.uint8), rng.integers(0, 2, 2 * N)


def run(folder: Path, *, model=None, trainer=None, names=None, budget=None, reveals="full", view="auditor") -> Outcome:
    x, y = bits()
    values = {
        "view": view,
        "data": {"members": "(in memory)", "nonmembers": "(in memory)"},
        "target": {"reveals": reveals, "query_budget": budget},
        "shadow": {"count": 0},
        "attacks": {"names": names},
        "preflight": {"override": ["duplicate-rows", "blind-baseline"]},
    }
    parts = RowSplit(np.arange(N), np.arange(N, 2 * N), np.empty(0, np.int64))
    subject = AuditInputs(make_dataset(x, y), parts, False, model, None, trainer, trainer)
    return run_audit(make_plan(values), subject, store=ArrayStore(folder), engine=LocalEngine(1))


def by_name(outcome: Outcome) -> dict:
    return {result.name: result for result in outcome.record.attacks}


def counting() -> Counting:
    x, y = bits()
    return Counting(x[:N], y[:N])


def test_without_a_word_in_the_plan_nothing_is_asked(tmp_path: Path) -> None:
    model = counting()
    found = by_name(run(tmp_path, model=model))
    for name in ASKING:
        assert (found[name].status, found[name].reason) == ("skipped", COSTS_QUERIES)
    assert model.rows == ITSELF


def test_an_attack_that_is_named_may_ask(tmp_path: Path) -> None:
    model = counting()
    found = by_name(run(tmp_path, model=model, names=["noise_robustness"]))["noise_robustness"]
    assert (found.status, found.queries) == ("ok", 20 * 2 * N)
    assert model.rows == ITSELF + 20 * 2 * N


@pytest.mark.parametrize("budget", [1, 500, 1000, 5000, 100_000])
@pytest.mark.parametrize("reveals", ["full", "labels"])
def test_a_budget_is_shared_and_never_passed(tmp_path: Path, budget: int, reveals: str) -> None:
    model = counting()
    found = by_name(run(tmp_path, model=model, budget=budget, reveals=reveals))
    spent = {name: found[name].queries for name in ASKING}
    assert sum(spent.values()) == model.rows - ITSELF <= budget
    ran = [name for name in ASKING if found[name].status == "ok"]
    assert "noise_robustness" in ran
    assert spent["noise_robustness"] <= -(-budget // len(ran))
    assert found["augmentation"].status == "skipped"
    assert "needs images" in str(found["augmentation"].reason)


def test_a_budget_of_zero_lets_nobody_ask(tmp_path: Path) -> None:
    found = by_name(run(tmp_path, model=counting(), budget=0, names=[*ASKING, "gap"]))
    assert {found[name].reason for name in ASKING} == {"target.query_budget is 0"}


TRAINER = TorchTrainer(hidden=(16,), epochs=150, learning_rate=0.02, device="cpu")


def test_a_network_that_is_trained_here_is_asked_and_looked_into(tmp_path: Path) -> None:
    outcome = run(tmp_path, trainer=TRAINER, names=["loss", *ASKING, *LOOKING], budget=10_000)
    found = by_name(outcome)
    for name in [*LOOKING, "noise_robustness"]:
        assert found[name].status == "ok", found[name].reason
        assert found[name].auc.value > 0.6
    rank = np.argsort(np.argsort(outcome.scores["gradient_norm"]))
    assert np.corrcoef(rank, np.argsort(np.argsort(outcome.scores["loss"])))[0, 1] > 0.8


def test_the_target_is_the_same_whoever_trains_it(tmp_path: Path) -> None:
    in_the_pool = run(tmp_path / "a", trainer=TRAINER, names=["loss"])
    here = run(tmp_path / "b", trainer=TRAINER, names=["loss", "gradient_norm"])
    np.testing.assert_allclose(here.scores["loss"], in_the_pool.scores["loss"], atol=1e-3)


def test_who_sees_less_than_full_answers_does_not_look_inside(tmp_path: Path) -> None:
    found = by_name(run(tmp_path, trainer=TRAINER, reveals="labels"))
    for name in LOOKING:
        assert found[name].reason == 'looks inside a target that reveals "labels" only'


def test_only_the_auditor_knows_members(tmp_path: Path) -> None:
    assert by_name(run(tmp_path, model=counting(), names=["insider"]))["insider"].status == "ok"
    reason = by_name(run(tmp_path, model=counting(), names=["insider"], view="adversary"))["insider"].reason
    assert reason == "needs the membership of half of the audited rows (the auditor's view)"


def test_what_the_target_can_not_show_is_never_blamed_on_the_plan(tmp_path: Path) -> None:
    """Naming an attack in the plan helps only where the target lets it ask, look inside or follow the training."""
    x, y = bits()
    estimator = GaussianNB().fit(x[:N], y[:N])
    given = SklearnModel(estimator, classes=("0", "1"))
    found = by_name(run(tmp_path / "given", model=given))
    assert found["gradient_norm"].reason == "needs white-box access (a torch network)"
    assert found["nasr"].reason == "needs white-box access to the target and its shadows (torch networks)"
    assert found["trajectory"].reason == "needs checkpoints of a training that is done here"
    parts = RowSplit(np.arange(N), np.arange(N, 2 * N), np.empty(0, np.int64))
    only = AuditInputs(make_dataset(x, y), parts, False, None, given.log_probs(x), None, None)
    plan = {"data": {"members": "(in memory)", "nonmembers": "(in memory)"}, "shadow": {"count": 0}}
    outcome = run_audit(make_plan(plan), only, store=ArrayStore(tmp_path / "only"), engine=LocalEngine(1))
    for name in ASKING:
        assert by_name(outcome)[name].reason == "needs further queries to the target"
