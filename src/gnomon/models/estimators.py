"""What can be read from scikit-learn's estimators: exact answers, traces of the training, penalties, random states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

from gnomon.core.arrays import Ints, Rows, is_frame
from gnomon.core.seeds import Seeds
from gnomon.models.observations import checkpoints
from gnomon.stats.signals import LOG_TINY

LARGEST = ("sklearn", "xgboost", "lightgbm", "catboost", "gnomon")  # packages whose labels follow the probabilities
OWN_RULE = {"FixedThresholdClassifier", "TunedThresholdClassifierCV", "BaseSVC"}  # ... but for these


def rows_for(estimator: Any, x: Rows) -> Rows:
    """Rows as an estimator takes them: what begins with a vectoriser of text takes one text a row, and no table."""
    return x.iloc[:, 0] if is_frame(x) and x.shape[1] == 1 and _reads_texts(estimator) else x


def _reads_texts(estimator: Any) -> bool:
    """Whether an estimator, or what a pipeline, a search or a union of features begins with, takes one text a row."""
    while True:
        if getattr(estimator, "steps", None):
            estimator = estimator.steps[0][1]
        elif getattr(estimator, "transformer_list", None):
            estimator = estimator.transformer_list[0][1]
        elif hasattr(getattr(estimator, "estimator", None), "fit"):
            estimator = estimator.estimator
        else:
            break
    try:
        tags = estimator.__sklearn_tags__().input_tags
    except Exception:  # not scikit-learn's: it gets the table
        return False
    return bool(tags.string and not tags.two_d_array)


def exact_logs(estimator: Any, x: Rows) -> NDArray[np.floating[Any]] | None:
    """Log-probabilities of the estimator's own classes (n, k) without the rounding of probabilities, if it has them.

    A logistic curve that rounds to 1 leaves exactly 0 to the other class; its logarithm does not.
    """
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

    last = final_step(estimator)
    bayes = type(last) in (GaussianNB, MultinomialNB, BernoulliNB, ComplementNB, CategoricalNB)
    if bayes or hasattr(last, "margins"):  # the latter is a booster in its own file
        return np.asarray(estimator.predict_log_proba(x))
    from_decisions = type(last) in (LogisticRegression, GradientBoostingClassifier, HistGradientBoostingClassifier)
    if not from_decisions or not _is_softmax(last):
        return None
    scores = np.asarray(estimator.decision_function(x), dtype=np.float64)
    if scores.ndim == 1:
        return np.stack([log_expit(-scores), log_expit(scores)], axis=1)
    return np.asarray(log_softmax(scores, axis=1))


def _is_softmax(estimator: Any) -> bool:
    """Whether probabilities are the logistic function or softmax of the decisions."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    if isinstance(estimator, GradientBoostingClassifier):
        return bool(estimator.loss == "log_loss")
    if not isinstance(estimator, LogisticRegression):
        return True
    scheme = getattr(estimator, "multi_class", "auto")  # gone from scikit-learn 1.8 on
    if len(estimator.classes_) == 2:
        return bool(scheme != "multinomial")
    return bool(estimator.solver != "liblinear" and scheme != "ovr")


