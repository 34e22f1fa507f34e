"""Parameters that are known to make a model keep single rows."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from tests.auditing.structure.test_contents_trees import HALVES, STEPS
from tests.auditing.structure.test_examine import look, seen

from gnomon.auditing.structure.contents import FittedPart
from gnomon.auditing.structure.examine import risky_settings
from gnomon.core.documents.record_parts import Appetite


def test_a_forest_by_hand_and_its_setting_is_named_once() -> None:
    model = RandomForestClassifier(5, bootstrap=False, max_features=None, random_state=0).fit(STEPS, HALVES)
    values, _ = seen(model, STEPS)
    assert values == {"stored-rows": 0, "small-leaves": 4, "pure-leaves": 10, "few-degrees-of-freedom": 8 - 5 * 4}
    risky = [f.title for f in look(model, STEPS).findings if f.code == "risky-parameter"]
    assert risky == ["RandomForestClassifier: min_samples_leaf=1", "RandomForestClassifier: bootstrap=False"]


@pytest.mark.parametrize(("leaf", "risky"), [(9, True), (10, False), (0.05, True), (0.5, False)])
def test_a_share_of_the_rows_counts_as_rows(leaf: float, risky: bool) -> None:
    model = RandomForestClassifier(2, min_samples_leaf=leaf).fit(np.arange(40.0)[:, None], np.arange(40) % 2)
    found = risky_settings(FittedPart(model, None), 40, Appetite())
    assert [what for what, _, _ in found] == [f"RandomForestClassifier: min_samples_leaf={leaf}"] * risky
    assert all(better == "min_samples_leaf=10" for _, _, better in found)


def test_each_kind_of_model_has_risky_parameters_of_its_own() -> None:
    rows, labels = np.arange(20.0)[:, None], np.arange(20) % 2
    for model in (LogisticRegression(C=1e4), SVC(C=1e4), KNeighborsClassifier(3)):
        [(what, _, _)] = risky_settings(FittedPart(model.fit(rows, labels), None), 20, Appetite())
        assert what.endswith(("C=10000.0", "n_neighbors=3"))
    assert risky_settings(FittedPart(KNeighborsClassifier(10).fit(rows, labels), None), 20, Appetite()) == []
    assert risky_settings(FittedPart(object(), None), 20, Appetite()) == []
