"""A finding of the structure closes the gate, in every format, and nothing that nobody looked at opens it."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import gnomon
from gnomon.auditing.outcome import Outcome
from gnomon.cli.app import run
from gnomon.core.documents.read_write import write_record
from gnomon.core.documents.record import Record
from gnomon.core.errors import UsageError
from gnomon.report.pipelines import sarif
from gnomon.runs.base import limits_from
from gnomon.runs.gate import gate
from gnomon.runs.limits import parse_limit


def audited(model: object) -> Outcome:
    x, y = load_breast_cancer(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(x))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    inside, outside = rows[:280], rows[280:]
    model.fit(x[inside], y[inside])  # type: ignore[attr-defined]
    return gnomon.audit(
        model, (x[inside], y[inside]), (x[outside], y[outside]), shadows=0, trainer=None, attacks=("gap",), workers=1
    )


@pytest.fixture(scope="module")
def neighbours() -> Record:
    return audited(KNeighborsClassifier(3, weights="distance")).record


@pytest.fixture(scope="module")
def linear() -> Record:
    return audited(LogisticRegression(C=0.01)).record


def test_stored_rows_close_the_gate_whatever_the_attacks_found(neighbours: Record) -> None:
    assert gate(neighbours, ["auc<=1"]).code == 0
    strict = gate(neighbours, ["structure<=note"])
    subjects = {one.subject for one in strict.held}
    assert {f"risky-parameter KNeighborsClassifier: {name}" for name in ("n_neighbors", "weights")} <= subjects
    prints = [
        r["partialFingerprints"]["gnomonLimit/v1"] for r in json.loads(sarif(strict, Path("run")))["runs"][0]["results"]
    ]
    assert len(set(prints)) == len(prints) == len(subjects)  # each is an alert of its own
    result = gate(neighbours, ["auc<=1", "structure<=warning"])
    assert result.code == 1
    [closing] = [one for one in result.held if one.state == "not met"]
    assert (closing.finding, closing.attack) == ("stored-rows", None)
    assert "Training rows in the model itself: 280" in closing.line and closing.line.endswith("limit warning")


def test_a_model_that_keeps_no_rows_meets_it_and_stricter_limits_name_the_warnings(linear: Record) -> None:
    assert gate(linear, ["structure<=warning"]).code == 0
    codes = {f.code for f in linear.structure.findings}
    strict = gate(linear, ["structure<=note"])
    assert strict.code == 1 and {one.finding for one in strict.held} == codes == {"unique-answers"}


def test_where_nobody_looked_or_a_part_is_unread_nothing_is_met(linear: Record) -> None:
    blind = linear.model_copy(update={"structure": None})
    assert gate(blind, ["structure<=warning"]).code == 4
    unread = linear.structure.model_copy(update={"not_read": ["Odd"]})
    assert gate(linear.model_copy(update={"structure": unread}), ["structure<=warning"]).code == 4


@pytest.mark.parametrize("text", ["structure<=error", "structure<=0.5", "structure<=Warning"])
def test_another_grade_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected structure<=none, note or warning|expected \[ATTACK"):
        parse_limit(text)


def test_every_format_says_it_and_the_default_holds_it(
    neighbours: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record(neighbours, tmp_path / "record.json")
    places = [tmp_path / f"gate.{ending}" for ending in ("xml", "sarif", "json", "md", "txt")]
    words = [word for place in places for word in ("--to", str(place))]
    assert run(["gate", str(tmp_path / "record.json"), *words]) == 1
    assert "stored-rows" in capsys.readouterr().out
    suite = ElementTree.parse(places[0]).getroot()[0]
    assert [case.get("name") for case in suite if case.find("failure") is not None] == [
        "stored-rows structure<=warning"
    ]
    log = json.loads(places[1].read_text())["runs"][0]
    [result] = [one for one in log["results"] if one["ruleId"] == "structure<=warning"]
    assert (result["kind"], result["level"]) == ("fail", "error")
    rule = log["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["shortDescription"]["text"].endswith("may be worse than: warning")
    assert [one["finding"] for one in json.loads(places[2].read_text())["held"] if one["finding"]] == ["stored-rows"]
    assert "| `structure<=warning` | stored-rows |" in places[3].read_text()
    assert "not met: structure" in places[4].read_text()


def test_a_base_passes_its_own_grade_on(linear: Record, neighbours: Record) -> None:
    texts = [limit.text for limit in limits_from(linear, 0.1).limits.limits]
    assert "structure<=warning" in texts
    assert gate(linear, ["structure<=warning"]).code == 0 and gate(neighbours, ["structure<=warning"]).code == 1
