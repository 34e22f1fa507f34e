"""The one-run audit: whole, on mechanisms of known epsilon; and what it refuses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.tree import DecisionTreeClassifier
from tests.runs.saved import save_outcome

from gnomon.auditing.canaries import Canaries, audit_canaries, check_promise, draw_canaries
from gnomon.auditing.inputs.loading import AuditInputs
from gnomon.auditing.prepare import Prepared, prepare
from gnomon.auditing.run import run_audit
from gnomon.core.data.dataset import Dataset, Roles, make_dataset
from gnomon.core.documents.read_write import read_record
from gnomon.core.documents.record_parts import CanaryFacts
from gnomon.core.errors import DataError, PlanError
from gnomon.core.plan import Plan, make_plan, read_plan
from gnomon.core.protocols import Trainer
from gnomon.core.seeds import Seeds
from gnomon.engines.local import LocalEngine
from gnomon.models.sklearn import SklearnTrainer
from gnomon.models.torch.dp import DPTrainer
from gnomon.models.torch.trainer import TorchTrainer
from gnomon.store.arrays import ArrayStore

TREE = SklearnTrainer(DecisionTreeClassifier())
ROWS, CLASSES = 400, 4


@dataclass(frozen=True)
class Teller:
    """A model that tells of each row of a table whether it was trained on, and lies with a known probability."""

    table: dict[bytes, tuple[int, bool]]
    n_classes: int

    def log_probs(self, x: Any) -> Any:
        answers = np.full((len(x), self.n_classes), 0.01)
        for answer, row in zip(answers, np.asarray(x), strict=True):
            label, said = self.table[row.tobytes()]
            answer[label] = 0.5 if said else 0.1
        return np.log(answers / answers.sum(axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Response:
    """Randomised response on every row's membership: exactly (epsilon, 0)-private, whatever the rows are."""

    epsilon: float

    def train(self, x: Any, y: Any, n_classes: int, rows: Sequence[Any], seeds: Sequence[int]) -> list[Teller]:
        models = []
        for positions, seed in zip(rows, seeds, strict=True):
            inside = np.isin(np.arange(len(y)), positions)
            honest = np.random.default_rng(seed).random(len(y)) < expit(self.epsilon)
            said = np.where(honest, inside, ~inside)
            models.append(Teller({r.tobytes(): (int(c), bool(s)) for r, c, s in zip(x, y, said, strict=True)}, 4))
        return models

    def recipe(self) -> dict[str, Any]:
        return {"kind": "response", "epsilon": self.epsilon}

    def batch_size(self, x: Any, n_classes: int, size: int) -> int:
        return 1


def world(seed: int = 0) -> tuple[Dataset, Roles]:
    rng = np.random.default_rng(seed)
    data = make_dataset(rng.normal(size=(ROWS, 3)), np.arange(ROWS) % CLASSES, name="toy")
    order = rng.permutation(ROWS)
    train, rest = np.sort(order[:100]), np.sort(order[100:])
    return data, Roles(train, rest, np.arange(ROWS), np.arange(0), train, "auditor")


def planned(**canaries: Any) -> Plan:
    return make_plan({"data": {"source": "x"}, "canaries": canaries})


def drawn(plan: Plan, trainer: Trainer | None = TREE, seed: int = 0) -> Canaries:
    data, roles = world()
    found = draw_canaries(plan.canaries, plan.data, data, trainer, roles, Seeds(seed))
    assert found is not None
    return found


def setting(plan: Plan, data: Dataset, trainer: Trainer, folder: Path, seed: int) -> Prepared:
    inputs = AuditInputs(data, None, False, None, None, trainer, trainer)
    return prepare(plan.model_copy(update={"seed": seed}), inputs, ArrayStore(folder), LocalEngine(1))


def bounds(plan: Plan, trainer: Trainer, folder: Path, runs: int) -> list[float]:
    data, roles = world()
    found = []
    for seed in range(runs):
        canaries = draw_canaries(plan.canaries, plan.data, data, trainer, roles, Seeds(seed))
        assert canaries is not None
        found.append(audit_canaries(canaries, setting(plan, data, trainer, folder, seed))[0].epsilon)
    return found


