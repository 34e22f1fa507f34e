from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.report import sample_records

from gnomon import report
from gnomon.core.documents.read_write import read_record, write_record
from gnomon.core.documents.record import Record
from gnomon.core.errors import UsageError
from gnomon.report import FORMATS, render, write_report


def test_json_is_the_record(record: Record, tmp_path: Path) -> None:
    write_report(record, tmp_path / "record.json")
    write_record(record, tmp_path / "again.json")
    assert (tmp_path / "record.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    assert read_record(tmp_path) == record


@pytest.mark.parametrize(
    ("name", "start"),
    [("r.html", "<!DOCTYPE html>"), ("r.HTM", "<!DOCTYPE"), ("r.md", "# "), ("r.txt", "┏"), ("r.json", "{")],
)
def test_the_extension_says_the_format(tmp_path: Path, name: str, start: str) -> None:
    write_report(sample_records.bare(), tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


@pytest.mark.parametrize("name", ["report.docx", "report"])
def test_an_unknown_extension_is_refused_with_what_is_known(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"no report has this extension \(known: .*\.html, \.json"):
        write_report(sample_records.bare(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match='got "pdf"'):
        render(sample_records.bare(), "pdf")


@pytest.mark.parametrize("format", FORMATS)
def test_a_record_of_an_older_version_renders(format: str, tmp_path: Path) -> None:
    """Fields are only ever added, with a default: what an old file lacks is what a default fills in."""
    required = {
        "name", "plan_given", "plan", "verdict", "data", "target", "shadows", "threat_model", "findings", "attacks",
        "exposed", "not_tried", "recipe", "provenance",
    }  # fmt: skip
    old = {key: value for key, value in sample_records.leaking().model_dump(mode="json").items() if key in required}
    old["attacks"] = [
        {key: attack[key] for key in ("name", "title", "paper", "status", "auc")} for attack in old["attacks"]
    ]
    del old["verdict"]["chosen_on"], old["provenance"]["peak_memory_mb"], old["provenance"]["fingerprints"]
    old["shadows"] = {key: old["shadows"][key] for key in ("count", "size", "source")}
    (tmp_path / "record.json").write_text(json.dumps(old), encoding="utf-8")
    text = render(read_record(tmp_path), format)
    assert "0.967" in text


def test_an_attack_without_some_of_its_figures_renders() -> None:
    whole = sample_records.leaking()
    for field in ("auc", "roc", "histogram", "at_threshold", "oracle", "advantage"):
        attacks = [attack.model_copy(update={field: None}) for attack in whole.attacks[:2]]
        page = render(whole.model_copy(update={"attacks": attacks}), "html")
        assert all(attack.title in page for attack in attacks)
    for field in ("tpr_at_fpr", "precision_at_prior", "classes"):
        attacks = [attack.model_copy(update={field: []}) for attack in whole.attacks[:2]]
        assert "All attacks" in render(whole.model_copy(update={"attacks": attacks}), "html")


def test_one_audited_non_member_is_enough_to_draw() -> None:
    record = sample_records.leaking()
    few = record.model_copy(update={"data": record.data.model_copy(update={"members": 1, "nonmembers": 1})})
    assert "<svg" in render(few, "html")


def test_public_names() -> None:
    assert report.__all__ == sorted(report.__all__)
    assert all(hasattr(report, name) for name in report.__all__)
