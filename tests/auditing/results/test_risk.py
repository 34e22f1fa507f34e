"""The risk of single records: calibrated on toy people, one half on noise, stable where rows differ for good."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier
from tests.auditing.worlds import People, people

import gnomon
from gnomon.auditing.outcome import RiskTable
from gnomon.auditing.results.risk import Risk, assess_risk
from gnomon.core.documents.record_parts import RiskFacts
from gnomon.core.seeds import Seeds
from gnomon.models.sklearn import SklearnTrainer
from gnomon.runs.folder import write_risk


def assessed(world: People, name: str = "loss", unlike: bool = False) -> Risk | None:
    known = [world.attempt], world.case, world.plan.statistics.confidence, Seeds(0)
    return assess_risk(name, *known, unlike=unlike)


def table_of(found: Risk) -> RiskTable:
    assert found.table is not None
    return found.table


def risk(seed: int, **settings: float) -> Risk:
    found = assessed(people(seed, whole=False, **settings))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_probabilities_come_true() -> None:
    errors = [risk(seed, households=600, gap=2.0).facts.shadow_error for seed in range(5)]
    assert np.mean([e.value for e in errors]) < 0.025
    assert all(e.low < 0.02 for e in errors)
    facts = risk(0, households=600, gap=2.0).facts
    assert (facts.basis, facts.reason) == ("shadows", None)
    assert facts.calibration_error == facts.shadow_error
    assert facts.mean_members is not None
    assert facts.mean_nonmembers is not None
    assert facts.mean_members > 0.75
    assert facts.mean_nonmembers < 0.25
    for band in facts.bands:
        if band.members + band.nonmembers > 100 and band.true is not None and band.stated is not None:
            assert band.true == pytest.approx(band.stated, abs=0.1)


def test_on_noise_everybody_has_about_one_half() -> None:
    table = table_of(risk(0, households=600, gap=0.0))
    assert np.abs(table.probability - 0.5).mean() < 0.03
    assert ((table.low <= 0.52) & (table.high >= 0.48)).mean() > 0.9


def test_the_table_stands_in_the_order_of_the_audited_rows() -> None:
    world = people(3, whole=False)
    found = assessed(world)
    assert found is not None
    table = table_of(found)
    assert table.ids == [f"r{i}" for i in world.case.audited]
    assert table.groups == [str(g) for g in world.data.groups[world.case.audited]]  # type: ignore[index]
    # each row's own rehearsals, counted the slow way
    played = world.attempt.rehearsed.played
    times = [sum(bool(p.member[i]) for p in played) for i in world.case.audited]
    assert table.trainings.tolist() == times
    assert (np.isnan(table.when_trained) == (np.array(times) == 0)).all()


def test_only_rows_that_differ_for_good_are_stable() -> None:
    lasting, chance = (risk(0, households=400, trait=t).facts.stable_pairs for t in (2.0, 0.0))
    assert lasting is not None
    assert chance is not None
    assert lasting > 0.6
    assert abs(chance) < 0.1


def test_without_rehearsals_there_are_no_probabilities() -> None:
    assert assessed(people(0, rehearsals=0)) is None
    assert assessed(people(0), name="lira") is None


@pytest.mark.parametrize(("gap", "shadow_gap"), [(0.3, 3.0), (3.0, 0.3)])
@pytest.mark.parametrize("whole", [False, True])
def test_shadows_that_overfit_where_the_target_does_not_are_contradicted(
    gap: float, shadow_gap: float, whole: bool
) -> None:
    """And the reverse: what they state is learned anew, and comes true."""
    found = assessed(people(0, households=500, size=4, gap=gap, shadow_gap=shadow_gap, whole=whole))
    assert found is not None
    assert [(f.code, f.severity) for f in found.findings] == [("risk-miscalibrated", "warning")]
    facts = found.facts
    assert facts.basis == "audited records"
    assert facts.shadow_error.low > 0.1
    assert facts.calibration_error is not None
    assert facts.calibration_error.high < facts.shadow_error.low
    assert facts.calibration_error.low < 0.02
    for band in facts.bands:
        if band.members + band.nonmembers > 200 and band.true is not None and band.stated is not None:
            assert band.true == pytest.approx(band.stated, abs=0.1)
    table = table_of(found)
    assert (table.trainings == 0).all()
    assert facts.stable_pairs is None


def test_shadows_that_are_known_to_be_unlike_the_target_state_nothing() -> None:
    found = assessed(people(0, households=300, gap=1.0), unlike=True)
    assert found is not None
    assert (found.facts.basis, found.findings) == ("audited records", [])
    assert found.facts.reason == "the shadow models are unlike the target"


def test_too_few_audited_records_state_nothing() -> None:
    found = assessed(people(0, households=40, size=2, gap=0.0, shadow_gap=4.0))
    assert found is not None
    assert found.table is None
    assert (found.facts.basis, found.facts.calibration_error, found.facts.file) == ("withheld", None, None)
    assert not any("learned anew." in f.remedy for f in found.findings)
    assert "none are stated" in found.findings[0].explanation


def test_each_record_learns_from_other_persons_only() -> None:
    """On noise, a curve that had seen a row's own person would state too much of it."""
    world = people(1, households=150, size=8, gap=0.0, whole=True)
    found = assessed(world, unlike=True)
    assert found is not None
    table = table_of(found)
    auc = np.mean(table.probability[table.member][:, None] > table.probability[~table.member])
    assert auc < 0.56
    assert found.facts.calibration_error is not None
    assert found.facts.calibration_error.low < 0.02


