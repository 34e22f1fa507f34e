"""Answers without the model, and without features: the same values and the same lines from files, plans and Python."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import gnomon
from gnomon.cli.app import run
from gnomon.models import SklearnTrainer

pd = pytest.importorskip("pandas")
rng = np.random.default_rng(0)
N = 120
Y = rng.integers(0, 3, 2 * N)
P = rng.dirichlet(np.ones(3), 2 * N)
P[:N] = 0.5 * P[:N] + 0.5 * np.eye(3)[Y[:N]]  # members are answered better
NAMES = np.array(["ill", "mild", "well"])


def halves(thing: Any) -> tuple[Any, Any]:
    return thing[:N], thing[N:]


def python(answers: Any, **given: Any) -> Any:
    y_in, y_out = halves(NAMES[Y])
    asked = {"attacks": ("gap", "loss"), "workers": 1, **given}
    return gnomon.audit(None, (None, y_in), (None, y_out), trainer=None, answers=halves(answers), **asked)


def files(folder: Path, frame: Any) -> list[str]:
    for name, part in zip(("in", "out"), halves(frame.assign(truth=NAMES[Y])), strict=True):
        part.to_csv(folder / f"{name}.csv", index=False)
    places = ["--member-answers", str(folder / "in.csv"), "--nonmember-answers", str(folder / "out.csv")]
    asked = ["--label", "truth", "--attacks", "gap,loss", "--workers", "1"]
    return ["audit", *places, *asked, "--to", str(folder / "run")]


def aucs(outcome: Any) -> dict[str, float | None]:
    return {a.name: a.auc and a.auc.value for a in outcome.record.attacks}


FRAMES = {
    "probabilities": pd.DataFrame(P, columns=[f"p_{name}" for name in NAMES]),
    "labels": pd.DataFrame({"predicted": NAMES[P.argmax(axis=1)]}),
    "labels and confidence": pd.DataFrame({"predicted": NAMES[P.argmax(axis=1)], "sure": P.max(axis=1)}),
    "in per cent": pd.DataFrame({"predicted": NAMES[P.argmax(axis=1)], "sure": 100 * P.max(axis=1)}),
}
REVEALS = {"probabilities": "full", "labels": "labels", "labels and confidence": "top:1", "in per cent": "top:1"}


@pytest.mark.parametrize("kind", FRAMES)
def test_files_and_python_give_the_same_values(kind: str, tmp_path: Path) -> None:
    there = python(FRAMES[kind])
    assert run(files(tmp_path, FRAMES[kind])) == 0
    here = gnomon.read_outcome(tmp_path / "run")
    assert aucs(here) == pytest.approx(aucs(there))
    assert here.record.plan["target"]["reveals"] == REVEALS[kind]
    assert here.record.attacks[0].auc is not None


def test_what_features_are_needed_for_is_skipped_and_said() -> None:
    found = python(P, attacks=None)
    ran = {a.name for a in found.record.attacks if a.status == "ok"}
    assert {"gap", "loss"} <= ran
    assert all("x" not in a.needs and "query" not in a.needs for a in found.record.attacks if a.status == "ok")
    assert found.record.data.features == 0


def test_an_array_and_a_file_of_labels_only_stand_for_the_rows(tmp_path: Path) -> None:
    for name, y, p in zip(("in", "out"), halves(NAMES[Y]), halves(P), strict=True):
        pd.DataFrame({"y": y}).to_csv(tmp_path / f"{name}.csv", index=False)
        np.savez(tmp_path / f"{name}.npz", answers=NAMES[p.argmax(axis=1)], confidence=p.max(axis=1))
    files = {"members": "in.csv", "nonmembers": "out.csv", "label": "y"}
    target = {"member_answers": str(tmp_path / "in.npz"), "nonmember_answers": str(tmp_path / "out.npz")}
    data = {key: str(tmp_path / value) if key != "label" else value for key, value in files.items()}
    plan = gnomon.make_plan({"data": data, "target": target, "attacks": {"names": ["gap", "loss"]}})
    found = gnomon.audit_plan(plan, tmp_path / "run", gnomon.Settings(workers=1))
    assert aucs(found) == pytest.approx(aucs(python(FRAMES["labels and confidence"])))


ODD = {
    "a score for three classes": (pd.DataFrame({"score": P[:, 0]}), "a single score is enough for two classes only"),
    "a label that no row has": (
        pd.DataFrame({"predicted": np.full(2 * N, "dead")}),
        'the label "dead" is none of the classes',
    ),
    "confidence above 1": (
        pd.DataFrame({"predicted": NAMES[Y], "sure": 300 * P.max(axis=1)}),
        "expected numbers of shape",
    ),
    "two classes of three": (pd.DataFrame(P[:, :2], columns=["ill", "mild"]), "expected 3 columns|no column for"),
}


@pytest.mark.parametrize("what", ODD)
def test_what_no_door_takes_is_one_and_the_same_line(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, words = ODD[what]
    with pytest.raises(gnomon.GnomonError, match=words) as caught:
        python(frame)
    assert run(files(tmp_path, frame)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.removeprefix("gnomon: ").strip().partition(": ")[2] == str(caught.value).partition(": ")[2]


def test_a_recipe_without_features_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    command = files(tmp_path, FRAMES["labels"])
    (tmp_path / "plan.toml").write_text(
        '[data]\nlabel = "truth"\n[target]\nmember_answers = "in.csv"\nnonmember_answers = "out.csv"\n'
        '[trainer]\nkind = "sklearn"\nestimator = "sklearn.tree:DecisionTreeClassifier"\n'
    )
    with pytest.raises(gnomon.GnomonError, match="no features, which shadow models would be trained on"):
        gnomon.audit_plan(gnomon.read_plan(tmp_path / "plan.toml"), tmp_path / "run")
    assert command[0] == "audit"


def test_rows_and_answers_that_do_not_go_together_are_one_line() -> None:
    with pytest.raises(gnomon.GnomonError, match=r"answers: expected \(those to members, those to non-members\)"):
        gnomon.audit(None, (None, Y[:N]), (None, Y[N:]), trainer=None, answers=(P,))
    with pytest.raises(gnomon.GnomonError, match="expected 120 rows, one for each audited row, got 119"):
        gnomon.audit(None, (None, Y[:N]), (None, Y[N:]), trainer=None, answers=(P[:N], P[N + 1 :]))
    with pytest.raises(gnomon.GnomonError, match="give a model or its answers, not both"):
        gnomon.audit(lambda x: x, (None, Y[:N]), (None, Y[N:]), trainer=None, answers=halves(P))


def test_a_column_of_labels_may_be_called_after_a_class(tmp_path: Path) -> None:
    frame = FRAMES["probabilities"].assign(ill=NAMES[Y])
    for name, part in zip(("in", "out"), halves(frame), strict=True):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    places = ["--member-answers", str(tmp_path / "in.csv"), "--nonmember-answers", str(tmp_path / "out.csv")]
    asked = ["--label", "ill", "--attacks", "gap,loss", "--workers", "1", "--to", str(tmp_path / "run")]
    assert run(["audit", *places, *asked]) == 0
    assert aucs(gnomon.read_outcome(tmp_path / "run")) == pytest.approx(aucs(python(FRAMES["probabilities"])))


@pytest.mark.parametrize("kind", ["labels", "labels and confidence"])
def test_shadow_models_are_compared_by_what_the_answers_show(kind: str) -> None:
    """By their full answers shadow models of the very same recipe were unlike every target that shows labels only."""
    x = rng.normal(size=(2 * N, 4))
    y = (x[:, 0] + rng.normal(size=2 * N) > 0).astype(int)
    recipe = LogisticRegression(C=0.1)
    p = recipe.fit(x[:N], y[:N]).predict_proba(x)
    told = pd.DataFrame({"predicted": p.argmax(axis=1)})
    told = told if kind == "labels" else told.assign(sure=p.max(axis=1))
    shown, rows, labels = halves(told), halves(x), halves(y)
    sides = list(zip(rows, labels, strict=True))
    given = {
        "answers": shown,
        "trainer": SklearnTrainer(recipe),
        "shadows": 4,
        "attacks": ("gap", "lira"),
        "workers": 1,
    }
    record = gnomon.audit(None, *sides, **given).record
    assert record.plan["target"]["reveals"] == REVEALS[kind]
    assert "shadows-unlike-target" not in [f.code for f in record.findings]


def test_the_bounds_of_slices_pay_for_the_attacks_that_the_audited_rows_chose_among() -> None:
    record = python(FRAMES["probabilities"], plan={"statistics": {"slices": ["class"]}}).record
    assert (record.verdict.chosen_on, len(record.verdict.tested)) == ("audited rows", 2)
    assert record.slices[0].intervals == 2 * 3 * 2  # values, classes, attacks
