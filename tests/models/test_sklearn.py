import json
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from gnomon.core.errors import ModelError
from gnomon.core.protocols import Model, Trainer
from gnomon.models import SklearnModel, SklearnTrainer

X, Y = load_digits(return_X_y=True)
X, Y = X[:300], Y[:300].astype(np.int64)
TEN = tuple(str(k) for k in range(10))


class Majority(ClassifierMixin, BaseEstimator):
    """A classifier that is not scikit-learn's."""

    def __init__(self, smoothing=1.0, random_state=None):
        self.smoothing = smoothing
        self.random_state = random_state

    def fit(self, x, y):
        self.classes_, self.counts_ = np.unique(y, return_counts=True)
        return self

    def predict_proba(self, x):
        share = self.counts_ + self.smoothing
        return np.tile(share / share.sum(), (len(x), 1))


ESTIMATORS = {
    "forest": RandomForestClassifier(7),
    "boosting": GradientBoostingClassifier(n_estimators=2, max_depth=2),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=3),
    "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
    "liblinear": CalibratedClassifierCV(LinearSVC(), cv=2),
    "gauss": GaussianNB(),
    "bernoulli": BernoulliNB(binarize=8),
    "network": MLPClassifier((8,), max_iter=3),
    "search": GridSearchCV(DecisionTreeClassifier(), {"max_depth": [2, 3]}, cv=2),
    "vote": VotingClassifier([("a", DecisionTreeClassifier()), ("b", GaussianNB())], voting="soft"),
    "own": Majority(),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("classes", [2, 10])
def test_answers_are_the_estimators_own(name, classes):
    rows = np.flatnonzero(classes > Y)
    [model] = SklearnTrainer(ESTIMATORS[name]).train(X, Y, classes, [rows], [3])
    logs = model.log_probs(X)
    assert logs.dtype == np.float32
    assert np.allclose(np.exp(logs), model.estimator.predict_proba(X), atol=1e-6)
    assert isinstance(model, Model)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).log_probs(X), logs)  # noqa: S301 - our own bytes


@pytest.mark.parametrize("name", ["forest", "network", "logistic", "own"])
def test_training_follows_the_seed_and_changes_nothing(name):
    trainer = SklearnTrainer(ESTIMATORS[name])
    assert isinstance(trainer, Trainer)
    half = np.arange(0, 300, 2)
    a, b, c, d = trainer.train(X, Y, 10, [half, half, half, np.arange(150)], [1, 1, 2, 1])
    [alone] = trainer.train(X, Y, 10, [half], [1])
    assert np.array_equal(a.log_probs(X), b.log_probs(X))
    assert np.array_equal(a.log_probs(X), alone.log_probs(X))
    assert not np.array_equal(a.log_probs(X), d.log_probs(X))
    if name in ("forest", "network"):
        assert not np.array_equal(a.log_probs(X), c.log_probs(X))
    assert not hasattr(ESTIMATORS[name], "classes_")
    assert trainer.batch_size(X, 10, 150) == 1


def test_a_class_that_a_shadow_never_saw_has_probability_0_in_its_own_column():
    rows = np.flatnonzero((Y != 0) & (Y != 4))
    [model] = SklearnTrainer(GaussianNB()).train(X, Y, 10, [rows], [0])
    p = np.exp(model.log_probs(X[rows]))
    assert p.shape == (len(rows), 10)
    assert (p[:, [0, 4]] == 0).all()
    assert (p.argmax(axis=1) == Y[rows]).mean() > 0.8


