"""Studies end to end on a small data set: what is kept, what is run again, what a failing cell does."""

import csv
import json
import shutil
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from gnomon.auditing.settings import Settings
from gnomon.cli.app import run
from gnomon.core.documents.read_write import read_document, read_record
from gnomon.core.documents.study import Study
from gnomon.core.errors import DataError
from gnomon.studies import make_spec, run_study
from gnomon.studies.cells import CellRun, cell_folder
from gnomon.studies.spec import lay_out
from gnomon.studies.vary import VariedKey, parse_vary

PLAN = """
[data]
source = "breast_cancer"
train_size = 150
[trainer]
kind = "sklearn"
estimator = "sklearn.tree:DecisionTreeClassifier"
[shadow]
count = 3
[attacks]
names = ["gap", "loss"]
ladder = false
rehearsals = 0
"""
DEPTHS = "trainer.params.max_depth=1,9"


def plan_values() -> dict[str, object]:
    return tomllib.loads(PLAN)


def small(tmp_path: Path, *axes: VariedKey, repeats: int = 1) -> tuple[Study, list[CellRun]]:
    told: list[CellRun] = []
    spec = make_spec(plan_values(), axes, repeats=repeats)
    return run_study(spec, tmp_path, Settings(workers=1), told=told.append), told


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("study")
    (place / "plan.toml").write_text(PLAN)
    command = ["study", str(place / "plan.toml"), "--vary", DEPTHS, "--vary", "data.train_size=100,150"]
    assert run([*command, "--repeats", "3", "--to", str(place / "out"), "--workers", "1"]) == 0
    return place


def test_the_table_has_a_row_a_cell_seed_and_attack(folder: Path) -> None:
    with (folder / "out" / "study.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3 * 2
    keys = {(r["trainer.params.max_depth"], r["data.train_size"], r["seed"], r["attack"]) for r in rows}
    assert len(keys) == len(rows)
    assert {r["trainer.params.max_depth"] for r in rows} == {"1", "9"}
    frame = pd.read_parquet(folder / "out" / "study.parquet")
    assert list(frame.columns) == list(rows[0])
    assert frame["auc"].tolist() == pytest.approx([float(r["auc"]) for r in rows])


def test_figures_of_the_table_are_those_of_the_records(folder: Path) -> None:
    study = read_document(folder / "out", Study)
    for cell in study.cells:
        record = json.loads((folder / "out" / str(cell.run) / "record.json").read_text())
        assert record["plan"]["seed"] == cell.seed
        assert record["plan"]["trainer"]["params"]["max_depth"] == int(cell.labels["trainer.params.max_depth"])
        assert record["target"]["train_accuracy"] - record["target"]["test_accuracy"] == pytest.approx(cell.gap)
        by_name = {a["name"]: a for a in record["attacks"]}
        for attack in cell.attacks:
            assert attack.auc is not None
            assert attack.auc.value == by_name[attack.name]["auc"]["value"]


def test_curves_are_means_over_seeds_with_students_interval(folder: Path) -> None:
    study = read_document(folder / "out", Study)
    curve = next(
        c
        for c in study.curves
        if c.axis == "trainer.params.max_depth" and c.figure == "gap" and c.fixed == {"data.train_size": "150"}
    )
    deep = curve.points[1]
    own = [
        c.gap for c in study.cells if c.labels == {"trainer.params.max_depth": "9", "data.train_size": "150"} and c.gap
    ]
    assert (deep.label, deep.repeats, deep.interval) == ("9", 3, "student")
    assert deep.mean is not None
    assert deep.mean.value == pytest.approx(sum(own) / 3)
    variance = sum((g - deep.mean.value) ** 2 for g in own) / 2
    assert deep.mean.high - deep.mean.value == pytest.approx(4.302653 * (variance / 3) ** 0.5, rel=1e-5)
    assert curve.points[0].mean is not None
    assert curve.points[0].mean.value < deep.mean.value  # a stump overfits less than a tree


def test_tables_begin_with_the_attack_that_the_verdicts_speak_of(folder: Path) -> None:
    study = read_document(folder / "out", Study)
    spoken = [read_record(folder / "out" / str(cell.run)).verdict.attack for cell in study.cells]
    assert study.headline == max(study.attacks, key=spoken.count)


def test_two_keys_make_heat_tables(folder: Path) -> None:
    study = read_document(folder / "out", Study)
    heats = {heat.figure: heat for heat in study.heats}
    assert set(heats) == {"gap", "precision", "auc"}
    assert [len(row) for row in heats["gap"].cells] == [2, 2]


def test_reports_are_written_and_the_page_needs_nothing(folder: Path) -> None:
    page = (folder / "out" / "study.html").read_text()
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    text = (folder / "out" / "study.md").read_text()
    pictures = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(pictures) > 10
    assert all((folder / "out" / name).read_text().startswith("<svg xmlns") for name in pictures)
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def test_a_study_is_rendered_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(folder / "out"), "--to", str(folder / "again.html")]) == 0
    assert (folder / "again.html").read_text() == (folder / "out" / "study.html").read_text()
    capsys.readouterr()
    assert run(["report", str(folder / "out" / "study.json")]) == 0
    assert "Under Gap (right or wrong)" in capsys.readouterr().out