@pytest.mark.parametrize(("epsilon", "guesses"), [(0.0, None), (1.5, None), (1.5, 300)])
def test_on_randomised_response_the_bound_seldom_exceeds_the_truth(
    epsilon: float, guesses: int | None, tmp_path: Path
) -> None:
    plan = planned(count=300, delta=0, **({} if guesses is None else {"guesses": guesses}))
    found = bounds(plan, Response(epsilon), tmp_path, runs=200)
    # a true 5 % exceeds 20 of 200 in about 0.1 % of cases
    assert sum(bound > epsilon for bound in found) <= 20
    assert np.median(found) >= 0.6 * epsilon


@pytest.mark.parametrize("kind", ["mislabelled", "random"])
def test_canaries_are_what_the_plan_says(kind: str) -> None:
    data, roles = world()
    canaries = drawn(planned(kind=kind, count=200))
    assert len(canaries.rows) == len(canaries.coins) == 200
    assert 70 < canaries.coins.sum() < 130
    inside = canaries.rows[canaries.coins]
    np.testing.assert_array_equal(np.sort(canaries.train), np.sort(np.concatenate([roles.train, inside])))
    x, y = canaries.data.x[canaries.rows], canaries.data.y[canaries.rows]
    np.testing.assert_array_equal(canaries.data.x[:ROWS], data.x)
    assert len(np.intersect1d(canaries.tested, canaries.train)) == 0
    if kind == "random":
        data.features.encode(x)
        assert np.bincount(y, minlength=CLASSES).min() > 25
        return
    copied = np.array([int(np.flatnonzero((data.x == row).all(axis=1))[0]) for row in x])
    assert len(set(copied)) == 200
    assert not np.isin(copied, roles.train).any()
    assert not np.isin(copied, canaries.tested).any()
    shift = (y - data.y[copied]) % CLASSES
    assert np.bincount(shift, minlength=CLASSES)[0] == 0
    assert np.bincount(shift, minlength=CLASSES)[1:].min() > 40


def test_rows_set_aside_for_mitigations_are_no_canaries() -> None:
    data, roles = world()
    aside = replace(roles, reference=roles.nonmembers[:250])
    canaries = draw_canaries(planned().canaries, planned().data, data, TREE, aside, Seeds(0))
    assert canaries is not None
    assert len(canaries.rows) == 50


def test_coins_depend_on_the_seed_and_on_nothing_else() -> None:
    first, again = (drawn(planned(count=100, kind=kind)) for kind in ("random", "mislabelled"))
    other = drawn(planned(count=100, kind="random"), seed=1)
    np.testing.assert_array_equal(first.coins, again.coins)
    assert (first.coins != other.coins).any()


def test_default_numbers() -> None:
    assert len(drawn(planned()).rows) == 300  # all spare rows, of which there are fewer than 500
    assert len(drawn(planned(kind="random")).rows) == 500
    assert drawn(planned(kind="random")).guesses == [15, 50, 150, 500]
    assert drawn(planned(guesses=[40, 20])).guesses == [20, 40]
    assert drawn(planned()).delta == 1e-5
    assert drawn(planned(), DPTrainer(TorchTrainer(), noise=1.0, delta=1e-4)).delta == 1e-4
    assert drawn(planned(delta=0), DPTrainer(TorchTrainer(), noise=1.0, delta=1e-4)).delta == 0
    data, roles = world()
    assert draw_canaries(None, planned().data, data, TREE, roles, Seeds(0)) is None


