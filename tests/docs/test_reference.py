"""Reference pages hold every code, command and field that the source has."""

import re
from pathlib import Path

from docs.reference import DOCUMENTS, commands_page, documents_page, findings, findings_page

from gnomon.cli.app import COMMANDS
from gnomon.core import errors

SOURCE = Path(__file__).parents[2] / "src" / "gnomon"


def test_every_code_of_a_finding_stands_in_the_page_with_words() -> None:
    codes = set(re.findall(r"Finding\(\s*code=\"([^\"]+)\"", "\n".join(p.read_text() for p in SOURCE.rglob("*.py"))))
    told, page = findings(), findings_page()
    assert "**What to do.** \n" not in page and "**What to do.** …" not in page
    assert codes <= {one.code for one in told}
    assert {"stored-rows", "small-leaves", "distribution-shift", "scores-reversed"} <= {one.code for one in told}
    for one in told:
        assert re.search(r"\w\w", one.title + one.explanation), f"{one.code} says nothing"
        assert one.severity.split()[0].rstrip(",") in ("error", "warning", "note")
        assert one.remedy or one.severity == "note", f"{one.code}: what to do?"
        assert f"### `{one.code}`" in page


def test_every_error_and_exit_code_stands_in_the_page() -> None:
    page = findings_page()
    for name in (name for name in dir(errors) if name.endswith("Error") and name != "ValidationError"):
        assert name in page
    assert all(f"| {code} |" in page for code in range(5))


def test_every_command_has_its_help() -> None:
    page = commands_page()
    for name in (*COMMANDS, "list", "completion"):
        assert f"## gnomon {name}\n" in page
    assert "--allow-missing" in page


def test_every_document_is_described_field_by_field() -> None:
    page = documents_page()
    schemas = {path.name.removesuffix(".schema.json") for path in (SOURCE.parents[1] / "docs").glob("*.schema.json")}
    assert set(DOCUMENTS) == schemas - {"plan"}, "the plan has a page of its own"
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 250
    assert [line for line in rows if line.rstrip().endswith("|  |")] == []