def final_step(estimator: Any) -> Any:
    """The estimator that answers, at the end of searches and pipelines."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def method_of(estimator: Any) -> str | None:
    """The method by which a classifier answers most fully; None: it answers by none.

    >>> from sklearn.linear_model import LogisticRegression, RidgeClassifier
    >>> method_of(LogisticRegression()), method_of(RidgeClassifier())
    ('predict_proba', 'decision_function')
    """
    return next((name for name in ("predict_proba", "decision_function", "predict") if hasattr(estimator, name)), None)


def may_answer(estimator: Any) -> bool:
    """Whether an estimator, fitted or not, answers with classes once it is fitted, by whatever method.

    >>> from sklearn.ensemble import StackingClassifier
    >>> from sklearn.linear_model import Ridge, RidgeClassifier
    >>> may_answer(StackingClassifier([])), may_answer(RidgeClassifier()), may_answer(Ridge()), may_answer(3)
    (True, True, False, False)
    """
    from sklearn.base import is_classifier

    return hasattr(estimator, "predict_proba") or (hasattr(estimator, "__sklearn_tags__") and is_classifier(estimator))


def keeps_fitted(estimator: Any) -> bool:
    """Whether some part of it was fitted before, and a clone keeps it.

    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.naive_bayes import GaussianNB
    >>> keeps_fitted(GaussianNB()), keeps_fitted(FrozenEstimator(GaussianNB().fit([[0], [1]], [0, 1])))
    (False, True)
    """
    parts = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return any(type(part).__name__ == "FrozenEstimator" for part in (estimator, *parts))


def _searched(estimator: Any) -> Any:
    """The estimator that answers, also at the end of a search that is not fitted."""
    last = final_step(estimator)
    while type(last).__name__.endswith("SearchCV"):
        last = final_step(last.estimator)
    return last


def settings_in_fit(estimator: Any) -> str | None:
    """Why a clone would not train as the estimator did, where its class shows it: what it does was said to ``fit``.

    >>> settings_in_fit(3) is None
    True
    """
    if type(estimator).__module__.split(".")[0] == "flaml" and type(estimator).__name__ == "AutoML":
        what, found = "FLAML's AutoML is told in fit what to search", "automl.model.estimator"
    elif (folds := _group_folds(estimator)) is not None:
        what, found = (
            f"{type(estimator).__name__} is told in fit which rows belong together ({folds})",
            "best_estimator_",
        )
    else:
        return None
    return (
        f"{what}, and a clone knows nothing of it: audit the model that it found ({found}), give the training as a "
        'function (FunctionTrainer, or [trainer] kind = "function"), or go without shadow models (trainer=None, or '
        '[trainer] kind = "none")'
    )


def _group_folds(estimator: Any) -> str | None:
    """The name of folds that never part a group, where some part of an estimator uses such."""
    parts = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return next((type(p).__name__ for p in parts if hasattr(p, "get_n_splits") and "Group" in type(p).__name__), None)


def predicts_numbers(estimator: Any) -> bool:
    """Whether it is a regressor, or a pipeline or a search that ends in one."""
    from sklearn.base import RegressorMixin

    return isinstance(final_step(estimator), RegressorMixin)


def decides_otherwise(estimator: Any) -> bool:
    """Whether labels may be other classes than those with the largest probability: thresholds, and code of others.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import FixedThresholdClassifier
    >>> decides_otherwise(LogisticRegression()), decides_otherwise(FixedThresholdClassifier(LogisticRegression()))
    (False, True)
    """
    last = _searched(estimator)
    names = {cls.__name__ for cls in type(last).__mro__}
    if not hasattr(estimator, "predict_proba"):  # the largest margin, mostly; a support vector machine votes
        return True
    return bool(names & OWN_RULE) or type(last).__module__.split(".")[0] not in LARGEST


def random_states(estimator: Any, seed: int) -> dict[str, int]:
    """A seed of its own for every ``random_state`` in the estimator."""
    names = [name for name in estimator.get_params(deep=True) if _is_random_state(name)]
    return {name: Seeds(seed).child(name).integer() % 2**31 for name in names}


def own_states(estimator: Any) -> dict[str, int]:
    """Every ``random_state`` in the estimator that is a number."""
    given = estimator.get_params(deep=True).items()
    return {
        name: int(value) for name, value in given if _is_random_state(name) and isinstance(value, (int, np.integer))
    }


def names_classes(estimator: Any) -> bool:
    """Whether a parameter speaks of classes by their labels, as far as parameters show."""
    given = {name.rpartition("__")[2]: value for name, value in estimator.get_params(deep=True).items()}
    return isinstance(given.get("class_weight"), Mapping) or given.get("pos_label") is not None


def searches(estimator: Any) -> bool:
    """Whether it chose its own parameters: a clone may choose others by chance, which two clones can't show."""
    return any(hasattr(part, "best_params_") for part in (estimator, *(s for _, s in getattr(estimator, "steps", ()))))


def _is_random_state(name: str) -> bool:
    return name.rpartition("__")[2] in ("random_state", "random_seed")  # the latter is CatBoost's


def has_stages(estimator: Any) -> bool:
    """Whether an estimator, or the last step of a pipeline, has answers by stage.

    >>> from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
    >>> has_stages(AdaBoostClassifier()), has_stages(RandomForestClassifier())
    (True, False)
    """
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return hasattr(estimator, "staged_predict_proba")


def staged_logs(estimator: Any, x: Rows, own: Ints, count: int) -> NDArray[np.float64]:
    """Log-probabilities (n, count) of each row's label after evenly spaced stages of a boosted ensemble.

    Args:
        estimator: a boosted ensemble, or a pipeline that ends in one.
        x: n rows.
        own: (n,) for each the column of its label in the ensemble's answers; -1 where the ensemble does not know it.
        count: stages to show, the last one among them.
    """
    known, x = own >= 0, rows_for(estimator, x)
    logs = np.full((len(own), count), LOG_TINY)
    ensemble, rows = _last_step(estimator, x)
    due = checkpoints(sum(1 for _ in ensemble.staged_predict_proba(rows[:1])), count)
    for stage, answers in enumerate(ensemble.staged_predict_proba(rows), start=1):
        with np.errstate(divide="ignore"):
            logs[np.ix_(known, np.equal(due, stage))] = np.log(answers[known, own[known]])[:, None]
    return logs


