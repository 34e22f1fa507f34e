"""Whole audits of small models that leak, or can't be judged: none of them may end in "none found"."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import make_blobs, make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from tests.auditing.worlds import case_of

import gnomon
from gnomon.auditing.results.scoring import Attempt, Played, Rehearsed, Scored
from gnomon.auditing.verdict.leak import Heard, hear
from gnomon.core.documents.record import AttackResult, Estimate, Record
from gnomon.core.errors import PreflightError
from gnomon.core.evidence import Evidence
from gnomon.core.seeds import Seeds
from gnomon.models.function import FunctionTrainer
from gnomon.models.sklearn import SklearnTrainer
from gnomon.stats.roc import auc

Table = tuple[NDArray[Any], NDArray[Any]]
FEW = ("gap", "loss", "reference", "lira", "lira_offline")
QUICK = {"attacks": {"ladder": False, "rehearsals": 1}}


def sides(n: int = 200, *, seed: int = 0, flip: float = 0.2, third: bool = False) -> tuple[Table, ...]:
    x, y = make_classification(3 * n, 10, n_informative=5, n_redundant=0, flip_y=flip, random_state=seed)
    return tuple((x[i * n : (i + 1) * n], y[i * n : (i + 1) * n]) for i in range(3 if third else 2))


def audit(target: Any, members: Table, others: Table, **changes: Any) -> Record:
    settings = {"shadows": 3, "attacks": FEW, "workers": 1, "plan": QUICK}
    return gnomon.audit(target, members, others, **(settings | changes)).record


def forest(table: Table) -> RandomForestClassifier:
    return RandomForestClassifier(10, random_state=0).fit(*table)


@pytest.mark.parametrize(
    "shadows",
    [DecisionTreeClassifier(max_depth=1), LogisticRegression()],
    ids=["stumps", "regression"],
)
def test_shadows_of_the_wrong_recipe_hide_no_leak(shadows: Any) -> None:
    members, others = sides()
    record = audit(forest(members), members, others, trainer=SklearnTrainer(shadows))
    assert record.verdict.level == "leaks"
    assert "shadows-unlike-target" in [f.code for f in record.findings]


def test_boosted_trees_with_shadows_of_the_wrong_recipe() -> None:
    members, others = sides()
    model = GradientBoostingClassifier(n_estimators=30, max_depth=5, random_state=0).fit(*members)
    record = audit(model, members, others, trainer=SklearnTrainer(LogisticRegression()))
    assert record.verdict.level in ("leaks", "leaks_some")
    assert any(one.found for one in record.verdict.tested)


def test_weights_of_classes_by_label_show_a_leak_that_weights_by_id_hide() -> None:
    """Labels are 1, 2, 3: a weight that is read as that of an id belongs to the next label."""
    x, y = make_blobs(800, 4, centers=3, cluster_std=6.0, random_state=0)
    members, others = (x[:400], y[:400] + 1), (x[400:], y[400:] + 1)
    target, by_id = (
        RandomForestClassifier(30, min_samples_leaf=5, class_weight={label: 10}, random_state=0) for label in (2, 3)
    )
    target.fit(*members)
    records = [
        audit(target, members, others, trainer=trainer, shadows=6, attacks=("lira_offline",))
        for trainer in ("clone", SklearnTrainer(by_id))
    ]
    assert [record.verdict.level for record in records] == ["leaks", "none_found"]


@pytest.mark.parametrize("kind", ["temperature", "one-hot"])
def test_a_target_behind_a_step_that_the_shadows_do_not_know(kind: str) -> None:
    members, others = sides()
    model = forest(members)

    def behind(x: NDArray[Any]) -> NDArray[Any]:
        given = model.predict_proba(x)
        if kind == "one-hot":
            return np.eye(2)[given.argmax(axis=1)]
        cooled = np.clip(given, 1e-12, 1) ** (1 / 20)
        return np.asarray(cooled / cooled.sum(axis=1, keepdims=True))

    record = audit(behind, members, others, trainer=SklearnTrainer(RandomForestClassifier(10)))
    assert record.verdict.level in ("leaks", "leaks_some")


@pytest.mark.parametrize("reveals", ["labels", "top:1"])
def test_little_is_revealed(reveals: str) -> None:
    members, others = sides()
    plan = QUICK | {"target": {"reveals": reveals}}
    assert audit(forest(members), members, others, plan=plan).verdict.level in ("leaks", "leaks_some")


def test_a_nearest_neighbour_that_tells_by_the_distance_to_its_boundary() -> None:
    members, others = sides(200, flip=0.0)
    model = KNeighborsClassifier(1).fit(*members)
    plan = QUICK | {"target": {"reveals": "labels", "query_budget": 80_000}}
    record = audit(model, members, others, attacks=("lira", "gap", "noise_robustness"), plan=plan)
    assert record.verdict.level in ("leaks", "leaks_some")
    assert (
        record.verdict.attack
        == max((a for a in record.attacks if a.auc is not None), key=lambda a: a.auc.value if a.auc else 0.0).name
    )


def test_swapped_tables_stop_the_audit_and_confirmed_ones_speak() -> None:
    members, others = sides()
    model = DecisionTreeClassifier(random_state=0).fit(*members)
    with pytest.raises(PreflightError, match=r'"tables-swapped\?"'):
        audit(model, others, members)
    record = audit(model, others, members, plan=QUICK | {"preflight": {"override": ["tables-swapped?"]}})
    assert record.verdict.level == "leaks"
    assert "scores below others'" in record.verdict.headline


def test_a_model_that_forgot_its_members_too_well() -> None:
    members, others = sides(flip=0.02)
    model = forest(others)
    forgotten = {row.tobytes() for row in members[0][::3]}

    def unlearned(x: NDArray[Any]) -> NDArray[Any]:
        given = model.predict_proba(x)
        turn = np.array([row.tobytes() in forgotten for row in np.asarray(x)])
        return np.where(turn[:, None], given[:, ::-1], given)

    trainer = SklearnTrainer(RandomForestClassifier(10))
    with pytest.raises(PreflightError, match="significantly more"):
        audit(unlearned, members, others, trainer=trainer)
    record = audit(
        unlearned, members, others, trainer=trainer, plan=QUICK | {"preflight": {"override": ["tables-swapped?"]}}
    )
    assert record.verdict.level == "leaks"


def test_answers_alone() -> None:
    members, others, third = sides(third=True)
    leaking, blind = forest(members), LogisticRegression().fit(*third)
    assert audit(leaking.predict_proba, members, others, trainer=None, attacks=None).verdict.level == "leaks"
    record = audit(blind.predict_proba, members, others, trainer=None, attacks=None)
    assert (record.verdict.level, record.verdict.missing) == ("undecided", ["no-shadows"])
    assert "shadow models are trained" not in " ".join(record.threat_model.sentences)
    assert "Without shadow models" in " ".join(record.threat_model.sentences)


@pytest.mark.parametrize("attacks", [("lira", "gap", "noise_robustness"), ("lira", "gap")])
def test_labels_of_separated_blobs_are_never_called_quiet(attacks: tuple[str, ...]) -> None:
    x, y = make_blobs(600, 10, centers=5, random_state=0)
    members, others = (x[:300], y[:300]), (x[300:], y[300:])
    plan = QUICK | {"target": {"reveals": "labels"}}
    record = audit(KNeighborsClassifier(1).fit(*members), members, others, attacks=attacks, plan=plan)
    assert record.target.train_accuracy == record.target.test_accuracy == 1.0
    assert record.verdict.level == "undecided"
    assert "scores-alike" in record.verdict.missing
    assert (record.verdict.detectable_auc or 0) > 0.55


@pytest.mark.parametrize("seed", range(2))
def test_overfitted_regression_of_a_few_rows(seed: int) -> None:
    x, y = make_classification(120, 12, n_informative=4, n_redundant=0, flip_y=0.1, random_state=seed)
    members, others = (x[:60], y[:60]), (x[60:], y[60:])
    record = audit(LogisticRegression(C=1e3, max_iter=5000).fit(*members), members, others)
    assert record.verdict.level in ("leaks", "leaks_some", "undecided")
    far = [a.auc.low for a in record.attacks if a.auc is not None]
    assert record.verdict.level != "undecided" or max(far) < 0.57


def test_one_attack_that_looks_at_no_shadow_models() -> None:
    members, others, third = sides(third=True)
    record = audit(LogisticRegression().fit(*third), members, others, attacks=("gap",))
    assert record.verdict.level == "undecided"
    assert "no-shadows" in record.verdict.missing


def test_few_records_show_nothing() -> None:
    members, others = sides(25)
    record = audit(LogisticRegression(C=1e-3).fit(*members), members, others)
    assert record.verdict.level == "undecided"
    assert "few-records" in record.verdict.missing
    assert "an audit of these 50 records often misses" in record.verdict.headline


def test_shadows_unlike_the_target_leave_a_quiet_audit_undecided() -> None:
    members, others, third = sides(third=True)
    record = audit(LogisticRegression().fit(*third), members, others, trainer=SklearnTrainer(DecisionTreeClassifier()))
    assert record.verdict.level == "undecided"
    assert "shadows-unlike-target" in record.verdict.missing
    assert [f.severity for f in record.findings if f.code == "shadows-unlike-target"] == ["error"]


def test_answers_that_change_from_query_to_query_leave_a_quiet_audit_undecided() -> None:
    """Each answer is nearly all noise; the mean of many is not. Shadow models answer so too."""
    x, y = make_blobs(800, 5, centers=2, random_state=0)
    members, others, rng = (x[:400], y[:400]), (x[400:], y[400:]), np.random.default_rng(0)

    def train(x: NDArray[Any], y: NDArray[Any], n_classes: int, seed: int) -> Any:
        model, known = LogisticRegression().fit(x, y), {row.tobytes() for row in np.asarray(x)}

        def noisy(rows: NDArray[Any]) -> NDArray[Any]:
            sure = 1 / (1 + np.exp([-4 - 0.1 * (row.tobytes() in known) - rng.normal() for row in np.asarray(rows)]))
            label = model.predict(rows)
            return np.stack([np.where(label == 0, sure, 1 - sure), np.where(label == 1, sure, 1 - sure)], axis=1)

        return noisy

    target = train(*members, 2, 0)
    record = audit(target, members, others, trainer=FunctionTrainer(train))
    assert (record.verdict.level, record.verdict.missing) == ("undecided", ["answers-change"])
    mean = np.mean([target(x)[np.arange(len(x)), y] for _ in range(100)], axis=0)
    assert auc(mean[:400], mean[400:]).low > 0.6


def test_all_attacks_skipped() -> None:
    members, others = sides()
    record = audit(LogisticRegression().fit(*members).predict_proba, members, others, trainer=None, attacks=("lira",))
    assert record.verdict.level == "invalid"


def test_a_quiet_model_with_shadows_like_it_is_called_quiet() -> None:
    members, others = sides(400)
    record = audit(LogisticRegression(C=0.01).fit(*members), members, others)
    assert record.verdict.level == "none_found"
    assert record.verdict.detectable_auc is not None
    assert record.verdict.detectable_auc < 0.6
    assert record.verdict.detectable_tpr is not None


def attempt(name: str, scores: NDArray[np.float64], played: NDArray[np.float64] | None = None) -> Attempt:
    scored = Scored(name, name, "", ["answers", "shadows"], {}, "ok", scores=scores)
    if played is None:
        return Attempt(scored, Rehearsed())
    member = np.arange(len(played)) < len(played) // 2
    value = auc(played[member], played[~member]).value
    return Attempt(scored, Rehearsed(0.0, value, {}, (Played(np.arange(len(played)), played, member, value, {}),)))


def listened(attempts: list[Attempt], member: NDArray[np.bool_]) -> Heard:
    results = []
    for one in attempts:
        assert one.scored.scores is not None
        found = auc(one.scored.scores[member], one.scored.scores[~member])
        area = Estimate(value=found.value, low=found.low, high=found.high)
        name = one.scored.name
        results.append(AttackResult(name=name, title=name, paper="", status="ok", auc=area, needs=one.scored.needs))
    case = case_of(Evidence(labels=np.zeros(len(member), np.int64), n_classes=1), member)
    return hear(attempts, results, case, 0.01, Seeds(0))


@pytest.mark.parametrize(("n", "few"), [(2000, 100), (4000, 40)])
def test_a_leak_of_a_few_is_heard(n: int, few: int) -> None:
    rng, member = np.random.default_rng(n), np.arange(2 * n) < n
    scores = rng.normal(size=2 * n)
    scores[:few] = 9 + rng.random(few)
    heard = listened([attempt("lira", scores), attempt("loss", rng.normal(size=2 * n))], member)
    assert [one.name for one in heard.found] == ["lira"]
    assert heard.speaker == "lira"
    assert heard.found[0].by == "top"


def test_the_rehearsed_attack_speaks_unless_another_is_significantly_stronger() -> None:
    rng, member = np.random.default_rng(0), np.arange(2000) < 1000
    signal = member + rng.normal(size=2000)
    played = 3.0 * (np.arange(200) < 100) + rng.normal(size=200)
    weak = 0.2 * member + rng.normal(size=2000)
    equal = listened([attempt("a", signal, played), attempt("b", signal + 0.01 * rng.normal(size=2000))], member)
    assert (equal.speaker, equal.chosen_on, equal.rehearsed) == ("a", "shadows", "a")
    worse = listened([attempt("a", weak, played), attempt("b", signal)], member)
    assert (worse.speaker, worse.chosen_on, worse.rehearsed) == ("b", "audited rows", "a")
    nothing = listened([attempt("a", rng.normal(size=2000), played), attempt("b", rng.normal(size=2000))], member)
    assert (nothing.speaker, nothing.found) == ("a", [])
    unrehearsed = listened([attempt("a", rng.normal(size=2000)), attempt("b", signal)], member)
    assert (unrehearsed.speaker, unrehearsed.chosen_on) == ("b", "audited rows")


def test_scores_with_many_ties_cry_no_wolf() -> None:
    rng, member = np.random.default_rng(1), np.arange(600) < 300
    heard = listened([attempt(f"a{i}", rng.integers(0, 2 + i % 3, 600) * 1.0) for i in range(10)], member)
    assert heard.found == []
