"""One score a row, on the command line, next to both columns in Python."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, log_expit
from sklearn.linear_model import LogisticRegression

import gnomon
from gnomon.cli.app import run

RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=(80, 3)), RNG.normal(size=(80, 3))
Y, V = (np.where(a[:, 0] + RNG.normal(size=80) > 0, "yes", "no") for a in (X, Z))
MODEL = LogisticRegression().fit(X, Y)


@pytest.mark.parametrize(
    ("outputs", "read"), [("probabilities", expit), ("logits", lambda z: z), ("log_probabilities", log_expit)]
)
def test_one_probability_one_margin_and_one_logarithm_are_widened_and_the_record_says_so(
    tmp_path, monkeypatch, outputs, read
):
    monkeypatch.chdir(tmp_path)
    for name, x, y in (("in", X, Y), ("out", Z, V)):
        pd.DataFrame(x, columns=list("abc")).assign(y=y).to_csv(f"{name}.csv", index=False)
        pd.DataFrame({"score": read(MODEL.decision_function(x))}).to_csv(f"{name}-answers.csv", index=False)
    flags = "--members in.csv --nonmembers out.csv --label y --attacks loss --member-answers in-answers.csv"
    flags += f" --nonmember-answers out-answers.csv --outputs {outputs} --to run"
    assert run(["audit", *flags.split()]) == 0
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["name"] == "in-answers", "an audit by flags is named after what it audits"
    same = gnomon.audit(MODEL, (X, Y), (Z, V), attacks=("loss",), shadows=0, workers=1).record
    assert record["attacks"][0]["auc"]["value"] == pytest.approx(same.attacks[0].auc.value, abs=1e-9)
    assert record["answers_map"]["rule"] == "one column"
    assert 'is class "yes"' in record["answers_map"]["sentence"]