def _last_step(estimator: Any, x: Rows) -> tuple[Any, Any]:
    """The ensemble at the end of a pipeline, and the rows as they reach it."""
    while hasattr(estimator, "steps"):
        if len(estimator.steps) > 1:
            x = estimator[:-1].transform(x)
        estimator = estimator.steps[-1][1]
    return estimator, x


def training_size(estimator: Any) -> int | None:
    """Rows that an estimator or a pipeline was trained on; None where nothing in it tells.

    Scalers, trees, forests, neighbours, support vectors and networks count their rows. What held rows out for early
    stopping is not asked.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> training_size(DecisionTreeClassifier().fit([[0], [1], [2]], [0, 1, 1]))
    3
    """
    if hasattr(estimator, "steps"):
        found = [training_size(step) for _, step in estimator.steps]
        return next((size for size in found if size is not None), None)
    if getattr(estimator, "early_stopping", getattr(estimator, "n_iter_no_change", None)):
        return None
    traces = (trace(estimator) for trace in (_counted, _rooted, _stepped))
    return next((size for size in traces if size is not None), None)


def _counted(estimator: Any) -> int | None:
    """Numbers of rows that stand in the estimator."""
    for name in ("n_samples_fit_", "_n_samples", "n_samples_seen_"):
        value = getattr(estimator, name, None)
        if value is not None and np.ndim(value) == 0:
            return int(value)
    shape = getattr(estimator, "shape_fit_", None)
    return None if shape is None else int(shape[0])


def _rooted(estimator: Any) -> int | None:
    """Rows at the root of a tree, alone or the first of a boosted ensemble that sees all of them."""
    trees = getattr(estimator, "estimators_", None)
    if isinstance(trees, np.ndarray) and getattr(estimator, "subsample", 1.0) == 1.0:
        estimator = trees.reshape(-1)[0]
    return int(estimator.tree_.n_node_samples[0]) if hasattr(estimator, "tree_") else None


def _stepped(estimator: Any) -> int | None:
    """Rows that a network saw in an epoch."""
    seen, epochs = getattr(estimator, "t_", None), getattr(estimator, "n_iter_", None)
    if seen is None or not epochs or not hasattr(estimator, "coefs_") or seen % epochs:
        return None
    return int(seen // epochs) or None  # 0 where the solver took all rows at once


AUTO_BATCH = 200  # MLPClassifier's batch_size="auto" is this or the number of rows

Penalty = Callable[[Any, float, int], dict[str, float]]


def _inverse(estimator: Any, l2: float, rows: int) -> dict[str, float]:  # noqa: ARG001 - one signature for all
    return {"C": 1 / (l2 * rows)}


def _per_batch(estimator: Any, l2: float, rows: int) -> dict[str, float]:
    batch = min(AUTO_BATCH, rows) if estimator.batch_size == "auto" else min(estimator.batch_size, rows)
    return {"alpha": l2 * (rows if estimator.solver == "lbfgs" else batch)}


def _by_kind() -> dict[type, Penalty]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC, LinearSVC

    return {
        LogisticRegression: _inverse,
        SVC: _inverse,
        LinearSVC: _inverse,
        SGDClassifier: lambda _estimator, l2, _rows: {"alpha": l2},
        MLPClassifier: _per_batch,
        HistGradientBoostingClassifier: lambda _estimator, l2, rows: {"l2_regularization": l2 * rows},
    }


def penalties(estimator: Any, l2: float, rows: int) -> dict[str, float]:
    """Deep parameters that give an estimator an L2 penalty; empty if nothing in it has one.

    Args:
        estimator: scikit-learn's, on its own or in a pipeline, a search, a vote.
        l2: lambda of "mean loss + lambda / 2 * sum of squared weights", so that it means the same for any number of
            rows and for every estimator (boosting: of leaf values).
        rows: number of rows that it will be fitted to.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> penalties(make_pipeline(LogisticRegression()), 1e-3, 500)
    {'logisticregression__C': 2.0}
    """
    parts = {"": estimator, **{f"{name}__": part for name, part in estimator.get_params(deep=True).items()}}
    known = _by_kind()
    found: dict[str, float] = {}
    for prefix, part in parts.items():
        penalty = next((p for kind, p in known.items() if isinstance(part, kind)), None)
        if penalty is not None and _is_l2(part):
            found |= {prefix + name: value for name, value in penalty(part, l2, rows).items()}
    return found


def _is_l2(part: Any) -> bool:
    """Whether the penalty that the estimator takes is on squares at all."""
    return getattr(part, "penalty", "l2") not in (None, "l1") and getattr(part, "l1_ratio", 0) != 1
