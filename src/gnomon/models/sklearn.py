"""Fitted scikit-learn classifiers as Models, and unfitted ones as recipes for shadow models."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gnomon.core.arrays import (
    Floats,
    Ints,
    Rows,
    check_log_probs,
    count_rows,
    first_missing,
    is_frame,
    log_from_probabilities,
    take_rows,
)
from gnomon.core.data.labels import class_name, first_unknown, match_classes
from gnomon.core.errors import ModelError, did_you_mean, one_line
from gnomon.core.outputs import log_from_outputs
from gnomon.core.protocols import Change, Gives, KnownClasses, NamedClasses, OneByOne, Trainer
from gnomon.models import estimators
from gnomon.models.boosters.native import settled_params
from gnomon.models.observations import Checkpoints
from gnomon.models.recipe_hash import describe, describe_estimator, describe_files
from gnomon.stats.signals import LOG_TINY, loss

GIVES: dict[str, Gives] = {"predict_proba": "probabilities", "decision_function": "margins", "predict": "labels"}
UNREAD = re.compile(r"could not convert string to float: ['\"](.*)['\"]$")
ROUNDS = ("n_estimators", "iterations", "num_boost_round", "num_trees")  # what libraries call rounds of boosting


@dataclass(frozen=True, eq=False)
class SklearnModel(NamedClasses):
    """A fitted classifier (or pipeline, or search) that answers for all classes of the data set.

    Its columns are mapped to the data set's classes by ``estimator.classes_``; a class that it never saw gets
    probability 0.

    Attributes:
        estimator: fitted, with ``classes_`` and ``predict_proba``, or else ``decision_function``, whose margins are
            taken for logits, or else ``predict``.
        classes: the data set's c class names, in the order of their ids.
        labels: the c labels that the estimator was trained on, in the order of their ids. None: the class names, as
            text or numbers, or class ids where its classes are no class names.
        decides: answer with labels as ``predict`` gives them, each with probability 1.

    Raises:
        ModelError: the estimator is not fitted, or knows a class that the data set has not.
    """

    estimator: Any
    classes: tuple[str, ...]
    labels: tuple[Any, ...] | None = None
    decides: bool = False

    def __post_init__(self) -> None:
        if estimators.predicts_numbers(self.estimator):
            raise ModelError(
                f"{_name(self.estimator)} predicts numbers; an audit needs classes and their probabilities: give a "
                "function from rows to probabilities of ranges that you choose, or such answers as files"
            )
        if not hasattr(self.estimator, "predict_proba") and not hasattr(self.estimator, "classes_"):
            raise ModelError(
                f"{_name(self.estimator)} is no classifier that is fitted (it has no predict_proba, no classes_); "
                "give a function from rows to labels or probabilities"
            )
        if estimators.method_of(self.estimator) is None:
            raise ModelError(f"{_name(self.estimator)} can't predict (no predict_proba, no predict)")
        if getattr(self.estimator, "classes_", None) is None:
            raise ModelError(f"{_name(self.estimator)} is not fitted (no classes_); fit it first")
        _ = self.columns

    @cached_property
    def columns(self) -> Ints:
        """For each of the estimator's classes, the id of the data set's class."""
        known = self.estimator.classes_
        if isinstance(known, list):
            raise ModelError(
                f"{_name(self.estimator)} answers several questions at once, and an audit needs one label a "
                "row: give the probabilities of one of them as a function or as files of answers"
            )
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

    @property
    def known(self) -> KnownClasses:
        """The labels that the estimator was trained on."""
        return KnownClasses(tuple(self.estimator.classes_), self.columns)

    @property
    def observable(self) -> frozenset[str]:
        """Boosted ensembles answer stage by stage, so that their training can be followed afterwards."""
        return frozenset({Checkpoints.name} if estimators.has_stages(self.estimator) else ())

    @property
    def gives(self) -> Gives:
        """Probabilities, or what the estimator has in their place."""
        return GIVES[estimators.method_of(self.estimator) or "predict"]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader of its file has to say, and how many rounds clones are trained where it stopped early."""
        said = tuple(getattr(self.estimator, "remarks", ()))
        rounds = [str(v) for name, v in settled_params(self.estimator).items() if name.endswith(ROUNDS)]
        if rounds and not said:
            said = (
                f"Its training was stopped early: clones are trained {rounds[0]} rounds, as many as it answers with.",
            )
        if estimators.keeps_fitted(self.estimator):
            said += (
                "A part of it was fitted before and is frozen (FrozenEstimator): clones share it as it is. If it was "
                "trained on members, shadow models know them too, and attacks that learn from these see less.",
            )
        last = _name(estimators.final_step(self.estimator))
        if self._may_name_none:
            said += (f"Where {last} answers 0 for every class, that is read as equal shares.",)
        if self.gives == "labels":
            said += (f"{last} gives no probabilities and no margins: attacks see the labels that it predicts.",)
        elif self.gives == "margins":
            seen = "attacks see the labels that it predicts" if self.decides else "its margins are taken for logits"
            said += (f"{last} gives no probabilities: {seen}.",)
        elif self.decides:
            said += (f"Its labels are those that {last} predicts, not the classes with the largest probability.",)
        return said

    def deciding(self) -> SklearnModel | None:
        """With the labels that ``predict`` gives, where these may differ from the largest probability."""
        return replace(self, decides=True) if estimators.decides_otherwise(self.estimator) else None

    def clone_recipe(self, params: Mapping[str, Any] = MappingProxyType({})) -> SklearnTrainer | None:
        """The estimator, refitted on other rows; boosted ones for as many rounds as it uses.

        Raises:
            ModelError: the estimator has no such parameters, or was told in ``fit`` how to train.
        """
        reason = estimators.settings_in_fit(self.estimator)
        if reason is not None:
            raise ModelError(reason)
        settled = {} if hasattr(self.estimator, "recipe_estimator") else settled_params(self.estimator)
        recipe = SklearnTrainer(self._recipe, settings={**settled, **params} or None, decides=self.decides)
        return recipe if getattr(recipe.fresh(), "refits", True) else None

    @property
    def _recipe(self) -> Any:
        return getattr(self.estimator, "recipe_estimator", self.estimator)

    def fitted(self) -> Any:
        """The estimator."""
        return self.estimator

    def recipe_again(self, trainer: Trainer) -> Trainer | None:
        """The trainer with every ``random_state`` kept, if it refits this very estimator, which chooses nothing."""
        if not isinstance(trainer, SklearnTrainer) or trainer.estimator is not self._recipe:
            return None
        return None if estimators.searches(self.estimator) else replace(trainer, own_states=True)

    def training_rows(self) -> int | None:
        """As the estimator's fitted attributes say; see `training_size`."""
        return estimators.training_size(self.estimator)

    def losses_over_training(self, x: Rows, y: Ints, count: int) -> Floats | None:
        """Cross-entropy (n, count), float32, after evenly spaced stages of a boosted ensemble, the whole one last.

        Raises:
            ModelError: the ensemble fails to answer.
        """
        if not estimators.has_stages(self.estimator):
            return None
        column = np.full(self.n_classes, -1)
        column[self.columns] = np.arange(len(self.columns))
        try:
            logs = estimators.staged_logs(self.estimator, x, column[y], count)
        except (ValueError, TypeError, AttributeError, IndexError) as error:
            raise ModelError(f"{_name(self.estimator)} fails to answer stage by stage: {error}") from error
        logs[:, -1] = -loss(self.log_probs(x), y)
        losses: Floats = -np.maximum(logs, LOG_TINY).astype(np.float32)
        return losses

    def write(self, stem: Path) -> Path:
        """Writes the estimator with skops, or a booster as its library does."""
        import skops.io

        own = getattr(self.estimator, "write", None)
        if own is not None:
            return Path(own(stem))

        place = stem.with_suffix(".skops")
        skops.io.dump(self.estimator, place)
        return place

    def log_probs(self, x: Rows) -> Floats:
        """Natural-log probabilities, float32 (n, c)."""
        n, name = count_rows(x), _name(self.estimator)
        if n == 0:
            return np.empty((0, self.n_classes), np.float32)
        if self.decides or self.gives == "labels":
            return self._decided(x)
        margins = self.gives == "margins"
        try:
            rows = estimators.rows_for(self.estimator, x)
            logs = estimators.exact_logs(self.estimator, rows)
            ask = self.estimator.decision_function if margins else self.estimator.predict_proba
            answers = ask(rows) if logs is None else None
        except Exception as error:
            raise ModelError(_why(f"{name} failed to answer {n} rows", name, error, x)) from error
        if logs is None and margins:
            logs = self._logs_of_margins(np.asarray(answers), n)
        elif logs is None:
            logs = self._logs_of(answers, n)
        if len(self.columns) == self.n_classes and (self.columns == np.arange(self.n_classes)).all():
            return check_log_probs(logs, rows=n, classes=self.n_classes, source=name)
        full = np.full((n, self.n_classes), -np.inf, np.float32)
        full[:, self.columns] = logs
        return check_log_probs(full, rows=n, classes=self.n_classes, source=name)

    @property
    def _may_name_none(self) -> bool:
        """Whether an answer may be 0 for all classes: none of one classifier a class takes the record for its own."""
        return _name(estimators.final_step(self.estimator)) == "OneVsRestClassifier"

    def _logs_of(self, answers: Any, rows: int) -> Floats:
        answers = np.asarray(answers, dtype=np.float64)
        if self._may_name_none and answers.ndim == 2:
            answers = np.where(answers.any(axis=1, keepdims=True), answers, 1 / answers.shape[1])
        try:
            return log_from_probabilities(answers, rows=rows, classes=len(self.columns), source=_name(self.estimator))
        except ModelError as error:
            why, declared, _ = str(error).partition("; if the model returns logits")
            if not declared:
                raise
            raise ModelError(
                f"{why}; an audit needs one label a row, whose classes share the probability: of several labels a row, "
                "or classes that do not compete, give one question as a function of rows to its probabilities"
            ) from None

    def _logs_of_margins(self, margins: NDArray[Any], rows: int) -> Floats:
        name, classes = _name(self.estimator), len(self.columns)
        if margins.ndim == 2 and margins.shape[1] > classes:
            raise ModelError(
                f"{name} gives {margins.shape[1]} margins for {classes} classes, one a pair; make it give one a class "
                '(decision_function_shape="ovr"), or audit the labels that it predicts (target.reveals = "labels")'
            )
        return log_from_outputs(margins, "logits", rows=rows, classes=classes, source=name)

    def _decided(self, x: Rows) -> Floats:
        place = dict(zip(np.asarray(self.estimator.classes_).tolist(), self.columns.tolist(), strict=True))
        try:
            given = [
                place[label]
                for label in np.asarray(self.estimator.predict(estimators.rows_for(self.estimator, x)))
                .reshape(-1)
                .tolist()
            ]
        except Exception as error:
            name = _name(self.estimator)
            raise ModelError(_why(f"{name} can't predict", name, error, x)) from error
        logs = np.full((len(given), self.n_classes), -np.inf, np.float32)
        logs[np.arange(len(given)), given] = 0.0
        return check_log_probs(logs, rows=count_rows(x), classes=self.n_classes, source=_name(self.estimator))


