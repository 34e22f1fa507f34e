import io
import sys
import zipfile

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from gnomon.cli.app import run
from gnomon.core.errors import ModelError, UsageError
from gnomon.models import CallableModel, SklearnModel, as_model, import_object, load_model
from gnomon.models.files import read_model
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


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(3),
        HistGradientBoostingClassifier(max_iter=2),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=["forest", "boosting", "pipeline"],
)
def test_skops_files_of_scikit_learn_need_no_trust(tmp_path, estimator):
    estimator.fit(X, Y)
    skops.io.dump(estimator, tmp_path / "m.skops")
    model = load_model(tmp_path / "m.skops", TEN)
    assert isinstance(model, SklearnModel)
    assert np.allclose(np.exp(model.log_probs(X)), estimator.predict_proba(X), atol=1e-6)


def test_skops_files_with_other_types_need_trust(tmp_path):
    skops.io.dump(Own().fit(X, Y), tmp_path / "m.skops")
    with pytest.raises(ModelError, match=r"not scikit-learn's: .*Own.*--trust"):
        load_model(tmp_path / "m.skops", TEN)
    assert load_model(tmp_path / "m.skops", TEN, trust=True).log_probs(X).shape == (200, 10)


def test_named_types_are_taken_and_no_others(tmp_path):
    skops.io.dump(make_pipeline(FunctionTransformer(np.abs), Own()).fit(X, Y), tmp_path / "m.skops")
    own = f"{Own.__module__}.Own"
    with pytest.raises(ModelError, match=r"--trust-type NAME") as caught:
        read_model(tmp_path / "m.skops", types=["numpy.abs"])
    assert own in str(caught.value)
    known = skops.io.get_untrusted_types(file=tmp_path / "m.skops")
    assert read_model(tmp_path / "m.skops", types=known).model(Use(TEN)).log_probs(X).shape == (200, 10)
    with pytest.raises(UsageError, match=r"--trust-type names types in a \.skops file; a \.onnx file holds none"):
        read_model(tmp_path / "m.onnx", types=["a.B"])


def test_a_type_can_be_trusted_on_the_command_line(tmp_path, capsys):
    skops.io.dump(make_pipeline(FunctionTransformer(np.nan_to_num), GaussianNB()).fit(X, Y), tmp_path / "m.skops")
    np.savez(tmp_path / "in.npz", x=X[:100], y=Y[:100])
    np.savez(tmp_path / "out.npz", x=X[100:], y=Y[100:])
    [strange] = [n for n in skops.io.get_untrusted_types(file=tmp_path / "m.skops") if "nan_to_num" in n]
    given = ["audit", "--model", f"{tmp_path}/m.skops", "--members", f"{tmp_path}/in.npz", "--nonmembers"]
    given += [f"{tmp_path}/out.npz", "--attacks", "loss", "--shadows", "0", "--to", f"{tmp_path}/run"]
    assert run(given) == 2
    assert "--trust-type NAME" in capsys.readouterr().err
    assert run([*given, "--trust-type", strange]) == 0
    assert run(["audit", "--source", "digits", "--trust-type", "a.B", "--to", f"{tmp_path}/other"]) == 2
    assert "give --model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "kind"), [("m.keras", "Keras"), ("m.h5", "Keras"), ("m.pb", "TensorFlow"), ("m.pmml", "PMML")]
)
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


def test_functions_in_skops_files_need_trust_even_if_they_are_scikit_learns(tmp_path):
    from sklearn.utils import shuffle

    model = make_pipeline(FunctionTransformer(shuffle), GaussianNB()).fit(X, Y)
    skops.io.dump(model, tmp_path / "m.skops")
    with pytest.raises(ModelError, match="shuffle"):
        load_model(tmp_path / "m.skops", TEN)


@pytest.mark.parametrize("suffix", [".joblib", ".pkl"])
def test_pickles_are_read_with_trust_only(tmp_path, suffix):
    place = tmp_path / f"m{suffix}"
    joblib.dump(GaussianNB().fit(X, Y), place)
    with pytest.raises(UsageError, match=r"runs whatever its maker put in.*--trust"):
        load_model(place, TEN)
    assert load_model(place, TEN, trust=True).n_classes == 10
    joblib.dump(answer, place)
    assert isinstance(load_model(place, TEN, trust=True), CallableModel)


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


def test_a_cut_skops_file_is_named(tmp_path):
    place = tmp_path / "m.skops"
    skops.io.dump(RandomForestClassifier(3).fit(X, Y), place)
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])
    with pytest.raises(ModelError, match=r"m\.skops: not a skops file, or damaged"):
        load_model(place, TEN)


