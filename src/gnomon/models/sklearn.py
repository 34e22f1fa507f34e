"""Fitted scikit-learn classifiers as Models, and unfitted ones as recipes for shadow models."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax
from threadpoolctl import threadpool_limits

from gnomon.core.arrays import Floats, Ints, Rows, check_log_probs, count_rows, log_from_probabilities, take_rows
from gnomon.core.data.labels import class_name, first_unknown, match_classes
from gnomon.core.errors import ModelError, UsageError, did_you_mean
from gnomon.core.seeds import Seeds
from gnomon.models.import_path import import_object
from gnomon.models.penalties import penalties
from gnomon.models.recipe_hash import describe, describe_class

NO_EFFECT = ("n_jobs", "verbose")  # parameters that decide how fast and how loud, not what comes out


@dataclass(frozen=True, eq=False)
class SklearnModel:
    """A fitted classifier (or pipeline, or search) that answers for all classes of the data set.

    Its columns are mapped to the data set's classes by ``estimator.classes_``; a class that it never saw gets
    probability 0.

    Attributes:
        estimator: fitted, with ``predict_proba`` and ``classes_``.
        classes: the data set's c class names, in the order of their ids.
        labels: the c labels that the estimator was trained on, in the order of their ids. None: the class names, as
            text or numbers, or class ids where its classes are no class names.

    Raises:
        ModelError: the estimator is not fitted, gives no probabilities, or knows a class that the data set has not.
    """

    estimator: Any
    classes: tuple[str, ...]
    labels: tuple[Any, ...] | None = None

    def __post_init__(self) -> None:
        if not hasattr(self.estimator, "predict_proba"):
            raise ModelError(
                f"{_name(self.estimator)} gives no probabilities (no predict_proba); wrap it in scikit-learn's "
                "CalibratedClassifierCV, or fit it with probability=True if it has that option"
            )
        if not hasattr(self.estimator, "classes_"):
            raise ModelError(f"{_name(self.estimator)} is not fitted (no classes_); fit it first")
        _ = self.columns

    @property
    def n_classes(self) -> int:
        """Number of classes c."""
        return len(self.classes)

    @cached_property
    def columns(self) -> Ints:
        """For each of the estimator's classes, the id of the data set's class."""
        known = self.estimator.classes_
        if isinstance(known, list):
            raise ModelError(f"{_name(self.estimator)} answers several questions at once; one label a row is supported")
        known = np.asarray(known)
        found = match_classes(known.tolist(), self.classes if self.labels is None else self.labels)
        if found is not None and found.rule != "order":
            return found.places
        if self.labels is None and known.dtype.kind in "biu" and known.min() >= 0 and known.max() < len(self.classes):
            return known.astype(np.int64)
        strange = class_name(known[first_unknown(known.tolist(), self.classes)])
        raise ModelError(
            f'{_name(self.estimator)} knows a class "{strange}" that the data set has not'
            f"{did_you_mean(strange, self.classes)}"
        )

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c)."""
        n, name = count_rows(x), _name(self.estimator)
        if n == 0:
            return np.empty((0, self.n_classes), np.float32)
        try:
            logs = _exact_logs(self.estimator, x)
            answers = self.estimator.predict_proba(x) if logs is None else None
        except Exception as error:
            raise ModelError(f"{name} failed to answer {n} rows: {type(error).__name__}: {_line(error)}") from error
        if logs is None:
            logs = log_from_probabilities(answers, rows=n, classes=len(self.columns), source=name)
        if len(self.columns) == self.n_classes and (self.columns == np.arange(self.n_classes)).all():
            return check_log_probs(logs, rows=n, classes=self.n_classes, source=name)
        full = np.full((n, self.n_classes), -np.inf, np.float32)
        full[:, self.columns] = logs
        return check_log_probs(full, rows=n, classes=self.n_classes, source=name)


