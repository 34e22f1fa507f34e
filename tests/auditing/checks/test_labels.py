"""Answers that do not belong to the labels, through the checks, through Python and through the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from gnomon.auditing.api import audit
from gnomon.auditing.checks.labels import Answered, best_order, check_labels
from gnomon.cli.app import run
from gnomon.core.documents.read_write import read_record
from gnomon.core.errors import DataError, PreflightError
from gnomon.models import SklearnTrainer

RNG = np.random.default_rng(0)


def answers_of(right: float, labels: np.ndarray, c: int, rng: np.random.Generator) -> np.ndarray:
    """Log-probabilities (n, c) that are right on this share of the rows, otherwise any other class."""
    told = np.where(rng.random(len(labels)) < right, labels, (labels + rng.integers(1, c, len(labels))) % c)
    p = np.full((len(labels), c), 0.1 / (c - 1))
    p[np.arange(len(labels)), told] = 0.9
    return np.log(p)


def words(c: int) -> tuple[str, ...]:
    return tuple(map(str, range(c)))


@pytest.mark.parametrize(("c", "n"), [(2, 300), (3, 60), (11, 300), (100, 2000)])
@pytest.mark.parametrize("right", [0.75, 1.0])
def test_classes_in_another_order_are_found_and_the_right_order_is_not(c: int, n: int, right: float) -> None:
    rng = np.random.default_rng(c)
    labels = np.arange(n) % c
    answers = answers_of(right, labels, c, rng)
    assert check_labels(Answered(answers, labels, words(c))) == []
    moved = np.roll(answers, 1, axis=1)
    [finding] = check_labels(Answered(moved, labels, words(c)))
    assert (finding.code, finding.severity) == ("labels-mismatch", "error")
    assert '"1" fits class "0"' in finding.title
    assert best_order(moved, labels).order.tolist() == np.roll(np.arange(c), 1).tolist()


def test_weak_models_are_not_accused_of_another_order() -> None:
    """Of 600 weak and weighing models, none; the halves on which an order is learned and measured are apart."""
    rng, told = np.random.default_rng(1), 0
    for _ in range(600):
        c, n = int(rng.choice([2, 3, 10, 50])), int(rng.choice([20, 100, 1000]))
        share = rng.dirichlet(np.full(c, rng.choice([0.5, 5.0])))
        labels = rng.choice(c, n, p=share)
        lean = rng.dirichlet(np.full(c, rng.choice([0.3, 5.0])))  # of the answers, whatever the record
        said = np.where(rng.random(n) < rng.choice([0.0, 0.05, 0.3]), labels, rng.choice(c, n, p=lean))
        answers = np.log(np.full((n, c), 0.4 / c) + 0.6 * np.eye(c)[said])
        titles = [f.title for f in check_labels(Answered(answers, labels, words(c)))]
        told += any("another order" in title for title in titles)
    assert told == 0


def test_answers_of_other_rows_are_found_where_the_model_is_sure() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 10, 1500)
    other = answers_of(0.98, rng.permutation(labels), 10, rng)
    [finding] = check_labels(Answered(other, labels, words(10)))
    assert "as often as answers to other records would be" in finding.title


def test_a_model_that_weighs_a_rare_class_is_not_accused_but_one_that_knows_nothing_is() -> None:
    x = RNG.normal(size=(800, 5))
    y = (x[:, 0] + RNG.normal(size=800) > 2.3).astype(int)
    weighed = LogisticRegression(class_weight={0: 1, 1: 60}).fit(x, y)
    logs = weighed.predict_log_proba(x)
    assert weighed.score(x, y) < 1 - y.mean() - 0.1
    assert check_labels(Answered(logs, y, words(2))) == []
    noise = np.log(np.stack([1 - (p := RNG.uniform(0.3, 0.7, 800)), p], axis=1))
    assert "always saying the commonest class would be on" in check_labels(Answered(noise, y, words(2)))[0].title


def test_what_shadows_of_the_same_recipe_do_too_is_no_mismatch() -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random(600) < 0.2).astype(np.int64)
    inverse = answers_of(0.1, labels, 2, rng)
    assert check_labels(Answered(inverse, labels, words(2))) != []
    alike = [(answers_of(0.1, labels, 2, rng), labels) for _ in range(4)]
    assert check_labels(Answered(inverse, labels, words(2), alike)) == []


def test_a_target_far_below_what_its_shadows_reach_on_new_records() -> None:
    rng = np.random.default_rng(4)
    labels = np.arange(500) % 5
    answers, good = answers_of(0.5, labels, 5, rng), [(answers_of(1.0, labels, 5, rng), labels)]
    [finding] = check_labels(Answered(answers, labels, words(5), good, [0.9, 0.85]))
    assert "where shadow models of the same recipe are right on 85.0%" in finding.title
    assert check_labels(Answered(answers, labels, words(5), good, [0.9, 0.6])) == []


# --- through Python


def blobs(n: int, labels: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows around one centre a label, and the labels."""
    rng = np.random.default_rng(seed)
    pick = np.arange(n) % len(labels)
    return rng.normal(size=(n, 4)) + 1.5 * np.eye(4)[pick % 4], np.asarray(labels)[pick]