@dataclass(frozen=True, eq=False)
class SklearnTrainer(OneByOne):
    """Clones an estimator and refits it on other rows; every ``random_state`` in it follows the seed.

    Attributes:
        estimator: a classifier; fitted or not, it is never changed.
        l2: an L2 penalty lambda to set in the estimator's own parameters, whatever the number of rows; see `penalties`.
        labels: the c labels to fit on, in the order of their class ids: those that the estimator's parameters speak of
            (``class_weight``, a scorer's ``pos_label``). None: the class ids. An audit gives those of its data.
        settings: deep parameters to set in every clone: rounds where early stopping on rows of its own decided them,
            what the plan gives. None: none.
        decides: its models answer with labels as ``predict`` gives them.
        own_states: keep every ``random_state`` that is a number as it is.
        files: paths of files that the estimator's own code reads; their content stands in the store's key.

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
    settings: Mapping[str, Any] | None = None
    decides: bool = False
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for method in ("fit", "get_params"):
            if not hasattr(self.estimator, method):
                raise ModelError(f"expected a scikit-learn classifier, but {_name(self.estimator)} has no {method}")
        if not estimators.may_answer(self.estimator):
            raise ModelError(
                f"expected a scikit-learn classifier, but {_name(self.estimator)} is none and has no predict_proba"
            )

    def recipe(self) -> dict[str, Any]:
        """Class paths, deep parameters, labels, versions, and hashes of the user's own code and files."""
        import sklearn

        plain = {"kind": "sklearn", "sklearn": sklearn.__version__, "estimator": describe_estimator(self.estimator)}
        further = {
            "l2": self.l2,
            "labels": None if self.labels is None else describe(list(self.labels)),
            "settings": None if self.settings is None else describe(dict(self.settings)),
            "answers": "labels" if self.decides else None,
            "random_states": estimators.own_states(self.estimator) if self.own_states else None,
        }
        given = {name: value for name, value in further.items() if value is not None}
        return {**plain, **given, **describe_files(self.files)}

    @property
    def observable(self) -> frozenset[str]:
        """As its models."""
        return frozenset({Checkpoints.name} if estimators.has_stages(self.estimator) else ())

    @property
    def gives(self) -> Gives:
        """As its models."""
        return GIVES[estimators.method_of(self.estimator) or "predict_proba"]

    @property
    def of_what(self) -> Any:
        """The estimator."""
        return self.estimator

    def deciding(self) -> SklearnTrainer | None:
        """Its models with the labels of ``predict``, where these may differ from the largest probability."""
        return replace(self, decides=True) if estimators.decides_otherwise(self.estimator) else None

    def changed(self, change: Change) -> Trainer | None:
        """The change of an estimator."""
        return change.on_estimator(self)

    def for_labels(self, classes: Sequence[str], labels: tuple[Any, ...] | None) -> SklearnTrainer:
        """The trainer for the labels of a data set, with weights of classes under these labels.

        A plan file can write the classes of a ``class_weight`` as text only; they are taken by their names.

        Args:
            classes: the c class names.
            labels: the c labels, in the same order; None: the class ids.

        Returns:
            A trainer without labels of its own gets these; one that has some comes back as it is.

        >>> from sklearn.linear_model import LogisticRegression
        >>> weighted = SklearnTrainer(LogisticRegression(class_weight={"2": 9}))
        >>> weighted.for_labels(("1", "2"), (1, 2)).estimator.class_weight
        {2: 9}
        """
        from sklearn.base import clone

        if self.labels is not None:
            return self
        own = tuple(range(len(classes))) if labels is None else labels
        weights = {}
        for name, weight in self.estimator.get_params(deep=True).items():
            last = name.rpartition("__")[2]
            if last == "class_weight" and isinstance(weight, Mapping) and not set(weight) <= set(own):
                found = match_classes(list(weight), classes)
                if found is not None and found.rule != "order":
                    weights[name] = dict(zip((own[k] for k in found.places), weight.values(), strict=True))
        changed = clone(self.estimator).set_params(**weights) if weights else self.estimator
        return replace(self, estimator=changed, labels=labels)

    def train_one(self, x: Rows, y: Ints, n_classes: int, rows: Ints, seed: int) -> SklearnModel:
        """A clone, refitted.

        Raises:
            ModelError: rows of a single class, or the estimator fails.
        """
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
            if (
                not isinstance(error, ValueError)
                or tuple(counted) == labels
                or estimators.names_classes(self.estimator)
            ):
                raise self._failed(chosen, error) from error
            labels = tuple(counted)
            try:
                fitted = self._fit(chosen, np.searchsorted(present, y[rows]), seed)
            except Exception:
                raise self._failed(chosen, error) from error
        return SklearnModel(fitted, names, labels, self.decides)

    def fresh(self) -> Any:
        """The estimator as it is before a fit.

        Raises:
            ModelError: it has no such parameters as are to be set.
        """
        from sklearn.base import clone

        try:
            if type(self.estimator).__module__.startswith("catboost"):  # it copies lists, which scikit-learn refuses
                made: Any = type(self.estimator)(**self.estimator.get_params(deep=False))
            else:
                made = clone(self.estimator)
            return made.set_params(**(self.settings or {}))
        except (ValueError, TypeError, RuntimeError) as error:
            raise ModelError(f"{_name(self.estimator)} can't be cloned: {one_line(error)[:300]}") from error

    def _fit(self, x: Rows, labels: NDArray[Any], seed: int) -> Any:
        from sklearn.exceptions import ConvergenceWarning

        fresh = self.fresh()
        states = estimators.random_states(fresh, seed)
        fresh.set_params(**(states | estimators.own_states(fresh) if self.own_states else states))
        if self.l2 is not None:
            fresh.set_params(**estimators.penalties(fresh, self.l2, len(labels)))
        # One thread: as many processes run as there are cores, and sums come out the same on every machine.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            fresh.fit(estimators.rows_for(fresh, x), labels)
        return fresh

    def _failed(self, x: Rows, error: Exception) -> ModelError:
        name = _name(self.estimator)
        return ModelError(_why(f"{name} failed to fit {count_rows(x)} rows", name, error, x))


def _why(what: str, name: str, error: Exception, x: Rows) -> str:
    """What went wrong, in one line; a number that is missing is named."""
    place = first_missing(x)
    if place is not None and "nan" in str(error).lower():
        return (
            f"{name} takes no missing numbers, but {place.holds('NaN')}; put an imputer in front of it in a pipeline, "
            "or fill or drop what is missing in all files"
        )
    text = UNREAD.search(str(error))
    column = None if text is None or not is_frame(x) else _holding(x, text[1])
    if text is not None and column is not None:
        return (
            f'{name} takes numbers, but column "{column}" holds the text "{text[1]}"; write numbers everywhere. Where '
            f'it stands for a missing value leave the field empty, or say so: [data] csv = {{missing = ["{text[1]}"]}}'
        )
    return f"{what}: {type(error).__name__}: {one_line(error)[:300]}"


def _holding(x: Rows, text: str) -> Any:
    """The first column of a table that holds a text; None where none does."""
    return next((name for name in x.columns if x[name].dtype.kind not in "biufmM" and (x[name] == text).any()), None)


def _name(estimator: Any) -> str:
    return type(estimator).__name__
