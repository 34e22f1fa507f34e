"""Where rows have persons, everything that an audit says with an interval counts persons."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier
from tests.auditing.results.test_attackers import judge, world
from tests.auditing.worlds import case_of, people
from tests.runs.saved import save_outcome
from tests.runs.test_compare import N, outcome

from gnomon.auditing.api import audit
from gnomon.auditing.evidence.assemble import AuditCase
from gnomon.auditing.outcome import Outcome
from gnomon.auditing.results.attackers import by_shadows, climb_ladder
from gnomon.auditing.results.variation import cut_rows, measure_slices
from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Settings
from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import Slicing
from gnomon.core.plan import make_plan
from gnomon.runs.compare import compare
from gnomon.runs.folder import read_outcome

WORLDS = 40
PLAN_ALL = {"preflight": {"override": ["distribution-shift", "unseen-models-tell"]}}  # by record, households shift


def by_record(case: AuditCase) -> AuditCase:
    return replace(case, data=replace(case.data, groups=None))


def sliced(seed: int, *, grouped: bool) -> list[Slicing]:
    drawn = people(seed, households=120, size=10, gap=0.0, alike=0.5, rehearsals=0, slices=("x0:3", "x2:2"))
    case = drawn.case if grouped else by_record(drawn.case)
    return measure_slices(
        cut_rows(drawn.plan.statistics.slices, drawn.data), "loss", [drawn.attempt.scored], case, drawn.plan.statistics
    )


def test_intervals_of_slices_hold_together_by_household() -> None:
    """Each slice holds some rows of every household; five slices, none of which leaks."""
    missed = {True: 0, False: 0}
    for seed in range(WORLDS):
        for grouped in missed:
            parts = [s.auc for found in sliced(seed, grouped=grouped) for s in found.slices]
            missed[grouped] += any(a is not None and not a.low <= 0.5 <= a.high for a in parts)
    assert missed[True] <= 5
    assert missed[False] > missed[True] + 4


def test_rungs_and_more_shadows_count_households() -> None:
    alone = world(n=600)
    places = np.argsort(np.argsort(alone.evidence.labels, kind="stable"), kind="stable")
    persons = np.repeat(np.arange(30), 20)[places]
    grouped = case_of(alone.evidence, alone.member, persons)
    for one, other in zip(climb_ladder([], judge(grouped)), climb_ladder([], judge(alone)), strict=True):
        assert one.auc.value == other.auc.value
        assert (one.auc.low, one.auc.high) != (other.auc.low, other.auc.high)
    found, plain = (by_shadows(judge(case, fpr=0.1)) for case in (grouped, alone))
    assert found is not None
    assert plain is not None
    assert found.gain.auc.value == plain.gain.auc.value
    assert found.gain.auc != plain.gain.auc
    assert all(a.auc.value == b.auc.value and a.auc != b.auc for a, b in zip(found.points, plain.points, strict=True))


def with_counted(run: Outcome, unit: str) -> Record:
    return run.record.model_copy(update={"counted_by": unit})


def retrained(seed: int, *, ids: object = None) -> tuple[Outcome, Outcome]:
    """Two trainings of one recipe on households of 20 rows, which score alike within one training."""
    runs = []
    for i in (0, 1):
        rng = np.random.default_rng((seed, i))
        groups = np.repeat(np.arange(N // 20), 20)
        shared = rng.normal(size=N // 20)[groups]
        run = outcome(1.0, 2 * seed + i, ids=ids if i else None, added=shared)
        runs.append(replace(run, record=with_counted(run, "group"), groups=[str(g) for g in groups]))
    return runs[0], runs[1]


@pytest.mark.parametrize("ids", [None, range(N, 2 * N)], ids=["paired", "apart"])
def test_two_trainings_on_households_are_within_noise(ids: object) -> None:
    flagged, by_record, runs = 0, 0, 10
    for seed in range(runs):
        pair = retrained(seed, ids=ids)
        flagged += compare(*pair).change != "within noise"
        by_record += compare(*(replace(o, groups=None) for o in pair)).change != "within noise"
    assert flagged <= 1
    assert by_record > flagged + 2
    found = compare(*retrained(0, ids=ids))
    assert found.counted_by == "group"
    assert any("count by group" in sentence for sentence in found.sentences)


def test_copies_of_a_row_are_no_evidence_in_a_comparison(tmp_path: Path) -> None:
    pair = retrained(0)
    copied = [
        replace(o, groups=None, copies=np.asarray(o.groups, dtype=np.int64), record=with_counted(o, "record"))
        for o in pair
    ]
    expected, found = compare(*pair), compare(*copied)
    assert found.counted_by == "record"
    for one, other in zip(found.attacks[0].figures, expected.attacks[0].figures, strict=True):
        assert (one.figure, one.change) == (other.figure, other.change)
        assert (one.difference is None) == (other.difference is None)
        if one.difference is not None and other.difference is not None:
            assert one.difference.high == pytest.approx(other.difference.high)
    save_outcome(copied[0], tmp_path)
    kept = read_outcome(tmp_path)
    assert kept.copies is not None
    assert kept.copies.tolist() == copied[0].copies.tolist()


def household_audit(alike: float = 0.3, **settings: object) -> Record:
    rng = np.random.default_rng(4)
    homes = np.repeat(np.arange(40), 10)
    x = rng.normal(size=(40, 5))[homes] + alike * rng.normal(size=(400, 5))
    y = (rng.random(40) < 0.5)[homes].astype(int)
    inside = homes < 20
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(rng.normal(size=(100, 5)), np.arange(100) % 2)
    tables = [(x[side], y[side]) for side in (inside, ~inside)]
    return audit(model, *tables, shadows=2, attacks=("loss", "confidence"), workers=1, plan=PLAN_ALL, **settings).record  # type: ignore[arg-type]


def test_a_whole_audit_counts_persons_and_says_so() -> None:
    homes = np.repeat(np.arange(40), 10)
    grouped = household_audit(groups=(homes[:200], homes[200:]))
    alone = household_audit()
    assert (grouped.counted_by, grouped.data.groups) == ("group", 40)
    assert (alone.counted_by, alone.data.groups) == ("record", None)
    for one, other in zip(grouped.attacks, alone.attacks, strict=True):
        assert one.auc is not None
        assert other.auc is not None
        assert one.auc.value == other.auc.value
        assert one.auc.high - one.auc.low > 2 * (other.auc.high - other.auc.low)
    # A model that saw neither side: by record the difference between households looks like a leak.
    assert all(a.auc is not None and a.auc.low <= 0.5 <= a.auc.high for a in grouped.attacks)
    ids_of_their_own = household_audit(groups=(np.arange(200), np.arange(200, 400)))
    assert ids_of_their_own.counted_by == "record"


def test_copies_of_a_row_count_once_without_being_named() -> None:
    """Each row stands ten times on its side: intervals are those of forty rows, as if they had been given as groups."""
    homes = np.repeat(np.arange(40), 10)
    copied, grouped = household_audit(0.0), household_audit(0.0, groups=(homes[:200], homes[200:]))
    assert (copied.counted_by, copied.data.groups) == ("record", None)
    for one, other in zip(copied.attacks, grouped.attacks, strict=True):
        assert one.auc is not None
        assert other.auc is not None
        assert (one.auc.low, one.auc.high) == pytest.approx((other.auc.low, other.auc.high))
        assert one.auc.high - one.auc.low > 0.3
        assert one.accusations[0].candidates <= 40


def test_a_run_keeps_its_persons(tmp_path: Path) -> None:
    run, _ = retrained(0)
    save_outcome(run, tmp_path)
    assert read_outcome(tmp_path).groups == run.groups
    bare = replace(run, groups=None, record=with_counted(run, "record"))
    save_outcome(bare, tmp_path)
    assert not (tmp_path / "scores" / "groups.npy").exists()
    assert read_outcome(tmp_path).groups is None


def test_rows_that_the_attacker_makes_leave_persons_counted(tmp_path: Path) -> None:
    """Made rows belong to nobody in the data set; the audited ones keep their households."""
    values = {
        "view": "adversary",
        "data": {"source": "baskets", "rows": 600, "train_size": 200, "split_by_group": True},
        "trainer": {"kind": "sklearn", "estimator": "sklearn.naive_bayes:BernoulliNB"},
        "shadow": {"source": "noisy", "count": 2, "size": 100},
        "attacks": {"names": ["loss"], "rehearsals": 0, "ladder": False},
        "preflight": {"override": ["distribution-shift", "one-sided-class"]},
    }
    made = audit_plan(make_plan(values), tmp_path, Settings(workers=1))
    assert made.record.counted_by == "group"
    assert made.groups is not None
    assert len(made.groups) == len(made.ids)


def test_shadow_models_of_a_target_that_was_trained_on_whole_persons_are_too() -> None:
    """Otherwise they know the persons that they never saw, and look unlike a target that does not."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(80, 6)), 4, axis=0) + 0.05 * rng.normal(size=(320, 6))
    y, persons = np.repeat(rng.integers(0, 2, 80), 4), np.repeat(np.arange(80), 4)
    sides = (x[:160], y[:160]), (x[160:], y[160:])
    model = DecisionTreeClassifier(random_state=0).fit(*sides[0])
    groups = persons[:160], persons[160:]
    settings = {"shadows": 4, "attacks": ("loss",), "workers": 1, "plan": {"attacks": {"ladder": False}}}
    by_person = audit(model, *sides, groups=groups, **settings).record  # type: ignore[arg-type]
    unlike = [f.code for f in by_person.findings if f.code == "shadows-unlike-target"]
    assert unlike == []
    assert by_person.shadows is not None
    assert by_person.shadows.test_accuracy is not None
    assert by_person.shadows.test_accuracy.value < 0.75  # 0.95 where three of a person's four rows are known
