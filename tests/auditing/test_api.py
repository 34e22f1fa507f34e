import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from gnomon.auditing.api import audit
from gnomon.core.documents.record import Record
from gnomon.core.errors import UsageError

RNG = np.random.default_rng(0)
SIZES = (80, 80, 200)
X = RNG.normal(size=(sum(SIZES), 4))
Y = (X[:, 0] + RNG.normal(size=len(X)) > 0).astype(int)
PEOPLE = np.arange(len(X)) // 4  # four rows a person; members, non-members and pool share nobody
PARTS = np.split(np.arange(len(X)), np.cumsum(SIZES)[:2])


def audited(groups: tuple[np.ndarray, ...] | None, *, pool: bool) -> Record:
    model = DecisionTreeClassifier(random_state=0).fit(X[PARTS[0]], Y[PARTS[0]])
    tables = [(X[part], Y[part]) for part in PARTS]
    return audit(
        model, tables[0], tables[1], pool=tables[2] if pool else None, groups=groups,
        view="adversary" if pool else "auditor", shadows=2, attacks=("loss",), workers=1,
        plan={"preflight": {"override": ["blind-baseline"]}},
    )  # fmt: skip


@pytest.mark.parametrize("pool", [False, True])
def test_people_are_told_apart_with_and_without_a_pool(pool: bool) -> None:
    record = audited(tuple(PEOPLE[part] for part in PARTS[: 3 if pool else 2]), pool=pool)
    [result] = record.attacks
    assert result.groups is not None
    without = audited(None, pool=pool)
    assert without.attacks[0].groups is None


def test_a_pool_without_its_groups_is_refused() -> None:
    with pytest.raises(UsageError, match=r"nonmembers and pool \(80, 80, 200\), got 80, 80"):
        audited((PEOPLE[PARTS[0]], PEOPLE[PARTS[1]]), pool=True)
