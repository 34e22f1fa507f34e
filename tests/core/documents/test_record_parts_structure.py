"""The risk appetite: cautious by default, and no nonsense in it."""

import pytest
from pydantic import ValidationError

from gnomon.core.documents.record_parts import Appetite, StructureFacts, StructureValue


def test_the_defaults_accept_no_stored_row() -> None:
    cautious = Appetite()
    assert (cautious.stored_rows, cautious.pure_leaves, cautious.refuse) == (0, False, ("stored-rows",))


@pytest.mark.parametrize(
    "values", [{"stored_rows": -1}, {"leaf_rows": 0}, {"same_answers": 0}, {"refuse": ["stored rows"]}, {"leaves": 3}]
)
def test_what_cannot_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Appetite.model_validate(values)


def test_facts_come_back_as_they_were_written() -> None:
    value = StructureValue(code="small-leaves", title="Leaves", value=3, limit=0, at_least=False, met=False)
    facts = StructureFacts(model="Tree", rows=9, values=[value], findings=[], appetite=Appetite(leaf_rows=4))
    assert StructureFacts.model_validate_json(facts.model_dump_json()) == facts