@pytest.mark.parametrize(
    ("canaries", "words"),
    [
        ({"count": 0}, "canaries.count: .*greater than or equal to 1, got 0"),
        ({"count": 301}, "301 mislabelled canaries need as many rows .* there are 300"),
        ({"count": 4}, "4 canaries and 4 guesses can show no epsilon above 0"),
        ({"count": 100, "delta": 0.1}, "can show no epsilon above 0 at delta 0.1"),
        ({"count": 50, "guesses": 51}, "51 guesses on 50 canaries"),
        ({"guesses": 0}, "canaries.guesses: expected 1 or more, got 0"),
        ({"kind": "own"}, 'canaries.file and kind = "own" belong together'),
        ({"file": "x.csv"}, 'canaries.file and kind = "own" belong together'),
        ({"kind": "odd"}, "canaries.kind"),
        ({"kindd": "own"}, 'did you mean "kind"'),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(canaries: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanError, match=words) as caught:
        drawn(planned(**canaries))
    assert "\n" not in str(caught.value)


def test_a_model_that_nobody_can_train_is_refused() -> None:
    with pytest.raises(PlanError, match=r"give one in \[trainer\], or leave \[canaries\] out"):
        drawn(planned(), trainer=None)


def own_file(folder: Path, text: str) -> dict[str, Any]:
    (folder / "own.csv").write_text(text)
    return {"kind": "own", "file": str(folder / "own.csv")}


def framed() -> tuple[Dataset, Roles]:
    pd = pytest.importorskip("pandas")
    data, roles = world()
    frame = pd.DataFrame({"a": data.x[:, 0], "b": np.arange(ROWS), "c": np.where(data.y > 1, "x", "y")})
    return make_dataset(frame, [f"type {c}" for c in data.y], name="table"), roles


def of_file(folder: Path, text: str, **options: Any) -> Canaries:
    data, roles = framed()
    plan = make_plan(
        {
            "data": {"members": "m.csv", "nonmembers": "n.csv", "label": "kind"},
            "canaries": {**own_file(folder, text), **options},
        }
    )
    found = draw_canaries(plan.canaries, plan.data, data, TREE, roles, Seeds(0))
    assert found is not None
    return found


LINES = [f"{i / 3},{i},z,type {i % 4}" for i in range(40)]


def test_canaries_of_the_users_own(tmp_path: Path) -> None:
    canaries = of_file(tmp_path, "\n".join(["a,b,c,kind", *LINES]))
    frame = canaries.data.x.iloc[canaries.rows]
    assert frame["b"].tolist() == list(range(40))
    assert set(frame["c"]) == {"z"}
    assert canaries.data.y[canaries.rows].tolist() == [i % 4 for i in range(40)]
    fewer = of_file(tmp_path, "\n".join(["a,b,c,kind", *LINES]), count=20)
    kept = fewer.data.x.iloc[fewer.rows]["b"].to_numpy()
    assert len(set(kept)) == 20
    assert fewer.data.y[fewer.rows].tolist() == (kept % 4).tolist()


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("a,b,kind\n1,2,type 1\n", {}, 'own.csv: no column "c", which table has'),
        ("a,b,c,d,kind\n1,2,z,3,type 1\n", {}, 'the column "d" does not stand in table'),
        ("a,b,c,kind\n1,2,z,type 9\n", {}, r'row 0 \(from 0\) has the label "type 9", which is no class of table'),
        ("a,b,c,kind\n1,two,z,type 1\n", {}, 'column "b" holds numbers in table but text in own.csv'),
        ("a,b,c\n1,2,z\n", {}, 'no column "kind"'),
        ("a,b,c,kind\n", {}, "expected at least one row"),
        ("\n".join(["a,b,c,kind", *LINES]), {"count": 41}, "41 canaries wanted, .* holds 40"),
        ("\n".join(["a,b,c,kind", *LINES[:3]]), {}, "3 canaries and 3 guesses can show no epsilon"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line(text: str, options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises((DataError, PlanError), match=words) as caught:
        of_file(tmp_path, text, **options)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line_and_is_sought_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('data.source = "x"\n[canaries]\nkind = "own"\nfile = "sub/own.npz"\n')
    plan = read_plan(tmp_path / "plan.toml")
    with pytest.raises(DataError, match=f"{tmp_path}/sub/own.npz: no such file"):
        drawn(plan)
    (tmp_path / "sub").mkdir()
    np.savez(tmp_path / "sub" / "own.npz", x=np.ones((9, 2)), y=np.zeros(9, int))
    with pytest.raises(DataError, match=r"expected rows of shape \(3,\) as in toy, got \(2,\)"):
        drawn(plan)
    np.savez(tmp_path / "sub" / "own.npz", x=np.ones((9, 3)), y=np.arange(9) % 4)
    assert len(drawn(plan).rows) == 9


def whole(folder: Path, **canaries: Any) -> Any:
    data, _ = world(3)
    plan = make_plan(
        {
            "data": {"source": "x", "train_size": 150},
            "shadow": {"count": 2},
            "attacks": {"names": ["gap", "loss"], "rehearsals": 0},
            "statistics": {"fprs": [0.1]},
            "canaries": canaries,
        }
    )
    subject = AuditInputs(data, None, False, None, None, TREE, TREE)
    return run_audit(plan, subject, store=ArrayStore(folder / "store"), engine=LocalEngine(1))


def test_a_whole_audit_holds_the_bound_and_trains_it_once(tmp_path: Path) -> None:
    first, again = whole(tmp_path, count=200), whole(tmp_path, count=200)
    facts = first.record.canaries
    # a full tree knows its rows by heart: all canaries that are in, and few of the others
    assert facts.epsilon > 0.5
    assert facts.ceiling > facts.epsilon
    assert [t.guesses for t in facts.trials] == [20, 60, 200]
    assert (facts.canaries, facts.included, facts.reused) == (200, first.canaries.included.sum(), False)
    assert facts.train_size == 150 + facts.included
    assert again.record.canaries == facts.model_copy(update={"reused": True})
    save_outcome(first, tmp_path)
    lines = (tmp_path / "canaries.csv").read_text().splitlines()
    assert lines[0] == "id,class,included,score"
    assert sum(",True," in line for line in lines) == facts.included
    assert read_record(tmp_path).canaries.file == "canaries.csv"


def test_without_canaries_there_are_none(tmp_path: Path) -> None:
    data, _ = world(3)
    plan = make_plan({"data": {"source": "x"}, "shadow": {"count": 0}, "attacks": {"names": ["gap"]}})
    subject = AuditInputs(data, None, False, None, None, TREE, TREE)
    outcome = run_audit(plan, subject, store=ArrayStore(tmp_path), engine=LocalEngine(1))
    assert outcome.record.canaries is None
    assert outcome.canaries is None


def facts(epsilon: float, promised: float | None) -> CanaryFacts:
    return CanaryFacts(
        kind="random", canaries=100, included=50, guesses=100, right=90, epsilon=epsilon, ceiling=3.0, delta=1e-5,
        confidence=0.95, trials=[], promised=promised, train_size=200,
    )  # fmt: skip


def test_a_refuted_promise_is_a_finding() -> None:
    (found,) = check_promise(facts(2.0, 1.0))
    assert (found.code, found.severity) == ("epsilon-refuted", "warning")
    assert check_promise(facts(1.0, 2.0)) == []
    assert check_promise(facts(2.0, None)) == []


@dataclass(frozen=True)
class Spikes:
    """Rows of zeros, and canaries with one feature of their own each: what DP-SGD can hide least."""

    folder: Path
    count: int = 200

    def bounds(self, trainer: Trainer, runs: int) -> list[CanaryFacts]:
        n, d = 100, self.count
        rng = np.random.default_rng(0)
        data = make_dataset(np.zeros((n + 10, d), np.float32), np.arange(n + 10) % 2, name="zeros")
        np.savez(self.folder / "own.npz", x=10 * np.eye(d, dtype=np.float32), y=rng.integers(0, 2, d))
        roles = Roles(np.arange(n), np.arange(n, n + 10), np.arange(0), np.arange(0), np.arange(n), "auditor")
        plan = planned(kind="own", file=str(self.folder / "own.npz"), guesses=d)
        found = []
        for seed in range(runs):
            canaries = draw_canaries(plan.canaries, plan.data, data, trainer, roles, Seeds(seed))
            assert canaries is not None
            found.append(audit_canaries(canaries, setting(plan, data, trainer, self.folder, seed))[0])
        return found


def test_dp_sgd_keeps_its_promise_and_the_same_without_noise_does_not(tmp_path: Path) -> None:
    pytest.importorskip("opacus")
    plain = TorchTrainer(hidden=(), epochs=10, batch=50, optimizer="sgd", learning_rate=1.0)
    private = Spikes(tmp_path).bounds(DPTrainer(plain, epsilon=1.0, delta=1e-5, accountant="rdp"), runs=20)
    assert all(f.promised is not None and 0.9 < f.promised <= 1.0 for f in private)
    assert sum(f.epsilon > f.promised for f in private if f.promised is not None) <= 3
    (bare,) = Spikes(tmp_path).bounds(DPTrainer(plain, noise=0.0), runs=1)
    assert bare.epsilon > 3
    assert bare.promised is None
    (broken,) = Spikes(tmp_path).bounds(DPTrainer(plain, noise=0.3, delta=1e-5, accountant="rdp"), runs=1)
    assert 1.0 < broken.epsilon < (broken.promised or math.inf)
