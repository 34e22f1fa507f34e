import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from gnomon.auditing.api import audit
from gnomon.core.documents.record import Record
from gnomon.core.errors import PreflightError, UsageError
from gnomon.report import render

RNG = np.random.default_rng(0)
SIZES = (80, 80, 200)
X = RNG.normal(size=(sum(SIZES), 4))
Y = (X[:, 0] + RNG.normal(size=len(X)) > 0).astype(int)
PEOPLE = np.arange(len(X)) // 4  # four rows a person; members, non-members and pool share nobody
PARTS = np.split(np.arange(len(X)), np.cumsum(SIZES)[:2])


def audited(groups: tuple[np.ndarray, ...] | None, *, pool: bool, shadows: int = 2) -> Record:
    model = DecisionTreeClassifier(random_state=0).fit(X[PARTS[0]], Y[PARTS[0]])
    tables = [(X[part], Y[part]) for part in PARTS]
    return audit(
        model, tables[0], tables[1], pool=tables[2] if pool else None, groups=groups,
        view="adversary" if pool else "auditor", shadows=shadows, attacks=("loss",), workers=1,
        plan={"preflight": {"override": ["blind-baseline"]}},
    ).record  # fmt: skip


@pytest.mark.parametrize("pool", [False, True])
def test_people_are_told_apart_with_and_without_a_pool(pool: bool) -> None:
    record = audited(tuple(PEOPLE[part] for part in PARTS[: 3 if pool else 2]), pool=pool)
    [result] = record.attacks
    assert result.groups is not None
    without = audited(None, pool=pool)
    assert without.attacks[0].groups is None


def test_a_pool_without_its_groups_is_refused() -> None:
    with pytest.raises(UsageError, match=r"those of nonmembers, those of pool\), got 2 parts"):
        audited((PEOPLE[PARTS[0]], PEOPLE[PARTS[1]]), pool=True)


def test_ids_are_the_user_s_own_and_risk_is_in_reach(capfd: pytest.CaptureFixture[str]) -> None:
    model = DecisionTreeClassifier(random_state=0).fit(X[PARTS[0]], Y[PARTS[0]])
    sides = [(X[part], Y[part]) for part in PARTS[:2]]
    ids = [f"m{i}" for i in range(SIZES[0])], [f"n{i}" for i in range(SIZES[1])]
    settings: dict[str, object] = {"shadows": 4, "attacks": ["loss"], "workers": 1}
    made = audit(model, *sides, ids=ids, **settings)  # type: ignore[arg-type]
    assert {name[0] for name, member in zip(made.ids, made.member, strict=True) if member} == {"m"}
    assert made.scores["loss"].shape == (len(made.ids),)
    assert made.risk is not None
    assert set(made.risk.ids) == set(made.ids)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
    with pytest.raises(UsageError, match=r"ids: expected an id for each row of members, nonmembers \(80, 80\), got 80"):
        audit(model, *sides, ids=(ids[0], ids[1][1:]), **settings)  # type: ignore[arg-type]
    shared = (ids[0], [ids[0][0], *ids[1][1:]])
    with pytest.raises(PreflightError, match="members-overlap"):
        audit(model, *sides, ids=shared, **settings)  # type: ignore[arg-type]


def test_somebody_who_wants_to_know_is_told_of_every_stage() -> None:
    titles = []

    class Listener:
        def stage(self, title: str, total: int | None) -> Callable[[int], None]:
            titles.append(title)
            return lambda _: None

    model = DecisionTreeClassifier(random_state=0).fit(X[PARTS[0]], Y[PARTS[0]])
    sides = [(X[part], Y[part]) for part in PARTS[:2]]
    audit(model, *sides, shadows=2, attacks=["loss"], workers=1, progress=Listener())
    assert len(titles) >= 2
    with pytest.raises(UsageError, match="progress: expected True, False or an object"):
        audit(model, *sides, shadows=2, progress=3)  # type: ignore[arg-type]


def test_a_record_that_lies_nowhere_names_no_files() -> None:
    record = audited(None, pool=False, shadows=8)
    assert record.risk is not None
    assert "risk.csv" not in record.model_dump_json()
    assert "listed in" not in render(record, "md")
    assert record.attacks[0].scores_file is None


def test_attacks_that_were_skipped_count_as_not_tried() -> None:
    record = audit(
        DecisionTreeClassifier(random_state=0).fit(X[PARTS[0]], Y[PARTS[0]]),
        *((X[part], Y[part]) for part in PARTS[:2]),
        trainer=None, attacks=("loss", "lira"), workers=1, plan={"preflight": {"override": ["blind-baseline"]}},
    ).record  # fmt: skip
    lira = next(a for a in record.attacks if a.name == "lira")
    assert lira.status == "skipped"
    assert f"lira: skipped, {lira.reason}" in record.not_tried
    (others,) = (line for line in record.not_tried if line.endswith(": not enabled"))
    assert "rmia" in others.split(", ") and "loss" not in others.split(", ")


@pytest.mark.parametrize("workers", [1, 2])
def test_warnings_of_libraries_are_counted_in_the_record_and_not_printed(
    workers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """A model that was trained on an array warns of names each time when it is queried with a table."""
    model = DecisionTreeClassifier(random_state=0).fit(X[PARTS[0]], Y[PARTS[0]])
    frame = pd.DataFrame(X, columns=list("abcd"))
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        tables = [(frame.iloc[part], Y[part]) for part in PARTS[:2]]
        outcome = audit(FoolishTree().fit(X, Y), *tables, shadows=2, attacks=("loss",), workers=workers)
        called = audit(model, *tables, shadows=2, attacks=("loss",), workers=workers)
    [finding] = [f for f in outcome.record.findings if f.code == "library-warnings"]
    assert finding.severity == "note"
    assert '"UserWarning: too few rows" (2 times)' in finding.explanation
    [finding] = [f for f in called.record.findings if f.code == "library-warnings"]
    assert "X has feature names, but DecisionTreeClassifier was fitted without" in finding.explanation
    assert "Warning" not in capfd.readouterr().err


class FoolishTree(DecisionTreeClassifier):
    """Warns whenever it is trained."""

    def fit(self, x: Any, y: Any) -> "FoolishTree":
        warnings.warn("too few rows", stacklevel=1)
        return super().fit(np.asarray(x), y)  # type: ignore[no-any-return]
