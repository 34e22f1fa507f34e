"""Boosters' own files through the command line, next to the same booster in Python."""

import json

import numpy as np
import pytest
from tests.models.boosters.worlds import PARAMS, split, table

import gnomon
from gnomon.cli.app import run
from gnomon.core.errors import ModelError
from gnomon.models import load_model

xgb = pytest.importorskip("xgboost", reason="needs XGBoost (extra boosting)")
lgb = pytest.importorskip("lightgbm", reason="needs LightGBM (extra boosting)")
IN, OUT = table(150, 0), table(150, 1)


def booster(name):
    x, y = split(IN)
    if name == "m.txt":
        return lgb.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, lgb.Dataset(x, y), 20)
    return xgb.train(PARAMS, xgb.DMatrix(x, y, enable_categorical=True), 20)


@pytest.mark.parametrize("name", ["m.json", "m.ubj", "m.txt"])
def test_a_file_on_the_command_line_gives_the_record_of_the_booster_in_python(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    IN.to_csv("in.csv", index=False)
    OUT.to_csv("out.csv", index=False)
    made = booster(name)
    made.save_model(name)
    flags = "--members in.csv --nonmembers out.csv --label label --shadows 4 --attacks loss,lira --workers 1"
    assert run(["audit", "--model", name, *flags.split(), "--to", f"{name}.run"]) == 0
    record = json.loads((tmp_path / f"{name}.run" / "record.json").read_text())
    same = gnomon.audit(made, split(IN), split(OUT), shadows=4, attacks=("loss", "lira"), workers=1)
    assert [a["auc"]["value"] for a in record["attacks"]] == [a.auc.value for a in same.record.attacks]
    assert record["answers_map"]["sentence"].startswith('The model\'s answers: "0" is class "no", "1" is class "yes"')
    [read] = [f for f in record["findings"] if f["code"] == "model-as-read"]
    assert "20 rounds" in read["explanation"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.json", b"{}", "not an XGBoost model, or damaged"),
        ("m.ubj", b"nonsense", "not an XGBoost model, or damaged"),
        ("m.txt", b"nonsense", 'not a LightGBM model: its first line is not "tree"'),
        ("m.txt", b"tree\nversion=v4\n", "not a LightGBM model, or damaged"),
    ],
)
def test_damaged_files_are_named_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name}: {message}") as caught:
        load_model(tmp_path / name, ("no", "yes"))
    assert "\n" not in str(caught.value)


def test_rows_with_other_columns_are_named(tmp_path):
    booster("m.txt").save_model(tmp_path / "m.txt")
    model = load_model(tmp_path / "m.txt", ("no", "yes"))
    with pytest.raises(ModelError, match=r"the model takes rows of 3 columns, got 2"):
        model.log_probs(np.zeros((2, 2)))
