"""Labels follow predict where it has a rule of its own: a threshold, a method of the user's."""

import json

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gnomon
from gnomon.cli.app import run
from gnomon.models import SklearnModel, SklearnTrainer

RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=(150, 4)), RNG.normal(size=(150, 4))
Y, V = ((a[:, 0] + RNG.normal(size=150) > 0.8).astype(int) for a in (X, Z))
FRAME, OTHERS = (pd.DataFrame(a, columns=list("abcd")) for a in (X, Z))
EIGHT = FixedThresholdClassifier(RandomForestClassifier(20, random_state=0), threshold=0.2)


class Cautious(RandomForestClassifier):
    """Says no unless it is nearly certain."""

    def predict(self, x):
        return (self.predict_proba(x)[:, 1] > 0.9).astype(int)


@pytest.mark.parametrize(
    "estimator",
    [
        EIGHT,
        make_pipeline(StandardScaler(), EIGHT),
        TunedThresholdClassifierCV(LogisticRegression(), scoring="f1", cv=2),
        GridSearchCV(EIGHT, {"threshold": [0.2, 0.3]}, cv=2),
        Cautious(20, random_state=0),
    ],
    ids=["fixed", "pipeline", "tuned", "search", "own"],
)
def test_labels_are_those_of_predict_for_the_model_and_for_its_clones(estimator):
    model = SklearnModel(estimator.fit(X, Y), ("0", "1")).deciding()
    assert model is not None
    given = model.log_probs(Z)
    assert np.array_equal(given.argmax(axis=1), estimator.predict(Z))
    assert np.array_equal(np.sort(np.exp(given), axis=1), np.tile([0.0, 1.0], (150, 1)))
    assert not np.array_equal(estimator.predict(Z), estimator.predict_proba(Z).argmax(axis=1))
    trainer = SklearnTrainer(estimator).deciding()
    assert trainer is not None
    assert trainer.recipe() != SklearnTrainer(estimator).recipe()
    [shadow] = trainer.train(X, Y, 3, [np.arange(100)], [0])
    assert np.array_equal(shadow.log_probs(Z).argmax(axis=1), shadow.estimator.predict(Z))


def test_what_names_the_largest_probability_stays_as_it_is():
    for estimator in (LogisticRegression(), make_pipeline(StandardScaler(), RandomForestClassifier(5))):
        assert SklearnTrainer(estimator).deciding() is None
        assert SklearnModel(estimator.fit(X, Y), ("0", "1")).deciding() is None


def test_an_audit_that_reveals_labels_sees_the_threshold_on_the_command_line_and_in_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = EIGHT.fit(FRAME, Y)
    skops.io.dump(model, "m.skops")
    for name, x, y in (("in", FRAME, Y), ("out", OTHERS, V)):
        x.assign(y=y).to_csv(f"{name}.csv", index=False)
    flags = (
        "--members in.csv --nonmembers out.csv --label y --reveals labels --attacks gap,lira --shadows 4 --workers 1"
    )
    assert run(["audit", "--model", "m.skops", *flags.split(), "--to", "run"]) == 0
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    plan = {"target": {"reveals": "labels"}}
    same = gnomon.audit(model, (FRAME, Y), (OTHERS, V), attacks=("gap", "lira"), shadows=4, workers=1, plan=plan).record
    assert [a["auc"]["value"] for a in record["attacks"]] == [a.auc.value for a in same.attacks]
    right = (model.predict(FRAME) == Y).mean(), (model.predict(OTHERS) == V).mean()
    assert (record["target"]["train_accuracy"], record["target"]["test_accuracy"]) == pytest.approx(right)
    assert same.attacks[0].auc.value == pytest.approx(0.5 + (right[0] - right[1]) / 2)
    assert any("FixedThresholdClassifier predicts" in f.explanation for f in same.findings)


def test_a_class_that_no_audited_row_has_is_known_on_the_command_line_and_in_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    three = np.where(X[:, 1] > 1.5, "rare", np.where(Y == 1, "yes", "no"))
    model = LogisticRegression().fit(FRAME, three)
    skops.io.dump(model, "m.skops")
    seen = three != "rare"
    names = np.where(V == 1, "yes", "no")
    given = (FRAME[seen], three[seen]), (OTHERS, names)
    for name, (x, y) in zip(("in", "out"), given, strict=True):
        x.assign(y=y).to_csv(f"{name}.csv", index=False)
    flags = "--members in.csv --nonmembers out.csv --label y --attacks loss --shadows 0 --workers 1 --to run"
    assert run(["audit", "--model", "m.skops", *flags.split()]) == 0
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    same = gnomon.audit(model, *given, attacks=("loss",), shadows=0, workers=1).record
    assert record["answers_map"]["classes"] == same.answers_map.classes == ["no", "rare", "yes"]
    assert record["attacks"][0]["auc"]["value"] == same.attacks[0].auc.value
