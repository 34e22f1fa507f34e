"""Calls of `gnomon.audit` that can't be: each is one line that says what to give, never a library's exception."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.tree import DecisionTreeClassifier

import gnomon

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(2 * N, 3))
Y = (X[:, 0] + RNG.normal(size=2 * N) > 0).astype(int)
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
IN, OUT = (X[:N], Y[:N]), (X[N:], Y[N:])
FRAME_IN, FRAME_OUT = (FRAME[:N], Y[:N]), (FRAME[N:], Y[N:])
TREE = DecisionTreeClassifier(max_depth=3, random_state=0).fit(*IN)
NAMED = DecisionTreeClassifier(max_depth=3, random_state=0).fit(*FRAME_IN)
LOOSE = GridSearchCV(TREE, {"max_depth": [2]}, cv=2, refit=False).fit(*IN)
BOTH = np.stack([Y, 1 - Y], axis=1)
MANY = MultiOutputClassifier(LogisticRegression()).fit(X, np.stack([Y, RNG.permutation(Y)], axis=1))


def call(target: Any = TREE, members: Any = IN, nonmembers: Any = OUT, **options: Any) -> Any:
    return gnomon.audit(target, members, nonmembers, **({"shadows": 2, "workers": 1, "attacks": ("gap",)} | options))


ODD: dict[str, tuple[Callable[[], Any], str]] = {
    "no rows at all": (lambda: call(members=None), r"members: expected \(x, y\), the rows and their labels, got None"),
    "rows without labels": (lambda: call(members=X[:N]), r"members: expected \(x, y\), .* got ndarray"),
    "three parts": (lambda: call(members=(*IN, Y[:N])), r"members: expected \(x, y\), .* got 3 parts"),
    "a path as both": (lambda: call(members="in.csv"), r'got the path "in.csv" \(for files there are gnomon audit'),
    "a path as rows": (lambda: call(members=("in.csv", Y[:N])), 'members: expected rows, got the path "in.csv"'),
    "a path object": (lambda: call(members=(Path("in.csv"), Y[:N])), 'got the path "in.csv"'),
    "no labels": (lambda: call(nonmembers=(X[N:], None)), "nonmembers: expected 60 labels, one a row, got None"),
    "a name as labels": (lambda: call(FRAME, (FRAME[:N], "a"), OUT), 'expected 60 labels, one a row, got "a"'),
    "no x": (lambda: call(members=(None, Y[:N])), "members: expected rows .*, got None"),
    "a vector as rows": (lambda: call(members=(X[:N, 0], Y[:N])), r"one vector of shape \(60,\); .*reshape\(-1, 1\)"),
    "a series as rows": (lambda: call(members=(FRAME["a"][:N], Y[:N])), r"one vector of shape \(60,\)"),
    "a number as rows": (lambda: call(members=(3, Y[:N])), r"expected rows of shape \(n, d\), got int"),
    "rows of unequal length": (lambda: call(members=([[1, 2], [3]], [0, 1])), "of one length"),
    "text in an array": (lambda: call(members=(X[:N].astype(str), Y[:N])), "mixed columns as a data frame"),
    "objects in an array": (
        lambda: call(members=(np.where(X[:N] > 1, "x", X[:N].astype(object)), Y[:N])),
        "an array of numbers, got object",
    ),
    "rows that are dicts": (lambda: call(members=([{"a": 1}] * N, Y[:N])), "got dict objects; make a table of them"),
    "one name twice": (lambda: call(NAMED, (FRAME[:N].set_axis(list("abb"), axis=1), Y[:N])), '"b" stands there twice'),
    "a column of lists": (lambda: call(NAMED, (FRAME[:N].assign(c=[[1]] * N), Y[:N])), '"c" holds list objects'),
    "a search that kept no model": (lambda: call(LOOSE), "GridSearchCV with refit=False holds no fitted model"),
    "infinity": (lambda: call(members=(np.where(X[:N] > 1, np.inf, X[:N]), Y[:N])), "column 0 holds infinity"),
    "no members": (lambda: call(members=(X[:0], Y[:0])), "members: expected at least one row, got none"),
    "too few labels": (lambda: call(members=(X[:N], Y[: N - 1])), r"members: expected 60 labels, .* \(59,\)"),
    "one-hot labels": (lambda: call(members=(X[:N], BOTH[:N])), r"these are one-hot: give y.argmax\(axis=1\)"),
    "several labels a row": (lambda: call(MANY, (X[:N], BOTH[:N] * 2), OUT), "got 2 of each; audit one output at a"),
    "a target of several outputs": (lambda: call(MANY), "answers several questions at once"),
    "a label that is missing": (
        lambda: call(members=(X[:N], [None, *Y[1:N]])),
        "members: the label is missing in row 0",
    ),
    "a fraction as label": (lambda: call(members=(X[:N], Y[:N] + 0.5)), "labels must be classes, got 0.5 in row"),
    "a frame next to an array": (
        lambda: call(members=FRAME_IN),
        "members and nonmembers: expected rows in one form, got a table with named columns and an array",
    ),
    "an array next to a frame": (lambda: call(nonmembers=FRAME_OUT), "never matched by their position"),
    "sparse next to dense": (
        lambda: call(members=(scipy.sparse.csr_array(X[:N]), Y[:N])),
        "got a sparse matrix and an array",
    ),
    "another width": (lambda: call(nonmembers=(X[N:, :2], Y[N:])), r"nonmembers: expected rows of shape \(3,\)"),
    "another width than the model's": (
        lambda: call(members=(X[:N, :2], Y[:N]), nonmembers=(X[N:, :2], Y[N:])),
        "X has 2 features",
    ),
    "other columns": (
        lambda: call(members=FRAME_IN, nonmembers=(FRAME[N:].rename(columns={"b": "bb"}), Y[N:])),
        r'nonmembers: no column "b", which members has \(did you mean "bb"\?\)',
    ),
    "a column more": (
        lambda: call(members=FRAME_IN, nonmembers=(FRAME[N:].assign(z=1), Y[N:])),
        'nonmembers: the column "z" does not stand in members',
    ),
    "a column that the model never saw": (
        lambda: call(NAMED, (FRAME[:N].assign(z=1), Y[:N]), (FRAME[N:].assign(z=1), Y[N:])),
        'members: the column "z" is none that the model was trained on',
    ),
    "a column less than the model's": (
        lambda: call(NAMED, (FRAME[["a", "b"]][:N], Y[:N]), (FRAME[["a", "b"]][N:], Y[N:])),
        r'members: no column "c", which the model was trained on \(a column named as label, id or group is no feature',
    ),
    "numbers here, text there": (
        lambda: call(members=FRAME_IN, nonmembers=(FRAME[N:].astype({"b": str}), Y[N:])),
        'column "b" holds numbers in members but text in nonmembers',
    ),
    "a trainer table with a wrong key": (
        lambda: call(trainer={"kind": "sklearn", "estimater": "x"}),
        r'trainer: unknown key "estimater" \(did you mean "estimator"\?\)',
    ),
    "a trainer table with a wrong value": (lambda: call(trainer={"kind": "magic"}), "trainer: kind: input should be"),
    "a trainer that is none": (lambda: call(trainer=7), 'trainer: expected "clone", a Trainer, a table or None'),
    "an unfitted target": (lambda: call(DecisionTreeClassifier()), r"is not fitted \(no classes_\)"),
    "a class as target": (lambda: call(DecisionTreeClassifier), "got the class DecisionTreeClassifier"),
    "a regressor": (lambda: call(Ridge().fit(*IN)), "Ridge predicts numbers"),
    "a path as target": (lambda: call("model.skops"), "expected a model"),
    "an unknown attack": (lambda: call(attacks=("lire",)), 'did you mean "lira"'),
    "a number as attacks": (lambda: call(attacks=3), "attacks: expected a list of names"),
    "a plan that is a path": (lambda: call(plan="plan.toml"), "plan: expected tables as a dict"),
    "a table that is none": (lambda: call(plan={"shadow": 5}), "plan: shadow: expected a table as a dict, got int"),
    "an unknown table": (lambda: call(plan={"statistic": {}}), 'did you mean "statistics"'),
    "shadows below nothing": (lambda: call(shadows=-1), "shadow.count"),
    "a view that is none": (lambda: call(view="insider"), "view: input should be 'adversary' or 'auditor'"),
    "no workers": (lambda: call(workers=0), "workers: expected a number of processes"),
    "text as workers": (lambda: call(workers="2"), "workers: expected a number of processes"),
    "a store that is a number": (lambda: call(store=5), "store: expected the name of a folder, got int"),
    "one part of groups": (
        lambda: call(groups=(Y[:N],)),
        r"groups: expected \(those of members, those of nonmembers\), got 1 parts",
    ),
    "groups that are text": (lambda: call(groups="person"), r"groups: expected \(those of members.*, got str"),
    "groups of another length": (lambda: call(groups=(Y[:N], Y[:3])), r"\(60, 60\), got 60, 3"),
}


@pytest.mark.parametrize(("odd", "message"), ODD.values(), ids=ODD)
def test_each_is_one_line(odd: Callable[[], Any], message: str) -> None:
    with pytest.raises(gnomon.GnomonError, match=message) as caught:
        odd()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 420


def same(one: Any, other: Any) -> None:
    found, wanted = ((r.target.train_accuracy, r.target.test_accuracy, r.attacks[0].auc) for r in (one, other))
    assert found == wanted


UNUSUAL: dict[str, Callable[[], Any]] = {
    "lists": lambda: call(members=(X[:N].tolist(), Y[:N].tolist())),
    "labels in a column": lambda: call(members=(X[:N], Y[:N, None]), nonmembers=(X[N:], pd.DataFrame({"y": Y[N:]}))),
    "labels as a series": lambda: call(members=(X[:N], pd.Series(Y[:N], index=range(5, N + 5)))),
    "labels with room for missing ones": lambda: call(members=(X[:N], pd.array(Y[:N], "Int64"))),
    "a list of two": lambda: call(members=list(IN)),
    "columns in another order": lambda: call(
        NAMED, (FRAME[["c", "a", "b"]][:N], Y[:N]), (FRAME[["b", "c", "a"]][N:], Y[N:])
    ),
    "an index column in one of them": lambda: call(
        NAMED, (FRAME[:N].reset_index(names="Unnamed: 0"), Y[:N]), FRAME_OUT
    ),
    "numbers with room for missing ones": lambda: call(NAMED, (FRAME[:N].convert_dtypes(), Y[:N]), FRAME_OUT),
}


@pytest.mark.parametrize("unusual", UNUSUAL.values(), ids=UNUSUAL)
def test_what_can_be_understood_is(unusual: Callable[[], Any]) -> None:
    same(unusual(), call())


def test_a_store_may_be_named_by_text(tmp_path: Path) -> None:
    same(call(store=str(tmp_path / "store")), call())
    assert list((tmp_path / "store").iterdir())