OWN_LABELS = {
    "numbers from 1": [1, 2, 3],
    "text": ["no", "perhaps", "yes"],
    "floats": [1.0, 2.0, 5.0],
    "truth values": [False, True],
    "a minus": [-1, 1],
    "codes": ["x007", "x010", "x100"],
}


@pytest.mark.parametrize("name", OWN_LABELS)
def test_a_clone_on_the_targets_own_rows_is_the_target(name: str) -> None:
    own = OWN_LABELS[name]
    x, y = blobs(150, own, 0)
    target = LogisticRegression(class_weight={own[0]: 1.0, own[1]: 10.0} | dict.fromkeys(own[2:], 3.0)).fit(x, y)
    ids = np.searchsorted(target.classes_, y)
    trainer = SklearnTrainer(target, labels=tuple(target.classes_.tolist()))
    [clone] = trainer.train(x, ids, len(own), [np.arange(150)], [5])
    assert clone.estimator.classes_.tolist() == target.classes_.tolist()
    assert np.allclose(np.exp(clone.log_probs(x)), target.predict_proba(x), atol=1e-6)
    assert "labels" in trainer.recipe()
    record = audit(target, (x, y), blobs(150, own, 1), shadows=2, attacks=("loss",), workers=1).record
    assert record.answers_map is not None
    assert record.answers_map.rule == "name"
    assert record.shadows is not None
    assert record.shadows.train_accuracy is not None
    assert abs(record.shadows.train_accuracy.value - target.score(x, y)) < 0.15
    assert record.recipe["labels"] == target.classes_.tolist()


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(
            DecisionTreeClassifier(random_state=0),
            {"max_depth": [2, 4]},
            scoring=make_scorer(f1_score, pos_label="yes"),
            cv=2,
            error_score="raise",
        ),
        TunedThresholdClassifierCV(GaussianNB(), scoring=make_scorer(f1_score, pos_label="yes"), thresholds=5, cv=2),
        FixedThresholdClassifier(GaussianNB(), threshold=0.3, pos_label="yes"),
    ],
    ids=["search", "tuned threshold", "fixed threshold"],
)
def test_scorers_and_thresholds_that_name_a_class_reach_the_shadows(search: Any) -> None:
    x, y = blobs(160, ["no", "yes"], 0)
    record = audit(
        search.fit(x, y), (x, y), blobs(160, ["no", "yes"], 1), shadows=2, attacks=("loss",), workers=1
    ).record
    assert record.shadows is not None
    assert record.shadows.count == 2


def test_a_model_that_knows_a_class_that_no_row_has() -> None:
    x, y = blobs(200, ["a", "b", "c"], 0)
    model = DecisionTreeClassifier(random_state=0).fit(x, y)
    inside, (x_out, y_out) = y != "c", blobs(200, ["a", "b", "c"], 1)
    record = audit(
        model,
        (x[inside], y[inside]),
        (x_out[y_out != "c"], y_out[y_out != "c"]),
        shadows=2,
        attacks=("loss",),
        workers=1,
    ).record
    assert record.data.classes == 3
    assert record.answers_map is not None
    assert record.answers_map.answers == ["a", "b", "c"]