def test_probabilities_of_households_that_are_alike_are_known_less_well() -> None:
    world = people(0, households=60, size=10, alike=0.9, gap=1.0)
    alone = replace(world, case=replace(world.case, data=replace(world.data, groups=None)))
    wide, narrow = (table_of(found) for found in (assessed(world), assessed(alone)) if found is not None)
    assert wide.probability == pytest.approx(narrow.probability)
    assert float((wide.high - wide.low).mean()) > 1.3 * float((narrow.high - narrow.low).mean())


def test_the_table_is_written_with_the_users_ids(tmp_path: Path) -> None:
    found = risk(0)
    table = table_of(found)
    write_risk(table, tmp_path)
    with (tmp_path / "risk.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["id", "class", "group", "member"]
    assert {r["id"] for r in rows} == set(table.ids)
    stated = [float(r["probability"]) for r in rows]
    assert stated == sorted(stated, reverse=True)
    assert all(float(r["low"]) <= float(r["probability"]) <= float(r["high"]) for r in rows)
    frame = pd.read_parquet(tmp_path / "risk.parquet")
    assert frame["id"].tolist() == [r["id"] for r in rows]
    assert frame["probability"].tolist() == stated


def audited(target: ClassifierMixin, shadow: ClassifierMixin | str, informative: int = 6) -> RiskFacts:
    """What an audit says of 700 + 700 rows of which a fifth have a wrong label."""
    x, y = make_classification(1400, 12, n_informative=informative, flip_y=0.2, random_state=0)
    trainer = shadow if isinstance(shadow, str) else SklearnTrainer(shadow)
    record = gnomon.audit(
        target.fit(x[:700], y[:700]),
        (x[:700], y[:700]),
        (x[700:], y[700:]),
        trainer=trainer,
        shadows=8,
        attacks=("loss",),
        workers=1,
        plan={"preflight": {"override": ["shadows-unlike-target"]}},
    ).record
    assert record.risk is not None
    codes = {f.code for f in record.findings}
    assert ("risk-miscalibrated" in codes) == (record.risk.basis == "audited records")
    return record.risk


def test_a_shallow_tree_before_shadows_that_know_their_rows_by_heart() -> None:
    facts = audited(DecisionTreeClassifier(max_depth=3, random_state=0), RandomForestClassifier(20, random_state=0))
    assert facts.basis == "audited records"
    assert facts.shadow_error.low > 0.1
    assert facts.calibration_error is not None
    assert facts.calibration_error.low < 0.02


def test_clones_state_what_comes_true() -> None:
    facts = audited(RandomForestClassifier(20, min_samples_leaf=4, random_state=0), "clone")
    assert facts.basis == "shadows"
    assert facts.shadow_error.low < 0.05
    top = next(b for b in reversed(facts.bands) if b.members + b.nonmembers > 100)
    assert top.true == pytest.approx(top.stated, abs=0.1)
