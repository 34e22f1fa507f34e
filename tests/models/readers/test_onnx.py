"""ONNX files as skl2onnx and torch make them, next to the model that they were made of."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

import gnomon
from gnomon.cli.app import run
from gnomon.core.errors import ModelError
from gnomon.models import load_model

onnx = pytest.importorskip("onnx", reason="needs onnx")
pytest.importorskip("onnxruntime", reason="needs onnxruntime (extra onnx)")
skl2onnx = pytest.importorskip("skl2onnx", reason="needs skl2onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from skl2onnx.common.data_types import FloatTensorType, StringTensorType  # noqa: E402

RNG = np.random.default_rng(0)


def table(rows):
    frame = pd.DataFrame({"age": RNG.normal(size=rows), "sum of": RNG.normal(size=rows)}).astype(np.float32)
    frame["colour"] = RNG.choice(["red", "green"], rows)
    label = np.where(frame["age"] + RNG.normal(size=rows) > 0, "yes", "no")
    return frame, label


X, Y = table(120)
OUT, OUT_Y = table(120)
KINDS = [
    ("age", FloatTensorType([None, 1])),
    ("sum_of", FloatTensorType([None, 1])),
    ("colour", StringTensorType([None, 1])),
]


def pipeline():
    columns = make_column_transformer((StandardScaler(), [0, 1]), (OneHotEncoder(), [2]))
    return make_pipeline(columns, LogisticRegression()).fit(X, Y)


def convert(model, place, kinds=KINDS, **options):
    made = skl2onnx.convert_sklearn(model, initial_types=kinds, options={id(model): options} if options else None)
    place.write_bytes(made.SerializeToString())


def linear(place, kind=TensorProto.FLOAT, rows="n", columns=2, node="Softmax"):
    dtype = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16, TensorProto.DOUBLE: np.float64}[kind]
    weights = np.linspace(-1, 1, 3 * columns).reshape(3, columns).astype(dtype)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node(node, ["z"], ["p"])],
        "linear",
        [helper.make_tensor_value_info("x", kind, [rows, 3])],
        [helper.make_tensor_value_info("p", kind, [rows, columns])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), place)
    return weights.astype(np.float64)


@pytest.mark.parametrize("zipmap", [True, False])
def test_a_pipeline_with_an_input_for_each_column_on_the_command_line_and_in_python(tmp_path, monkeypatch, zipmap):
    monkeypatch.chdir(tmp_path)
    model = pipeline()
    convert(model, tmp_path / "m.onnx", zipmap=zipmap)
    for name, x, y in (("in", X, Y), ("out", OUT, OUT_Y)):
        x.assign(y=y).to_csv(f"{name}.csv", index=False)
    flags = "--members in.csv --nonmembers out.csv --label y --attacks loss --shadows 0 --workers 1 --to run"
    assert run(["audit", "--model", "m.onnx", *flags.split()]) == 0
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    same = gnomon.audit(model, (X, Y), (OUT, OUT_Y), attacks=("loss",), shadows=0, workers=1).record
    assert record["attacks"][0]["auc"]["value"] == pytest.approx(same.attacks[0].auc.value, abs=1e-3)
    read = load_model(tmp_path / "m.onnx", ("no", "yes"))
    assert np.allclose(np.exp(read.log_probs(X)), model.predict_proba(X), atol=1e-5)
    assert np.array_equal(pickle.loads(pickle.dumps(read)).log_probs(X), read.log_probs(X))  # noqa: S301 - our own bytes


def test_maps_name_their_classes_in_whatever_order_and_also_those_that_no_row_has(tmp_path):
    x = RNG.normal(size=(90, 3)).astype(np.float32)
    y = np.array(["a", "b", "c"])[np.arange(90) % 3]
    model = LogisticRegression().fit(x, y)
    convert(model, tmp_path / "m.onnx", [("x", FloatTensorType([None, 3]))], zipmap=True)
    shown = np.exp(load_model(tmp_path / "m.onnx", ("c", "b", "a", "d")).log_probs(x))
    assert np.allclose(shown[:, [2, 1, 0]], model.predict_proba(x), atol=1e-5)
    assert (shown[:, 3] == 0).all()
    with pytest.raises(ModelError, match=r"name the classes a, b, c, the data set has no, yes"):
        load_model(tmp_path / "m.onnx", ("no", "yes")).log_probs(x)


def test_columns_in_another_order_than_the_classes_are_refused_where_labels_show_it(tmp_path):
    model = pipeline()
    convert(model, tmp_path / "m.onnx", zipmap=False)
    with pytest.raises(ModelError, match=r"another order than the classes yes, no.*zipmap=True"):
        load_model(tmp_path / "m.onnx", ("yes", "no")).log_probs(X)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE])
@pytest.mark.parametrize("rows", ["n", 1, 7])
def test_half_precision_and_a_fixed_number_of_rows(tmp_path, kind, rows):
    weights = linear(tmp_path / "m.onnx", kind, rows, columns=4)
    x = RNG.normal(size=(20, 3))
    odds = np.exp(x @ weights)
    shown = np.exp(load_model(tmp_path / "m.onnx", tuple("abcd")).log_probs(x))
    assert np.allclose(shown, odds / odds.sum(axis=1, keepdims=True), atol=5e-3)
    assert np.allclose(shown.sum(axis=1), 1, atol=1e-6)


def test_one_number_a_row_is_that_of_the_second_class_and_the_record_says_so(tmp_path):
    weights = linear(tmp_path / "m.onnx", columns=1, node="Sigmoid")
    x = RNG.normal(size=(40, 3))
    model = load_model(tmp_path / "m.onnx", ("no", "yes"))
    assert np.allclose(np.exp(model.log_probs(x))[:, 1], 1 / (1 + np.exp(-(x @ weights)[:, 0])), atol=1e-5)
    labels = np.where((x @ weights)[:, 0] > 0, "yes", "no")
    record = gnomon.audit(model, (x, labels), (x + 0.1, labels), attacks=("loss",), workers=1).record
    assert record.answers_map is not None
    assert '"the one column" is class "yes"' in record.answers_map.sentence


def test_rows_that_do_not_fit_are_refused_in_one_line(tmp_path):
    convert(pipeline(), tmp_path / "m.onnx", zipmap=False)
    model = load_model(tmp_path / "m.onnx", ("no", "yes"))
    with pytest.raises(
        ModelError, match=r'takes a column "colour", which the rows have not \(did you mean "color"\?\)'
    ):
        model.log_probs(X.rename(columns={"colour": "color"}))
    linear(tmp_path / "n.onnx")
    with pytest.raises(ModelError, match=r'takes one array of numbers .* the column "colour" holds text'):
        load_model(tmp_path / "n.onnx", ("no", "yes")).log_probs(X)


def test_several_inputs_of_several_columns_are_one_line(tmp_path):
    pairs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("left", "right")]
    graph = helper.make_graph(
        [helper.make_node("Add", ["left", "right"], ["z"]), helper.make_node("Softmax", ["z"], ["p"])],
        "two",
        pairs,
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 2])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(made, tmp_path / "m.onnx")
    with pytest.raises(
        ModelError, match=r"^it takes 2 inputs of several columns \(left: 2, right: 2\).*target\.callable"
    ):
        load_model(tmp_path / "m.onnx", ("no", "yes")).log_probs(np.zeros((3, 4)))


def test_a_model_without_probabilities_is_audited_by_its_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, out = (RNG.normal(size=(120, 3)).astype(np.float32) for _ in range(2))
    y, out_y = (np.where(rows[:, 0] + RNG.normal(size=120) > 0, "yes", "no") for rows in (x, out))
    model = LinearSVC().fit(x, y)
    convert(model, tmp_path / "m.onnx", [("x", FloatTensorType([None, 3]))])
    read = load_model(tmp_path / "m.onnx", ("no", "yes"))
    with pytest.raises(ModelError, match=r"^m\.onnx: probabilities must lie .*\(--reveals labels\)$"):
        read.log_probs(x)  # its margins are shifted, and no logits
    assert (read.deciding().log_probs(x).argmax(axis=1) == (model.predict(x) == "yes")).all()
    whole = onnx.load("m.onnx")
    del whole.graph.output[1:]
    onnx.save(whole, "labels.onnx")
    with pytest.raises(ModelError, match=r"labels.onnx: it names the labels no, yes, the data set has a, b"):
        load_model(tmp_path / "labels.onnx", ("a", "b")).log_probs(x)
    np.savez("in.npz", x=x, y=y)
    np.savez("out.npz", x=out, y=out_y)
    flags = ["--members", "in.npz", "--nonmembers", "out.npz", "--attacks", "gap", "--shadows", "0", "--workers", "1"]
    assert run(["audit", "--model", "labels.onnx", *flags, "--to", "run"]) == 0
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    gap = (model.predict(x) == y).mean() - (model.predict(out) == out_y).mean()
    assert record["attacks"][0]["auc"]["value"] == pytest.approx(0.5 + gap / 2)
    assert record["threat_model"]["reveals"] == "the predicted label only"