def test_ids_of_the_users_own_encoding_are_matched_in_order_and_said() -> None:
    x, y = blobs(150, ["high", "low", "mid"], 0)
    model = LogisticRegression().fit(x, np.unique(y, return_inverse=True)[1])
    record = audit(model, (x, y), blobs(150, ["high", "low", "mid"], 1), shadows=2, attacks=("loss",), workers=1).record
    assert record.answers_map is not None
    assert record.answers_map.rule == "order"
    assert '"1" is class "low"' in record.answers_map.sentence
    assert record.recipe["labels"] == [0, 1, 2]
    assert record.target.train_accuracy is not None
    assert record.target.train_accuracy > 0.6


def test_ids_in_another_order_than_the_labels_stop_the_audit() -> None:
    names = ["high", "low", "mid"]
    x, y = blobs(300, names, 0)
    model = LogisticRegression().fit(x, [["low", "mid", "high"].index(v) for v in y])  # the user's own order
    with pytest.raises(PreflightError, match=r'with the classes in another order \(the answer "high" fits class "low"'):
        audit(model, (x, y), blobs(300, names, 1), shadows=0, attacks=("loss",), workers=1)


def test_an_unknown_label_is_one_line_through_python() -> None:
    x, y = blobs(120, ["no", "yes"], 0)
    model = GaussianNB().fit(x, y)
    strange = np.where(np.arange(120) == 7, "maybe", y)
    with pytest.raises(DataError, match=r'row 7 has the label "maybe", which the model does not know .*no, yes'):
        audit(model, (x, strange), blobs(120, ["no", "yes"], 1), shadows=0, attacks=("loss",))


# --- through the command line


@pytest.fixture
def forest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eleven classes, a forest, and its answers in files."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = np.arange(440) % 11
    x = rng.normal(size=(440, 4)) + 2 * np.stack([y % 2, y % 3, y % 5, y % 7], axis=1)
    order = rng.permutation(440)
    sides = {"in": order[:220], "out": order[220:]}
    model = RandomForestClassifier(20, bootstrap=False, random_state=0).fit(x[sides["in"]], y[sides["in"]])
    for name, rows in sides.items():
        np.savez(f"{name}.npz", x=x[rows], y=y[rows])
        np.savez(f"{name}_answers.npz", answers=model.predict_proba(x[rows]))
        frame = pd.DataFrame(model.predict_proba(x[rows]), columns=[f"prediction_{k}" for k in range(11)])
        frame[sorted(frame.columns)].to_csv(f"{name}.csv", index=False)
        frame[sorted(frame.columns)].set_axis(range(11), axis=1).to_csv(f"{name}_moved.csv", index=False)
    return tmp_path


AUDIT = ["audit", "--members", "in.npz", "--nonmembers", "out.npz", "--attacks", "gap,loss", "--workers", "1"]
AUDIT += ["--to", "run"]


