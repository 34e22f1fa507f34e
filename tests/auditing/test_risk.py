"""The risk of single records: calibrated on toy people, one half on noise, stable where rows differ for good."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.auditing.worlds import People, people

from gnomon.auditing.folder import write_risk
from gnomon.auditing.risk import Risk, assess_risk
from gnomon.core.seeds import Seeds


def assessed(world: People, name: str = "loss") -> Risk | None:
    return assess_risk(name, [world.attempt], world.case, world.data, world.roles, world.plan, Seeds(0))


def risk(seed: int, **settings: float) -> Risk:
    found = assessed(people(seed, whole=False, **settings))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_probabilities_come_true() -> None:
    errors = [risk(seed, households=600, gap=2.0).facts.calibration_error for seed in range(5)]
    assert np.mean(errors) < 0.025
    facts = risk(0, households=600, gap=2.0).facts
    assert facts.mean_members > 0.75
    assert facts.mean_nonmembers < 0.25
    for band in facts.bands:
        if band.members + band.nonmembers > 100 and band.true is not None and band.stated is not None:
            assert band.true == pytest.approx(band.stated, abs=0.1)


def test_on_noise_everybody_has_about_one_half() -> None:
    table = risk(0, households=600, gap=0.0).table
    assert np.abs(table.probability - 0.5).mean() < 0.03
    assert ((table.low <= 0.52) & (table.high >= 0.48)).mean() > 0.9


def test_the_table_stands_in_the_order_of_the_audited_rows() -> None:
    world = people(3, whole=False)
    found = assessed(world)
    assert found is not None
    assert found.table.ids == [f"r{i}" for i in world.case.audited]
    assert found.table.groups == [str(g) for g in world.data.groups[world.case.audited]]  # type: ignore[index]
    # each row's own rehearsals, counted the slow way
    played = world.attempt.rehearsed.played
    times = [sum(bool(p.member[i]) for p in played) for i in world.case.audited]
    assert found.table.trainings.tolist() == times
    assert (np.isnan(found.table.when_trained) == (np.array(times) == 0)).all()


def test_only_rows_that_differ_for_good_are_stable() -> None:
    lasting, chance = (risk(0, households=400, trait=t).facts.stable_pairs for t in (2.0, 0.0))
    assert lasting is not None
    assert chance is not None
    assert lasting > 0.6
    assert abs(chance) < 0.1


def test_without_rehearsals_there_are_no_probabilities() -> None:
    assert assessed(people(0, rehearsals=0)) is None
    assert assessed(people(0), name="lira") is None


def test_the_table_is_written_with_the_users_ids(tmp_path: Path) -> None:
    found = risk(0)
    write_risk(found.table, tmp_path)
    with (tmp_path / "risk.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["id", "class", "group", "member"]
    assert {r["id"] for r in rows} == set(found.table.ids)
    stated = [float(r["probability"]) for r in rows]
    assert stated == sorted(stated, reverse=True)
    assert all(float(r["low"]) <= float(r["probability"]) <= float(r["high"]) for r in rows)
    frame = pd.read_parquet(tmp_path / "risk.parquet")
    assert frame["id"].tolist() == [r["id"] for r in rows]
    assert frame["probability"].tolist() == stated