@pytest.mark.parametrize(
    ("labels", "classes", "ids"),
    [
        (np.array(["b", "a", "c"]), ("a", "b", "c"), [1, 0, 2]),
        (np.array(["c", "a"]), ("a", "b", "c"), [2, 0]),
        (np.array([10, 2, 30]), ("2", "10", "30"), [1, 0, 2]),
        (np.array([10, 2, 30]), ("10", "2", "30"), [0, 1, 2]),
        (np.array([3.0, 1.0]), ("1", "2", "3"), [2, 0]),
        (np.array([True, False]), ("False", "True"), [1, 0]),
        (np.array([2, 0, 1]), ("x", "y", "z"), [2, 0, 1]),
        (np.array([1, 0]), ("1", "2"), [1, 0]),
    ],
    ids=[
        "text",
        "a class missing",
        "numbers",
        "numbers in text order",
        "floats",
        "truth",
        "ids",
        "ids of number names",
    ],
)
def test_original_labels_are_mapped_on_the_data_sets_classes(labels, classes, ids):
    pick = np.arange(60) % len(labels)
    x = pick[:, None] + np.random.default_rng(0).normal(0, 0.01, (60, 1))
    model = SklearnModel(DecisionTreeClassifier().fit(x, labels[pick]), classes)
    assert model.log_probs(x).argmax(axis=1).tolist() == np.array(ids)[pick].tolist()


def test_trainers_map_by_ids_even_if_the_names_are_numbers():
    # ids 1, 2 of a shadow without class 0 must not be taken for the names "1", "2"
    y = np.array([1, 1, 2, 2])
    [model] = SklearnTrainer(DecisionTreeClassifier()).train(np.arange(4.0)[:, None], y, 3, [np.arange(4)], [0])
    assert model.labels == (0, 1, 2)
    assert model.log_probs(np.array([[3.0]])).argmax() == 2


class Counted(Majority):
    """Refuses labels that are not 0 .. k - 1, as XGBoost does."""

    def fit(self, x, y):
        if not np.array_equal(np.unique(y), np.arange(len(np.unique(y)))):
            raise ValueError(f"Invalid classes: {np.unique(y)}")
        return super().fit(x, y)


@pytest.mark.parametrize("labels", [None, (1, 2, 7), ("a", "b", "c")])
def test_estimators_that_count_their_classes_get_them_counted(labels):
    y = np.array([0, 0, 0, 2])
    [model] = SklearnTrainer(Counted(0.0), labels=labels).train(np.zeros((4, 1)), y, 3, [np.arange(4)], [0])
    assert np.allclose(np.exp(model.log_probs(np.zeros((1, 1)))), [[0.75, 0, 0.25]])
    with pytest.raises(ModelError, match="failed to fit 4 rows: ValueError: no luck"):
        SklearnTrainer(Unlucky()).train(np.zeros((4, 1)), y, 3, [np.arange(4)], [0])


class Unlucky(Majority):
    def fit(self, x, y):
        raise ValueError("no luck")


def test_weights_of_classes_in_a_plan_are_taken_by_name_and_only_whole_matches_are():
    plain = SklearnTrainer(LogisticRegression(class_weight={"no": 1, "yes": 5}))
    assert plain.for_labels(("no", "yes"), None).estimator.class_weight == {0: 1, 1: 5}
    assert plain.for_labels(("no", "yes"), ("no", "yes")).estimator.class_weight == {"no": 1, "yes": 5}
    nested = SklearnTrainer(make_pipeline(StandardScaler(), LogisticRegression(class_weight={"2.0": 5})))
    weights = nested.for_labels(("1", "2"), (1, 2)).estimator.get_params()["logisticregression__class_weight"]
    assert weights == {2: 5}
    strange = SklearnTrainer(LogisticRegression(class_weight={"3": 5}))
    with pytest.raises(ModelError, match="not in class_weight"):
        strange.for_labels(("1", "2"), (1, 2)).train(X[:4], np.array([0, 1, 0, 1]), 2, [np.arange(4)], [0])


def test_pipelines_on_data_frames_with_mixed_columns():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(20, 60, 80), "town": rng.choice(["a", "b", "?"], 80)})
    frame["pay"] = rng.normal(size=80)
    y = ((frame["age"] > 40) ^ (frame["town"] == "a")).to_numpy().astype(np.int64)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
        (StandardScaler(), make_column_selector(dtype_include=np.number)),
        sparse_threshold=0,
    )
    pipeline = make_pipeline(encode, HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2))
    trainer = SklearnTrainer(pipeline.fit(frame, y))
    [model] = trainer.train(frame, y, 2, [np.arange(40)], [1])
    assert model.log_probs(frame).shape == (80, 2)
    assert (model.log_probs(frame.iloc[:40]).argmax(axis=1) == y[:40]).mean() > 0.9
    recipe = json.dumps(trainer.recipe())
    assert "OneHotEncoder" in recipe
    assert "town" in recipe


