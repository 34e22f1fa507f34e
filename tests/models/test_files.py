import ctypes
import pickle
import sys
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from gnomon.cli.app import run
from gnomon.core.errors import ModelError, UsageError
from gnomon.models import CallableModel, SklearnModel, as_model, import_object, load_model
from gnomon.models.files import Query, read_model
from gnomon.models.readers.model_file import Use

X, Y = load_digits(return_X_y=True)
X, Y = X[:200], Y[:200]
TEN = tuple(str(k) for k in range(10))


class Own(ClassifierMixin, BaseEstimator):
    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        return np.full((len(x), len(self.classes_)), 1 / len(self.classes_))


def answer(x):
    return np.full((len(x), 10), 0.1)


def test_a_type_can_be_trusted_on_the_command_line(tmp_path, monkeypatch, capsys):
    """By all commands that load a model; the plan ends each right after, for it has no rows to make others from."""
    monkeypatch.chdir(tmp_path)
    skops.io.dump(make_pipeline(FunctionTransformer(np.nan_to_num), GaussianNB()).fit(X[:60], Y[:60] % 2), "m.skops")
    np.savez("in.npz", x=X[:60], y=Y[:60] % 2)
    np.savez("out.npz", x=X[60:120], y=Y[60:120] % 2)
    [strange] = [n for n in skops.io.get_untrusted_types(file="m.skops") if "nan_to_num" in n]
    (tmp_path / "plan.toml").write_text(
        'view = "adversary"\n[target]\nmodel = "m.skops"\n[data]\nmembers = "in.npz"\nnonmembers = "out.npz"\n'
        '[attacks]\nnames = ["loss"]\n[shadow]\ncount = 0\nsource = "marginals"\nrows = 20\n'
    )
    assert run(["audit", "plan.toml", "--to", "audit"]) == 2
    assert "--trust-type NAME" in capsys.readouterr().err
    for words in (
        ["audit", "plan.toml", "--to", "audit"],
        ["study", "plan.toml", "--vary", "statistics.confidence=0.9", "--repeats", "1", "--to", "study"],
        ["defend", "plan.toml", "--try", "labels", "--to", "defend"],
        ["synth", "plan.toml", "--to", "rows.npz"],
    ):
        run([*words, "--trust-type", strange])
        shown = capsys.readouterr()
        assert "at least one row to count marginals" in " ".join((shown.out + shown.err).split()), words
    assert run(["check", "plan.toml", "--trust-type", strange]) == 0
    assert run(["audit", "--source", "digits", "--trust-type", "a.B", "--to", "other"]) == 2
    assert "give --model" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "kind"), [("m.h5", "Keras 2"), ("m.pb", "TensorFlow"), ("m.pmml", "PMML")])
def test_known_formats_that_are_not_read_are_named_with_what_is_possible(tmp_path, name, kind):
    with pytest.raises(UsageError, match=rf"{kind} models are not read; give an ONNX file.*answers as files.*function"):
        load_model(tmp_path / name, TEN)


def test_folders_are_no_model_files(tmp_path):
    with pytest.raises(UsageError, match="a folder is no model file; give an ONNX file"):
        load_model(tmp_path, TEN)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(UsageError, match="SavedModel models are not read; give an ONNX file"):
        load_model(tmp_path, TEN)


def test_regressors_and_models_of_several_outputs_are_refused_with_what_is_possible():
    with pytest.raises(ModelError, match=r"Pipeline predicts numbers; .* function"):
        as_model(make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y), TEN).log_probs(X)
    many = RandomForestClassifier(2).fit(X, np.column_stack([Y, Y % 2]))
    with pytest.raises(ModelError, match=r"answers several questions at once.*as a function or as files of answers"):
        as_model(many, TEN)


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("m.skops", None, ModelError, "no such file"),
        ("m.skops", b"PK nonsense", ModelError, "not a skops file, or damaged"),
        ("m.skops", b"", ModelError, "not a skops file, or damaged"),
        ("m.pkl", b"nonsense", ModelError, "cannot be loaded"),
        ("m.xyz", b"", UsageError, 'unknown kind of model file ".xyz"'),
        ("m", b"", UsageError, "unknown kind of model file"),
        ("m.npz", b"", UsageError, "a table is no model"),
        ("m.pt", b"", UsageError, "needs the network"),
    ],
)
def test_files_that_are_no_models_are_refused_in_one_line(tmp_path, name, content, error, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=message) as caught:
        load_model(tmp_path / name, TEN, trust=True)
    assert "\n" not in str(caught.value)


def test_anything_that_answers_is_a_model():
    assert as_model(answer, TEN).log_probs(X).shape == (200, 10)
    assert isinstance(as_model(GaussianNB().fit(X, Y), TEN), SklearnModel)
    model = CallableModel(answer, n_classes=10)
    assert as_model(model, TEN) is model
    for thing, message in (
        (model, "of 2 classes, got one of 10"),
        (GaussianNB, "class GaussianNB"),
        (3, "got bui"),
    ):
        with pytest.raises(ModelError, match=message):
            as_model(thing, ("a", "b"))


def test_objects_are_imported_with_trust_only():
    with pytest.raises(UsageError, match="would run the code of the module math"):
        import_object("math:sqrt")
    assert import_object(f"{__name__}:Own.fit", trust=True) is Own.fit
    with pytest.raises(UsageError, match='no "answr" there'):
        import_object(f"{__name__}:answr", trust=True)


def test_onnx_models_answer(tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(weights, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(made, tmp_path / "m.onnx")
    import pickle

    model = load_model(tmp_path / "m.onnx", TEN, outputs="logits")
    logits = X @ weights
    wanted = (
        logits
        - np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1, keepdims=True))
        - logits.max(1, keepdims=True)
    )
    assert np.allclose(model.log_probs(X), wanted, atol=1e-3)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).log_probs(X), model.log_probs(X))  # noqa: S301 - our own bytes
    with pytest.raises(ModelError, match=r"expected one output of shape \(200, 3\)"):
        load_model(tmp_path / "m.onnx", TEN[:3], outputs="logits").log_probs(X)
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"bad\.onnx: not an ONNX model"):
        load_model(tmp_path / "bad.onnx", TEN)


@pytest.mark.skipif(sys.platform != "linux", reason="a copy of a process goes on only on Linux")
def test_weights_are_read_in_a_process_of_their_own_first(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    from gnomon.models.torch import TorchTrainer, model

    torch.save(torch.nn.Sequential(torch.nn.Linear(64, 10)).state_dict(), tmp_path / "m.pt")
    use = Use(TEN, x=X, recipe=TorchTrainer(hidden=(), device="cpu"))
    assert read_model(tmp_path / "m.pt").model(use).log_probs(X).shape == (200, 10)
    monkeypatch.setattr(model, "read_weights", lambda _path: ctypes.string_at(0))
    with pytest.raises(ModelError, match=r"m\.pt: .* crashed the process that tried it \(SIGSEGV\)"):
        read_model(tmp_path / "m.pt").model(use)


def test_the_query_of_a_model_can_be_pickled_for_a_new_process(tmp_path):
    skops.io.dump(GaussianNB().fit(X, Y), tmp_path / "m.skops")
    read = partial(import_module("gnomon.models.readers.skops").read, tmp_path / "m.skops", False)
    query = pickle.loads(pickle.dumps(Query(read, Use(TEN, x=X), 9, read())))  # noqa: S301 - our own
    assert query.opened is None
    query()
    (tmp_path / "m.skops").unlink()
    with pytest.raises(ModelError, match=r"no such file|damaged"):
        query()
