"""Bounds on trees: leaves answer for many rows, and what is stricter stays."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.mitigations.trainers import ROWS, TRAINERS, X, Y, applied

from gnomon.mitigations import make_mitigation, restraining
from gnomon.models import SklearnTrainer


def test_bounds_on_trees_never_loosen_what_is_there() -> None:
    strict = SklearnTrainer(make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=2, min_samples_leaf=30)))
    for text in ("depth:8", "leaf:20"):
        assert applied(make_mitigation(text), strict).recipe() == strict.recipe()
    loose = applied(make_mitigation("leaf:20"), TRAINERS["tree"])
    [model] = loose.train(X, Y, 3, ROWS[:1], [0])
    assert np.bincount(model.estimator.apply(X[ROWS[0]])).max() >= 20  # type: ignore[attr-defined]
    assert min(c for c in np.bincount(model.estimator.apply(X[ROWS[0]])) if c) >= 20  # type: ignore[attr-defined]


def test_what_changes_nothing_is_no_advice() -> None:
    bound = SklearnTrainer(make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=5)))
    assert restraining(bound, ("depth:8", "depth:3", "leaf:20", "dropout:0.5", "labels"), 100) == {"depth:3", "leaf:20"}


def test_no_tree_grows_deeper_than_its_bound_inside_a_pipeline_either() -> None:
    piped = SklearnTrainer(make_pipeline(StandardScaler(), DecisionTreeClassifier()))
    for trainer in (TRAINERS["tree"], piped):
        [free], [bound] = (
            t.train(X, Y, 3, ROWS[:1], [0]) for t in (trainer, applied(make_mitigation("depth:2"), trainer))
        )
        deep = [getattr(m.estimator, "steps", [(None, m.estimator)])[-1][1].get_depth() for m in (free, bound)]  # type: ignore[attr-defined]
        assert deep[0] > deep[1] == 2