BASE = make_pipeline(FunctionTransformer(np.log1p), RandomForestClassifier(5, max_depth=3))


def test_recipes_are_equal_for_equal_estimators_only():
    recipes = [
        SklearnTrainer(e).recipe()
        for e in (
            BASE,
            make_pipeline(FunctionTransformer(np.sqrt), RandomForestClassifier(5, max_depth=3)),
            make_pipeline(FunctionTransformer(np.log1p), RandomForestClassifier(5, max_depth=4)),
            make_pipeline(StandardScaler(), RandomForestClassifier(5, max_depth=3)),
            make_pipeline(FunctionTransformer(lambda x: x + 1), RandomForestClassifier(5, max_depth=3)),
            make_pipeline(FunctionTransformer(lambda x: x + 2), RandomForestClassifier(5, max_depth=3)),
            RandomForestClassifier(5, max_depth=3),
            RandomForestClassifier(5, max_depth=3, class_weight={0: 2.0}),
            VotingClassifier([("a", GaussianNB())], voting="soft"),
            VotingClassifier([("b", GaussianNB())], voting="soft"),
            GaussianNB(priors=np.full(10, 0.1)),
            GaussianNB(priors=np.linspace(0.01, 0.19, 10)),
            Majority(),
            Majority(smoothing=2.0),
        )
    ]
    texts = [json.dumps(recipe, sort_keys=True) for recipe in recipes]
    assert len(set(texts)) == len(texts)
    again = make_pipeline(FunctionTransformer(np.log1p), RandomForestClassifier(5, max_depth=3, n_jobs=1))
    assert SklearnTrainer(again.fit(X, Y)).recipe() == recipes[0]
    assert recipes[0]["sklearn"]
    searches = [SklearnTrainer(GridSearchCV(GaussianNB(), {"priors": [None]}, cv=k)).recipe() for k in (2, 2, 3)]
    assert searches[0] == searches[1] != searches[2]
    laws = [scipy.stats.randint(2, 9), scipy.stats.randint(2, 9), scipy.stats.randint(2, 8), scipy.stats.poisson(2)]
    drawn = [SklearnTrainer(RandomizedSearchCV(Majority(), {"smoothing": law})).recipe() for law in laws]
    assert drawn[0] == drawn[1]
    assert len({json.dumps(recipe) for recipe in drawn}) == 3
    assert "source" in recipes[12]["estimator"]


@pytest.mark.parametrize("rows", [np.flatnonzero(Y == 3), np.array([5]), np.array([], dtype=np.int64)])
def test_rows_of_a_single_class_are_refused(rows):
    with pytest.raises(ModelError, match=r"at least 2 classes, got (only class \d|no rows)"):
        SklearnTrainer(GaussianNB()).train(X, Y, 10, [rows], [0])


def test_a_stack_gains_its_probabilities_in_the_fit():
    trainer = SklearnTrainer(StackingClassifier([("a", GaussianNB())], cv=2))
    [model] = trainer.train(X, Y, 10, [np.arange(200)], [0])
    assert model.log_probs(X[:3]).shape == (3, 10)