@dataclass(frozen=True, eq=False)
class SklearnTrainer:
    """Clones an estimator and refits it on other rows; every ``random_state`` in it follows the seed.

    Attributes:
        estimator: with ``fit`` and ``predict_proba``; fitted or not, it is never changed.
        l2: an L2 penalty lambda to set in the estimator's own parameters, whatever the number of rows; see `penalties`.
        labels: the c labels to fit on, in the order of their class ids: those that the estimator's parameters speak of
            (``class_weight``, a scorer's ``pos_label``). None: the class ids. An audit gives those of its data.
        own_states: keep every ``random_state`` that is a number as it is.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> x, y = np.arange(8.0)[:, None], np.array([0, 0, 1, 1, 2, 2, 2, 2])
    >>> [model] = SklearnTrainer(DecisionTreeClassifier()).train(x, y, 3, rows=[np.arange(4)], seeds=[1])
    >>> np.exp(model.log_probs(x[:1])).tolist()
    [[1.0, 0.0, 0.0]]
    """

    estimator: Any
    l2: float | None = None
    labels: tuple[Any, ...] | None = None
    own_states: bool = False

    def __post_init__(self) -> None:
        for method in ("fit", "predict_proba", "get_params"):
            if not hasattr(self.estimator, method):
                raise ModelError(f"expected a scikit-learn classifier, but {_name(self.estimator)} has no {method}")

    def train(
        self, x: Rows, y: Ints, n_classes: int, rows: Sequence[Ints], seeds: Sequence[int]
    ) -> Sequence[SklearnModel]:
        """Trains one model per entry of ``rows``, each with its own seed.

        Raises:
            ModelError: rows of a single class, or the estimator fails.
        """
        return [self._train_one(x, y, n_classes, part, seed) for part, seed in zip(rows, seeds, strict=True)]

    def recipe(self) -> dict[str, Any]:
        """Class paths, deep parameters, labels, versions, and hashes of the user's own source code."""
        import sklearn

        plain = {"kind": "sklearn", "sklearn": sklearn.__version__, "estimator": _describe_estimator(self.estimator)}
        further = {
            "l2": self.l2,
            "labels": None if self.labels is None else describe(list(self.labels)),
            "random_states": _own_states(self.estimator) if self.own_states else None,
        }
        return {**plain, **{name: value for name, value in further.items() if value is not None}}

    def batch_size(self, x: Rows, n_classes: int, size: int) -> int:  # noqa: ARG002 - the protocol's arguments
        """One at a time."""
        return 1

    def _train_one(self, x: Rows, y: Ints, n_classes: int, rows: Ints, seed: int) -> SklearnModel:
        present = np.unique(y[rows])
        if len(present) < 2:
            what = f"only class {present[0]}" if len(present) else "no rows"
            raise ModelError(
                f"{_name(self.estimator)}: expected training rows of at least 2 classes, got {what} in {len(rows)} "
                "rows; train on more rows"
            )
        labels = tuple(range(n_classes)) if self.labels is None else self.labels
        chosen, names = take_rows(x, rows), tuple(class_name(label) for label in labels)
        try:
            fitted = self._fit(chosen, np.asarray(labels)[y[rows]], seed)
        except Exception as error:
            # XGBoost refuses labels that are not 0 .. k - 1, and a shadow may lack a class
            counted: list[Any] = [None] * n_classes
            for i, k in enumerate(present):
                counted[k] = i
            if not isinstance(error, ValueError) or tuple(counted) == labels or _names_classes(self.estimator):
                raise self._failed(rows, error) from error
            labels = tuple(counted)
            try:
                fitted = self._fit(chosen, np.searchsorted(present, y[rows]), seed)
            except Exception:
                raise self._failed(rows, error) from error
        return SklearnModel(fitted, names, labels)

    def _fit(self, x: Rows, labels: NDArray[Any], seed: int) -> Any:
        from sklearn.base import clone
        from sklearn.exceptions import ConvergenceWarning

        fresh = clone(self.estimator)
        states = _random_states(fresh, seed)
        fresh.set_params(**(states | _own_states(fresh) if self.own_states else states))
        if self.l2 is not None:
            fresh.set_params(**penalties(fresh, self.l2, len(labels)))
        # One thread: as many processes run as there are cores, and sums come out the same on every machine.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            fresh.fit(x, labels)
        return fresh

    def _failed(self, rows: Ints, error: Exception) -> ModelError:
        return ModelError(
            f"{_name(self.estimator)} failed to fit {len(rows)} rows: {type(error).__name__}: {_line(error)}"
        )


def speak_of(trainer: SklearnTrainer, classes: Sequence[str], labels: tuple[Any, ...] | None) -> SklearnTrainer:
    """The trainer for the labels of a data set, with weights of classes under these labels.

    A plan file can write the classes of a ``class_weight`` as text only; they are taken by their names.

    Args:
        trainer: without labels of its own; one that has some is given back as it is.
        classes: the c class names.
        labels: the c labels, in the same order; None: the class ids.

    >>> from sklearn.linear_model import LogisticRegression
    >>> speak_of(SklearnTrainer(LogisticRegression(class_weight={"2": 9})), ("1", "2"), (1, 2)).estimator.class_weight
    {2: 9}
    """
    from sklearn.base import clone

    if trainer.labels is not None:
        return trainer
    own = tuple(range(len(classes))) if labels is None else labels
    weights = {}
    for name, weight in trainer.estimator.get_params(deep=True).items():
        if name.rpartition("__")[2] == "class_weight" and isinstance(weight, Mapping) and not set(weight) <= set(own):
            found = match_classes(list(weight), classes)
            if found is not None and found.rule != "order":
                weights[name] = dict(zip((own[k] for k in found.places), weight.values(), strict=True))
    changed = clone(trainer.estimator).set_params(**weights) if weights else trainer.estimator
    return replace(trainer, estimator=changed, labels=labels)