def test_numbered_columns_in_text_order_belong_to_their_numbers(
    forest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*AUDIT, "--member-answers", "in.csv", "--nonmember-answers", "out.csv"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert '"prediction_0" is class "0", "prediction_1" is class "1"' in said
    record = read_record(forest / "run")
    assert record.target.train_accuracy == 1.0
    assert record.answers_map is not None
    assert record.answers_map.answers[10] == "prediction_10"
    assert (
        run([*AUDIT[:-1], "same", "--member-answers", "in_answers.npz", "--nonmember-answers", "out_answers.npz"]) == 0
    )
    same = read_record(forest / "same")
    assert [a.auc for a in same.attacks] == [a.auc for a in record.attacks]


def test_columns_in_another_order_stop_the_audit_and_show_the_order(
    forest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*AUDIT, "--member-answers", "in_moved.csv", "--nonmember-answers", "out_moved.csv"]
    assert run(command) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert 'the answer "2" fits class "10", "3" fits class "2", "4" fits class "3" and 6 more' in line
    assert run([*command, "--override", "labels-mismatch"]) == 0
    assert read_record(forest / "run").verdict.level == "invalid"


def test_weights_of_classes_reach_the_same_class_in_shadows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, seed in (("in", 0), ("out", 1)):
        x, y = blobs(180, [1, 2, 3], seed)
        x += np.random.default_rng(seed).normal(size=x.shape)
        pd.DataFrame(x, columns=list("abcd")).assign(kind=y).to_csv(f"{name}.csv", index=False)
    frame = pd.read_csv("in.csv")
    model = LogisticRegression(class_weight={1: 1, 2: 10, 3: 1}).fit(frame[list("abcd")], frame["kind"])
    skops.io.dump(model, "m.skops")
    plan = """
        name = "w"
        [data]
        members = "in.csv"
        nonmembers = "out.csv"
        label = "kind"
        [trainer]
        kind = "sklearn"
        estimator = "sklearn.linear_model:LogisticRegression"
        [trainer.params]
        class_weight = { 1 = 1, 2 = 10, 3 = 1 }
        [attacks]
        names = ["loss"]
        [shadow]
        count = 2
    """
    Path("plan.toml").write_text(plan)
    trained = ["audit", "plan.toml", "--workers", "1", "--to", "trained"]
    given = ["audit", "--model", "m.skops", "--members", "in.csv", "--nonmembers", "out.csv", "--label", "kind"]
    assert run([*given, "--attacks", "loss", "--workers", "1", "--shadows", "2", "--to", "given"]) == 0
    assert run(trained) == 0
    accuracy = [read_record(Path(name)).target.train_accuracy for name in ("given", "trained")]
    assert accuracy[0] == accuracy[1]
    assert read_record(Path("given")).recipe["labels"] == [1, 2, 3]


def test_a_class_that_no_row_has_and_other_spellings_through_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    x, y = blobs(240, [1, 2, 7], 0)
    model = DecisionTreeClassifier(random_state=0).fit(pd.DataFrame(x, columns=list("abcd")), y)
    skops.io.dump(model, "m.skops")
    for name, (rows, labels) in {"in": (x, y), "out": blobs(240, [1, 2, 7], 1)}.items():
        there = labels != 7
        frame = pd.DataFrame(rows[there], columns=list("abcd")).assign(kind=labels[there].astype(float))
        frame.astype({"kind": str}).to_parquet(f"{name}.parquet")  # "1.0", "2.0"
    command = ["audit", "--model", "m.skops", "--members", "in.parquet", "--nonmembers", "out.parquet"]
    assert (
        run([*command, "--label", "kind", "--attacks", "loss", "--workers", "1", "--shadows", "2", "--to", "run"]) == 0
    )
    record = read_record(Path("run"))
    assert record.answers_map is not None
    assert (record.answers_map.rule, record.answers_map.classes) == ("number", ["1.0", "2.0", "7"])
    assert record.answers_map.answers == ["1", "2", "7"]
    assert record.target.train_accuracy == 1.0


@pytest.mark.parametrize("order", [[1, 0], [1, 2, 0]])
def test_another_order_of_the_classes_is_not_taken_for_swapped_tables(order: list[int]) -> None:
    """A forest is right on none of its members then, and on some others: less on members than on others, too."""
    k, rng = len(order), np.random.default_rng(0)
    x = rng.normal(size=(400, 5))
    y = np.digitize(x[:, 0] + 0.7 * rng.normal(size=400), [-0.4, 0.4][: k - 1])
    members, others = (x[:200], y[:200]), (x[200:], y[200:])
    model = RandomForestClassifier(10, random_state=0).fit(*members)
    with pytest.raises(PreflightError, match=r"with the classes in another order .*labels-mismatch"):
        audit(lambda rows: model.predict_proba(rows)[:, order], members, others, trainer=None, attacks=["gap"])
    with pytest.raises(PreflightError, match="tables-swapped"):
        audit(model.predict_proba, others, members, trainer=None, attacks=["gap"])
