"""skops files: what needs trust and what does not, and files that mean harm."""

import io
import sys
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest, f_classif, mutual_info_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, SplineTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.models.test_files import TEN, Own, X, Y

from gnomon.core.errors import ModelError, UsageError
from gnomon.models import SklearnModel, load_model
from gnomon.models.files import read_model
from gnomon.models.readers.model_file import Use


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


def test_functions_in_skops_files_need_trust_even_if_they_are_scikit_learns(tmp_path):
    from sklearn.utils import shuffle

    model = make_pipeline(FunctionTransformer(shuffle), GaussianNB()).fit(X, Y)
    skops.io.dump(model, tmp_path / "m.skops")
    with pytest.raises(ModelError, match="shuffle"):
        load_model(tmp_path / "m.skops", TEN)


def test_a_cut_skops_file_is_named(tmp_path):
    place = tmp_path / "m.skops"
    skops.io.dump(RandomForestClassifier(3).fit(X, Y), place)
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])
    with pytest.raises(ModelError, match=r"m\.skops: not a skops file, or damaged"):
        load_model(place, TEN)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(SimpleImputer(), GaussianNB()),
        make_pipeline(KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"), GaussianNB()),
        make_pipeline(SelectKBest(f_classif, k=5), GaussianNB()),
        make_pipeline(SelectKBest(mutual_info_classif, k=5), GaussianNB()),
        make_pipeline(SplineTransformer(), GaussianNB()),
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-2, 1e-3]}, scoring=make_scorer(f1_score, average="macro")),
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-2]}, scoring=make_scorer(balanced_accuracy_score)),
    ],
    ids=["imputer", "bins", "f_classif", "information", "splines", "f1", "balanced"],
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