@cache
def public_classifiers() -> dict[str, type[Any]]:
    """scikit-learn's public classifiers by name: what a plan may name without being trusted."""
    from sklearn.utils import all_estimators

    return dict(all_estimators(type_filter="classifier"))


def estimator_from_path(path: str, params: Mapping[str, Any] | None = None, trust: bool = False) -> Any:
    """An unfitted classifier by its import path.

    Args:
        path: ``module:Class``. Without ``trust`` it is looked up in scikit-learn's list of public classifiers, and
            nothing is imported by its name: a name that a plan holds must not be able to run code.
        params: keyword arguments.
        trust: import code from elsewhere too.

    Raises:
        UsageError: no such class, not a classifier, an unknown parameter, or code that is not trusted.

    >>> estimator_from_path("sklearn.ensemble:RandomForestClassifier", {"n_estimators": 5})
    RandomForestClassifier(n_estimators=5)
    >>> estimator_from_path("os:system")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: os:system would run code that is not scikit-learn's; give --trust to allow it
    """
    cls = import_object(path, trust=True) if trust else _public_classifier(path)
    params = dict(params or {})
    known: list[str] = getattr(cls, "_get_param_names", list)()
    for name in params:
        if known and name not in known:
            raise UsageError(f'{path} has no parameter "{name}"{did_you_mean(name, known)}')
    try:
        return cls(**params)
    except Exception as error:
        raise UsageError(f"{path} cannot be made with {params}: {_line(error)}") from error


def _public_classifier(path: str) -> type[Any]:
    module, colon, name = path.partition(":")
    if not (module and colon and name):
        raise UsageError(f'expected a path such as sklearn.ensemble:RandomForestClassifier, got "{path}"')
    if module.split(".")[0] != "sklearn":
        raise UsageError(f"{path} would run code that is not scikit-learn's; give --trust to allow it")
    found = public_classifiers().get(name)
    if found is None or not f"{found.__module__}.".startswith(f"{module}."):
        raise UsageError(
            f"{path}: scikit-learn has no public classifier of this name{did_you_mean(name, public_classifiers())}; "
            "give --trust to use anything else"
        )
    return found


def _exact_logs(estimator: Any, x: Rows) -> NDArray[np.floating[Any]] | None:
    """Log-probabilities of the estimator's own classes (n, k) without the rounding of probabilities, if it has them.

    A logistic curve that rounds to 1 leaves exactly 0 to the other class; its logarithm does not.
    """
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

    last = _final_step(estimator)
    if type(last) in (GaussianNB, MultinomialNB, BernoulliNB, ComplementNB, CategoricalNB):
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


def _final_step(estimator: Any) -> Any:
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def _random_states(estimator: Any, seed: int) -> dict[str, int]:
    """A seed of its own for every ``random_state`` in the estimator."""
    names = [name for name in estimator.get_params(deep=True) if _is_random_state(name)]
    return {name: Seeds(seed).child(name).integer() % 2**31 for name in names}


def _own_states(estimator: Any) -> dict[str, int]:
    """Every ``random_state`` in the estimator that is a number."""
    given = estimator.get_params(deep=True).items()
    return {
        name: int(value) for name, value in given if _is_random_state(name) and isinstance(value, (int, np.integer))
    }


def _names_classes(estimator: Any) -> bool:
    """Whether a parameter speaks of classes by their labels, as far as parameters show."""
    given = {name.rpartition("__")[2]: value for name, value in estimator.get_params(deep=True).items()}
    return isinstance(given.get("class_weight"), Mapping) or given.get("pos_label") is not None


def _is_random_state(name: str) -> bool:
    return name == "random_state" or name.endswith("__random_state")


def _describe_estimator(estimator: Any) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for name, value in sorted(estimator.get_params(deep=True).items()):
        last = name.rpartition("__")[2]
        if last in NO_EFFECT:
            continue
        if last == "random_state":
            params[name] = "from the seed"
        elif hasattr(value, "get_params") and not isinstance(value, type):
            params[name] = describe_class(type(value))  # its parameters stand beside it, by their deep names
        elif last in ("steps", "transformers", "estimators", "transformer_list"):
            params[name] = [_describe_step(step) for step in value]
        else:
            params[name] = describe(value)
    return {**describe_class(type(estimator)), "params": params}


def _describe_step(step: Any) -> Any:
    """A named step without its estimator: that one stands beside it, by its name."""
    return describe([part for part in step if not hasattr(part, "get_params")] if isinstance(step, tuple) else step)


def _name(estimator: Any) -> str:
    return type(estimator).__name__


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:297]}..."
