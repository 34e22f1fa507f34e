"""A model card's section says what the record says, names nobody, and its metadata is YAML."""

from collections.abc import Callable
from html import unescape

import pytest
from tests.report import sample_records

from gnomon.cli.app import run
from gnomon.core.documents.read_write import write_record
from gnomon.core.documents.record import Record
from gnomon.report import render
from gnomon.report.audit.attacks import headliner
from gnomon.report.formatting import clean, number


@pytest.mark.parametrize("name", sample_records.ALL)
def test_every_record_has_a_card_that_names_no_record(name: str) -> None:
    made = sample_records.ALL[name]()
    text = render(made, "card")
    assert text.startswith("## Privacy: membership inference\n")
    assert "lower bound" in text
    assert "<script" not in text
    for line in made.not_tried:
        assert clean(line) in unescape(text.replace("\\", ""))
    assert [e.id for e in made.exposed if len(e.id) > 3 and f" {e.id} " in text] == []


def test_values_stand_with_their_intervals() -> None:
    made = sample_records.leaking()
    attack = headliner(made)
    assert attack is not None
    assert attack.auc is not None
    text = render(made, "card")
    low, high = number(attack.auc.low), number(attack.auc.high)
    assert f"| {number(attack.auc.value)} ({low} to {high}) |" in text


@pytest.mark.parametrize("make", [sample_records.leaking, sample_records.hostile])
def test_metadata_is_a_model_index(make: Callable[[], Record]) -> None:
    yaml = pytest.importorskip("yaml")
    made = make()
    block = render(made, "card").split("```yaml\n")[1].split("```")[0]
    [entry] = yaml.safe_load(block)["model-index"]
    assert entry["name"] == clean(made.name)
    [result] = entry["results"]
    attack = headliner(made)
    assert attack is not None
    assert attack.auc is not None
    assert result["metrics"][0]["value"] == pytest.approx(attack.auc.value, rel=1e-3)
    assert {"type", "name"} <= set(result["task"]) & set(result["dataset"])


def test_the_command_prints_it(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    write_record(sample_records.leaking(), tmp_path / "record.json")
    assert run(["report", str(tmp_path), "--format", "card"]) == 0
    assert capsys.readouterr().out == render(sample_records.leaking(), "card")
    assert run(["report", str(tmp_path), "--format", "card", "--json"]) == 2
    assert run(["report", str(tmp_path), "--format", "cards"]) == 2