def test_a_finished_study_runs_nothing_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(folder / "out" / "store")
    command = ["study", str(folder / "plan.toml"), "--vary", DEPTHS, "--vary", "data.train_size=100,150"]
    assert run([*command, "--repeats", "3", "--to", str(folder / "out"), "--workers", "1"]) == 0
    assert not (folder / "out" / "store").exists()  # nothing was trained
    assert read_document(folder / "out", Study).made.reused == 12


def test_a_killed_study_goes_on_and_gives_the_same(tmp_path: Path) -> None:
    axis = parse_vary(DEPTHS)

    class Killed(BaseException):
        pass

    def die(run: CellRun) -> None:
        raise Killed

    spec = make_spec(plan_values(), [axis])
    with pytest.raises(Killed):
        run_study(spec, tmp_path / "a", Settings(workers=1), told=die)
    again, told = [], []
    again = run_study(spec, tmp_path / "a", Settings(workers=1), told=told.append)
    whole = run_study(spec, tmp_path / "b", Settings(workers=1))
    assert [run.reused for run in told] == [True, False]
    assert [c.attacks for c in again.cells] == [c.attacks for c in whole.cells]


def test_a_half_written_cell_is_run_again(tmp_path: Path) -> None:
    _, [first] = small(tmp_path)
    record = first.folder / "record.json"
    record.write_text(record.read_text()[:500])
    study, [again] = small(tmp_path)
    assert not again.reused
    assert study.cells[0].status == "ok"


def test_a_cell_that_fails_is_listed_and_the_rest_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plan.toml").write_text(PLAN)
    command = ["study", str(tmp_path / "plan.toml"), "--vary", "data.train_size=150,9000", "--to", str(tmp_path / "o")]
    assert run([*command, "--workers", "1"]) == 3
    said = capsys.readouterr()
    assert "9000 of 569 rows leave no non-members" in " ".join(said.err.split())
    assert len(said.err.strip().splitlines()) == 1
    study = read_document(tmp_path / "o", Study)
    assert [cell.status for cell in study.cells] == ["ok", "failed"]
    with (tmp_path / "o" / "study.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["ok", "ok", "failed"]
    assert "9000 of 569" in (tmp_path / "o" / "study.md").read_text()


def test_a_changed_file_is_another_cell(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    values = {"data": {"members": "in.csv", "nonmembers": "out.csv"}, "trainer": {"kind": "torch"}}
    file.write_text("x,y\n1,a\n")
    [cell] = lay_out(make_spec(values, folder=tmp_path))
    first = cell_folder(cell, tmp_path)
    file.write_text("x,y\n2,a\n")
    assert cell_folder(cell, tmp_path) != first


def test_the_name_of_a_plan_does_not_make_another_cell(tmp_path: Path) -> None:
    [one], [two] = (lay_out(make_spec({**plan_values(), "name": name})) for name in ("first", "second"))
    assert cell_folder(one, tmp_path) == cell_folder(two, tmp_path)


def test_named_cells_vary_model_types(tmp_path: Path) -> None:
    values = {
        **plan_values(),
        "study": {
            "axis": "model",
            "repeats": 2,
            "cells": [
                {"name": "tree"},
                {"name": "bayes", "trainer": {"estimator": "sklearn.naive_bayes:GaussianNB"}},
            ],
        },
    }
    study = run_study(make_spec(values), tmp_path, Settings(workers=1))
    assert [axis.key for axis in study.axes] == ["model"]
    gap = next(c for c in study.curves if c.figure == "gap")
    assert [p.interval for p in gap.points] == ["range", "range"]
    tree, bayes = (p.mean for p in gap.points)
    assert tree is not None
    assert bayes is not None
    assert tree.value > bayes.value


def test_a_damaged_document_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such study"):
        read_document(tmp_path, Study)
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(DataError, match="not a gnomon study"):
        read_document(tmp_path, Study)
