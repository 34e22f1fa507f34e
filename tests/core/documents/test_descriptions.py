"""Every property of every published JSON schema has a description; they are made from the code and checked to be."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from gnomon.core.documents.schema import Part

DOCS = Path(__file__).parents[3] / "docs"
SCHEMAS = sorted(DOCS.glob("*.schema.json"))


def properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every property of a document and of its parts, by "Part.name"."""
    parts = {schema["title"]: schema, **schema.get("$defs", {})}
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.get("properties", {}).items()}


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name)
def test_every_property_has_a_description(file: Path) -> None:
    found = properties(json.loads(file.read_text(encoding="utf-8")))
    assert len(found) > 20
    assert [name for name, value in found.items() if len(value.get("description", "")) < 4] == []


def test_all_documents_have_a_schema() -> None:
    names = {file.name.partition(".")[0] for file in SCHEMAS}
    assert names == {"plan", "record", "defence", "comparison", "study", "reproduction", "gate", "check", "annex"}


class Base(Part):  # fmt: skip
    first: int  # behind
    # above, on
    # two lines
    second: dict[str, int]


class Derived(Base):
    # of nobody: a blank line follows

    third: str = "# no comment"
    fourth: str = ""  # "quoted" # twice


def test_a_comment_behind_a_field_or_right_above_it_is_its_description() -> None:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.comments_of(Derived) == {
        "first": "behind",
        "second": "above, on two lines",
        "fourth": '"quoted" # twice',
    }
