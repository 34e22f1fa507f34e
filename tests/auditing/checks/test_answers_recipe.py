"""A clone on the target's own rows: what did not survive cloning is found, and chance is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from gnomon.auditing.api import audit
from gnomon.auditing.checks.answers import Refits
from gnomon.core.documents.record import Finding
from gnomon.core.errors import PreflightError
from gnomon.models.estimators import training_size

N = 120
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2 * N, 4))
Y = (X[:, 0] + X[:, 1] + 0.7 * RNG.normal(size=2 * N) > 0).astype(int)
IN, OUT = (X[:N], Y[:N]), (X[N:], Y[N:])
WEIGHTS = np.where(np.arange(N) % 2, 12.0, 0.1)


def findings(target: Any, shadows: int = 8, **further: Any) -> list[Finding]:
    record = audit(target, IN, OUT, shadows=shadows, attacks=("loss",), workers=1, **further).record
    return [f for f in record.findings if f.code.startswith(("recipe", "members-are"))]


def test_sample_weights_do_not_survive_cloning() -> None:
    bare = LogisticRegression().fit(*IN, sample_weight=WEIGHTS)
    [finding] = findings(bare)
    assert (finding.code, finding.severity) == ("recipe-unlike-target", "warning")
    assert "the members are not all of its training records, or" in finding.explanation
    counted = make_pipeline(StandardScaler(), LogisticRegression())
    counted.fit(*IN, logisticregression__sample_weight=WEIGHTS)
    with pytest.raises(PreflightError, match=r"answers unlike it: mean distance of answers 0\.\d+"):
        findings(counted)
    assert findings(bare, shadows=2) == []


def test_parameters_that_were_changed_after_training_are_found() -> None:
    tree = DecisionTreeClassifier(random_state=0).fit(*IN)
    with pytest.raises(PreflightError, match="a clone of the model"):
        findings(tree.set_params(max_depth=1))
    forest = RandomForestClassifier(20, random_state=0).fit(*IN)
    [finding] = findings(forest.set_params(max_depth=1))
    assert (finding.code, finding.severity) == ("recipe-unlike-target", "warning")  # chance is in the recipe


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        DecisionTreeClassifier(max_features=1, random_state=0),
        RandomForestClassifier(10, random_state=0),
        SGDClassifier(loss="log_loss", random_state=0),
        MLPClassifier((4,), max_iter=3000, solver="lbfgs", alpha=1.0, random_state=0),
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        GridSearchCV(DecisionTreeClassifier(), {"max_depth": [2, 9]}, cv=2),
    ],
    ids=lambda e: type(e).__name__,
)
def test_chance_and_the_order_of_rows_are_no_other_recipe(estimator: Any) -> None:
    order = np.random.default_rng(1).permutation(N)
    assert findings(estimator.fit(X[order], Y[order])) == []


def test_a_part_of_the_training_rows_is_no_other_recipe() -> None:
    all_rows = np.random.default_rng(2).normal(size=(300, 4))
    more = np.concatenate([X[:N], all_rows]), np.concatenate([Y[:N], (all_rows[:, 0] > 0).astype(int)])
    [finding] = findings(DecisionTreeClassifier(max_depth=3).fit(*more))
    assert (finding.code, finding.severity) == ("members-are-a-part", "note")
    [finding] = findings(DecisionTreeClassifier(max_depth=3).fit(X[:90], Y[:90]))
    assert (finding.code, finding.severity) == ("members-are-too-many", "warning")
    assert "trained on 90 rows, but 120" in finding.title


def test_a_run_again_trains_no_clone_again(tmp_path: Path) -> None:
    target = LogisticRegression().fit(*IN, sample_weight=WEIGHTS)
    [first] = findings(target, store=tmp_path)
    kept = sorted(tmp_path.rglob("*.*"))
    [second] = findings(target, store=tmp_path)
    assert first == second
    assert sorted(tmp_path.rglob("*.*")) == kept


def test_the_rule() -> None:
    assert Refits((0.2, 0.3), (0.1,)).unlike
    assert not Refits((0.2, 0.3), (0.19,)).unlike
    assert not Refits((0.02, 0.02), (0.0,)).unlike
    assert not Refits((0.163, 0.17), (0.117, 0.06)).unlike  # clones of a tree of chance, seen on 240 rows
    assert Refits((0.2, 0.21), (0.117, 0.06)).unlike
    assert Refits((0.2, 0.2), (0.0,)).certain
    assert not Refits((0.2, 0.3), (0.1,)).certain


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(3),
        GradientBoostingClassifier(n_estimators=2),
        KNeighborsClassifier(3),
        SVC(),
        MLPClassifier((2,), max_iter=400, tol=1.0),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda e: type(e).__name__,
)
def test_estimators_tell_how_many_rows_they_saw(estimator: Any) -> None:
    assert training_size(estimator.fit(*IN)) == N


def test_those_that_do_not_or_that_held_rows_out_are_not_guessed() -> None:
    for estimator in (
        LogisticRegression(),
        GaussianNB(),
        MLPClassifier((2,), max_iter=3000, solver="lbfgs", alpha=1.0),
        GradientBoostingClassifier(n_estimators=2, n_iter_no_change=1),
        GradientBoostingClassifier(n_estimators=2, subsample=0.5),
        MLPClassifier((2,), max_iter=400, tol=1.0, early_stopping=True),
    ):
        assert training_size(estimator.fit(*IN)) is None