def test_a_model_of_other_classes_is_named_with_its_file(tmp_path):
    skops.io.dump(GaussianNB().fit(X, Y), tmp_path / "m.skops")
    with pytest.raises(ModelError, match=r"m\.skops: GaussianNB knows a class"):
        load_model(tmp_path / "m.skops", ("a", "b"))
    skops.io.dump(StandardScaler().fit(X), tmp_path / "s.skops")
    with pytest.raises(ModelError, match="expected a model, a fitted classifier"):
        load_model(tmp_path / "s.skops", TEN)


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


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(SimpleImputer(), GaussianNB()),
        make_pipeline(KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"), GaussianNB()),
        make_pipeline(SelectKBest(f_classif, k=5), GaussianNB()),
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-2, 1e-3]}, scoring=make_scorer(f1_score, average="macro")),
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-2]}, scoring=make_scorer(balanced_accuracy_score)),
    ],
    ids=["imputer", "bins", "f_classif", "f1", "balanced"],
)
def test_ordinary_classifiers_in_skops_files_need_no_trust(tmp_path, estimator):
    x = np.random.default_rng(0).normal(size=(200, 10)) + Y[:, None] % 2
    skops.io.dump(estimator.fit(x, Y % 2), tmp_path / "m.skops")
    model = load_model(tmp_path / "m.skops", ("0", "1"))
    assert np.allclose(np.exp(model.log_probs(x)), estimator.predict_proba(x), atol=1e-6)


def test_a_cache_that_an_untrusted_file_names_is_never_read(tmp_path):
    pipeline = make_pipeline(StandardScaler(), GaussianNB(), memory=str(tmp_path / "cache"))
    skops.io.dump(make_pipeline(pipeline), tmp_path / "m.skops")
    pipeline.fit(X, Y)
    assert list((tmp_path / "cache").rglob("*.pkl"))  # what would be read when it is fitted again
    skops.io.dump(make_pipeline(pipeline).fit(X, Y), tmp_path / "m.skops")
    model = load_model(tmp_path / "m.skops", TEN)
    recipe = model.clone_recipe()
    for estimator in (model.estimator, recipe.estimator, recipe.train(X, Y, 10, [np.arange(100)], [0])[0].estimator):
        assert estimator.get_params()["pipeline__memory"] is None
    assert load_model(tmp_path / "m.skops", TEN, trust=True).estimator.get_params()["pipeline__memory"]


def test_rows_of_an_untrusted_file_name_no_files(tmp_path):
    texts = make_pipeline(CountVectorizer(input="filename"), LogisticRegression())
    skops.io.dump(texts, tmp_path / "m.skops")
    with pytest.raises(ModelError, match=r"reads files that its rows name.*--trust"):
        load_model(tmp_path / "m.skops", TEN)


def craft(place, to, change):
    """A copy of a skops file with its arrays of tree nodes changed."""
    with zipfile.ZipFile(place) as whole, zipfile.ZipFile(to, "w") as crafted:
        for name in whole.namelist():
            content = whole.read(name)
            if name.endswith(".npy"):
                array = np.load(io.BytesIO(content))
                if array.dtype.names:
                    change(array)
                    held = io.BytesIO()
                    np.save(held, array)
                    content = held.getvalue()
            crafted.writestr(name, content)


def far_away(nodes):
    for name in set(nodes.dtype.names) & {"left_child", "left"}:
        nodes[name][0] = 2**31 - 7 if name == "left_child" else 2**32 - 7


def in_a_circle(nodes):
    for name in set(nodes.dtype.names) & {"left_child", "right_child", "left", "right"}:
        nodes[name][nodes[name] > 0] = 0


@pytest.mark.skipif(sys.platform != "linux", reason="models are tried on Linux only")
@pytest.mark.parametrize("change", [far_away, in_a_circle])
@pytest.mark.parametrize(
    "estimator",
    [DecisionTreeClassifier(), RandomForestClassifier(3), HistGradientBoostingClassifier(max_iter=1)],
    ids=["tree", "forest", "boosting"],
)
def test_a_crafted_tree_does_not_take_the_audit_with_it(tmp_path, estimator, change, monkeypatch):
    monkeypatch.setattr("gnomon.models.files.TRIAL_SECONDS", 1.0)
    skops.io.dump(estimator.fit(X, Y), tmp_path / "m.skops")
    craft(tmp_path / "m.skops", tmp_path / "crafted.skops", change)
    read_model(tmp_path / "m.skops").model(Use(TEN, x=X))
    with pytest.raises(ModelError, match=r"crafted\.skops: .*(crashed the process that tried it|was not done in 1 s)"):
        read_model(tmp_path / "crafted.skops").model(Use(TEN, x=X))


def test_fitted_parts_name_no_files_and_no_caches_either(tmp_path):
    inner = make_pipeline(StandardScaler(), GaussianNB(), memory=str(tmp_path / "cache")).fit(X, Y)
    voting = VotingClassifier([("a", GaussianNB())], voting="soft").fit(X, Y)
    voting.estimators_ = [inner]  # its parameters still speak of the other
    skops.io.dump(voting, tmp_path / "m.skops")
    model = load_model(tmp_path / "m.skops", TEN)
    assert model.estimator.estimators_[0].memory is None
    voting.estimators_ = [make_pipeline(CountVectorizer(input="filename"), LogisticRegression())]
    skops.io.dump(voting, tmp_path / "m.skops")
    with pytest.raises(ModelError, match="reads files that its rows name"):
        load_model(tmp_path / "m.skops", TEN)
