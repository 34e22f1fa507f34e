"""What a report says of the model itself."""

from tests.report.sample_records import leaking

from gnomon.core.documents.record_parts import Appetite, StructureFacts, StructureValue
from gnomon.report.audit.structure import structure


def test_nobody_looked_nothing_is_said() -> None:
    assert structure(leaking().model_copy(update={"structure": None})) is None


def test_values_are_held_against_the_appetite() -> None:
    values = [
        StructureValue(code="stored-rows", title="Rows kept", value=1200, limit=0, at_least=False, met=False),
        StructureValue(code="few-degrees-of-freedom", title="Freedom", value=50, limit=10, met=True),
        StructureValue(code="small-leaves", title="Leaves", value=3, met=True),
    ]
    facts = StructureFacts(model="Tree", rows=1, values=values, findings=[], not_read=["Odd"], appetite=Appetite())
    section = structure(leaking().model_copy(update={"structure": facts}))
    assert section is not None
    assert "what it holds of 1 training row." in section.lead
    assert section.notes == ("Parts that this version can't look into: Odd.",)
    cells = [[getattr(cell, "text", cell) for cell in row] for row in section.tables[0].rows]
    assert cells == [
        ["Rows kept", "1,200", "none", "not met"],
        ["Freedom", "50", "10 or more", "met"],
        ["Leaves", "3", "any number", "met"],
    ]
