"""A mitigated model with the interface that the plain one had: what a service can put in its place.

`serve` takes what an audit attacked (a `gnomon.models.target.MitigatedModel`) and gives back a scikit-learn
classifier or a torch module. Fitted mitigations are plain records of numbers and arrays, so skops writes and reads them
without pickle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from gnomon.core.arrays import Floats, Ints, Rows
from gnomon.core.errors import UsageError, expect
from gnomon.core.mitigations import AnswerMap
from gnomon.core.protocols import ModelAbilities
from gnomon.models.sklearn import SklearnModel
from gnomon.models.target import MitigatedModel


class MitigatedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A fitted scikit-learn classifier (or pipeline) whose probabilities go through a mitigation.

    It answers like the estimator inside: the same ``classes_``, ``predict``, ``predict_proba`` and
    ``predict_log_proba``. Like scikit-learn's ``FrozenEstimator`` it is not fitted again: ``fit`` does nothing and
    `sklearn.base.clone` gives it back as it is, because a mitigation belongs to the one model that it was fitted to.

    Args:
        estimator: fitted, with ``predict_proba``.
        mitigation: fitted to it.
        classes: names of the classes that the mitigation speaks of, in their order; by default the estimator's own.
        labels: the labels of these classes that the estimator was trained on; None: their names, or ids.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from gnomon.mitigations.answers import Shown
    >>> tree = DecisionTreeClassifier(max_depth=1).fit([[0], [1], [2], [3]], ["a", "a", "b", "c"])
    >>> served = MitigatedClassifier(tree, Shown("labels"))
    >>> tree.predict_proba([[3]]).tolist(), served.predict_proba([[3]]).tolist(), served.predict([[3]]).tolist()
    ([[0.0, 0.5, 0.5]], [[0.0, 1.0, 0.0]], ['b'])
    """

    def __init__(
        self,
        estimator: Any,
        mitigation: AnswerMap,
        classes: tuple[str, ...] | None = None,
        labels: tuple[Any, ...] | None = None,
    ) -> None:
        self.estimator = estimator
        self.mitigation = mitigation
        self.classes = classes
        self.labels = labels

    @property
    def classes_(self) -> NDArray[Any]:
        """The estimator's classes, in the order of the columns."""
        return np.asarray(self.estimator.classes_)

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the estimator was fitted on."""
        return int(self.estimator.n_features_in_)

    def fit(self, x: Rows, y: Any = None) -> MitigatedClassifier:  # noqa: ARG002 - scikit-learn's arguments
        """Does nothing: refit the estimator, and fit the mitigation to it, to get another one of these."""
        return self

    def predict_log_proba(self, x: Rows) -> Floats:
        """Mitigated natural-log probabilities, float32 (n, c), in the order of ``classes_``.

        Minus infinity for 0; a mitigation that shows a part of each answer leaves rows that do not sum to 1.
        """
        classes = tuple(str(c) for c in self.classes_) if self.classes is None else tuple(self.classes)
        model = SklearnModel(self.estimator, classes, self.labels)
        shown: Floats = MitigatedModel(model, self.mitigation).log_probs(x)[:, model.columns]
        return shown

    def predict_proba(self, x: Rows) -> Floats:
        """Mitigated probabilities, float32 (n, c), in the order of ``classes_``."""
        shown: Floats = np.exp(self.predict_log_proba(x))
        return shown

    def predict(self, x: Rows) -> NDArray[Any]:
        """The most probable of ``classes_`` (n,) behind the mitigation; the first where several tie."""
        best: Ints = self.predict_log_proba(x).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def __sklearn_clone__(self) -> MitigatedClassifier:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


def serve(model: MitigatedModel) -> Any:
    """What a service can put in the place of the plain model.

    Args:
        model: behind a mitigation of its answers.

    Returns:
        A `MitigatedClassifier` for a scikit-learn model, a `torch.nn.Module` for a torch network.

    Raises:
        UsageError: another kind of model; `MitigatedModel.log_probs` serves these.
    """
    expect("model", model, MitigatedModel, "a model behind a mitigation of its answers")
    inner = model.model
    if isinstance(inner, SklearnModel):
        return MitigatedClassifier(inner.estimator, model.mitigation, inner.classes, inner.labels)
    module = ModelAbilities.of(inner).behind(model.mitigation)
    if module is not None:
        return module
    raise UsageError(
        f"expected a scikit-learn model or a torch network, got {type(inner).__name__}; query the mitigated model "
        "itself (log_probs)"
    )