def test_margins_are_taken_for_logits_where_there_are_no_probabilities():
    trainer = SklearnTrainer(LinearSVC())
    [model] = trainer.train(X, Y, 10, [np.arange(200)], [0])
    margins = model.fitted().decision_function(X)
    np.testing.assert_allclose(model.log_probs(X), log_softmax(margins, axis=1), atol=1e-5)
    assert "LinearSVC gives no probabilities: its margins are taken for logits" in model.remarks[0]
    two = SVC().fit(X, Y == 3)
    logit = np.diff(SklearnModel(two, ("False", "True")).log_probs(X), axis=1)[:, 0]
    np.testing.assert_allclose(logit, two.decision_function(X), rtol=1e-4)
    votes = SVC(C=100).fit(X, Y)
    decided = SklearnModel(votes, TEN).deciding()
    assert decided.remarks == ("SVC gives no probabilities: attacks see the labels that it predicts.",)
    assert (decided.log_probs(X).argmax(axis=1) == votes.predict(X)).all()
    with pytest.raises(ModelError, match="45 margins for 10 classes, one a pair"):
        SklearnModel(SVC(decision_function_shape="ovo").fit(X, Y), TEN).log_probs(X)


def test_labels_are_audited_where_there_is_nothing_else():
    trainer = SklearnTrainer(VotingClassifier([("a", DecisionTreeClassifier()), ("b", GaussianNB())]))
    [model] = trainer.train(X, Y, 10, [np.arange(200)], [0])
    assert trainer.gives == model.gives == "labels" and "VotingClassifier gives no probabilities" in model.remarks[0]
    assert (model.log_probs(X).argmax(axis=1) == model.fitted().predict(X)).all()
    assert (np.isfinite(model.log_probs(X)).sum(axis=1) == 1).all()


def test_a_frozen_part_is_said():
    frozen = CalibratedClassifierCV(FrozenEstimator(GaussianNB().fit(X, Y)), cv=2).fit(X, Y)
    assert "FrozenEstimator" in SklearnModel(frozen, TEN).remarks[0]
    assert not SklearnModel(CalibratedClassifierCV(GaussianNB(), cv=2).fit(X, Y), TEN).remarks


def test_several_labels_a_row_are_no_matter_of_logits():
    several = OneVsRestClassifier(GaussianNB()).fit(X, np.eye(10, dtype=int)[Y])
    with pytest.raises(ModelError, match="needs one label a row, whose classes share the probability"):
        SklearnModel(several, TEN).log_probs(X)


def test_what_cannot_answer_is_refused():
    with pytest.raises(ModelError, match="not fitted"):
        SklearnModel(GaussianNB(), TEN)
    with pytest.raises(ModelError, match='a class "9"'):
        SklearnModel(GaussianNB().fit(X, Y), TEN[:9])
    with pytest.raises(ModelError, match="several questions"):
        SklearnModel(DecisionTreeClassifier().fit(X, np.stack([Y, Y], axis=1)), TEN)
    with pytest.raises(ModelError, match="Ridge is none and has no predict_proba"):
        SklearnTrainer(Ridge())
    with pytest.raises(ModelError, match="failed to fit 99 rows"):
        SklearnTrainer(RandomForestClassifier(-1)).train(X, Y, 10, [np.arange(99)], [0])
    with pytest.raises(ModelError, match="failed to answer 1 rows"):
        SklearnModel(GaussianNB().fit(X, Y), TEN).log_probs(np.zeros((1, 3)))


def test_text_in_a_column_of_numbers_is_named_with_its_column():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"age": [1.0, 2, 3, 4], "pay": [1.0, 2, 2, 1]})
    model = SklearnModel(DecisionTreeClassifier().fit(frame, [0, 1, 1, 0]), ("0", "1"))
    with pytest.raises(ModelError, match=r'numbers, but column "pay" holds the text "\?"; .*missing = \["\?"\]'):
        model.log_probs(frame.assign(pay=["1", "?", "2", "?"]))


def test_one_classifier_a_class_of_which_none_takes_a_row_for_its_own():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), np.arange(60) % 3
    trees = OneVsRestClassifier(DecisionTreeClassifier(random_state=0)).fit(x, y)
    rows = rng.normal(size=(300, 3))
    none = ~trees.predict_proba(rows).any(axis=1)
    assert none.any()
    model = SklearnModel(trees, ("0", "1", "2"))
    np.testing.assert_allclose(np.exp(model.log_probs(rows))[none], 1 / 3, atol=1e-6)
    assert any("0 for every class, that is read as equal shares" in said for said in model.remarks)
