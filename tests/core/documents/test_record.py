"""A record loads again as it was, also one that was written before later fields were added."""

import json
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError
from tests.report import sample_records

from gnomon.core.documents import record, record_parts, schema
from gnomon.core.documents.record import Record

PARTS = [
    kind
    for module in (record, record_parts, schema)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, schema.Part) and kind is not schema.Part
]


@pytest.mark.parametrize("name", sorted(sample_records.ALL))
def test_a_record_survives_json(name: str) -> None:
    written = sample_records.ALL[name]()
    assert Record.model_validate_json(written.model_dump_json()) == written


def required_only(kind: type[BaseModel], value: dict[str, Any]) -> dict[str, Any]:
    """A document without any field that has a default, here and in its parts: what the first version could hold."""
    kept = {}
    for key, field in kind.model_fields.items():
        if field.is_required():
            kept[key] = _without(field.annotation, value[key])
    return kept


def _without(annotation: Any, value: Any) -> Any:
    kinds = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)]
    if kinds and isinstance(value, dict):
        return required_only(kinds[0], value)
    if kinds and isinstance(value, list):
        return [required_only(kinds[0], one) for one in value]
    return value


def test_a_record_without_any_later_field_loads() -> None:
    full = json.loads(sample_records.ALL[min(sample_records.ALL)]().model_dump_json())
    early = required_only(Record, full)
    assert len(json.dumps(early)) < len(json.dumps(full))
    loaded = Record.model_validate(early)
    assert loaded.verdict.level == full["verdict"]["level"]
    assert [a.name for a in loaded.attacks] == [a["name"] for a in full["attacks"]]


def test_a_level_that_does_not_exist_is_refused() -> None:
    full = json.loads(sample_records.ALL[min(sample_records.ALL)]().model_dump_json())
    full["verdict"]["level"] = "safe"
    with pytest.raises(ValidationError, match=r"verdict\.level"):
        Record.model_validate(full)


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.__name__)
def test_every_part_is_frozen_closed_and_says_what_it_is(kind: type[schema.Part]) -> None:
    assert (kind.model_config.get("extra"), kind.model_config.get("frozen")) == ("forbid", True)
    assert (kind.__doc__ or "").strip().endswith((".", "?"))
