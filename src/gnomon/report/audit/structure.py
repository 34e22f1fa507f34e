"""What a report says of the model itself: the rows that it holds, seen without an attack."""

from __future__ import annotations

from gnomon.core.documents.record import Record
from gnomon.core.documents.record_parts import StructureFacts, StructureValue
from gnomon.report.formatting import count, counted
from gnomon.report.sections import Cell, Remark, Section, Table, table


def structure(record: Record) -> Section | None:
    """Values against the risk appetite, and findings; nothing where nobody looked into the model."""
    found = record.structure
    if found is None:
        return None
    remarks = tuple(
        Remark(f.severity, f.severity.capitalize(), f.title, (f.explanation, f"What to do: {f.remedy}"), f.code)
        for f in found.findings
    )
    whole = structure_table(found)
    lead = (
        f"Seen by looking into the model, without any attack: what it holds of {counted(found.rows, 'training row')}. "
        "Whoever gets the file sees the same."
    )
    unread = [f"Parts that this version can't look into: {', '.join(found.not_read)}."] if found.not_read else []
    return Section(
        "structure",
        "What the model itself holds",
        lead,
        remarks=remarks,
        facts=(("The model", found.model),),
        tables=(whole,),
        notes=tuple(unread),
        short="Structure",
        brief=tuple(f"{f.severity}: {f.title} ({f.code})" for f in found.findings) or (whole,),
    )


def structure_table(found: StructureFacts) -> Table:
    """What was measured, against the risk appetite."""
    rows = [
        (v.title, count(round(v.value)).replace("-", "−"), _limit(v), Cell("met" if v.met else "not met"))
        for v in found.values
    ]
    return table("structure", "Held against the risk appetite", ("Measure", "Value", "Accepted", "Result"), rows)


def _limit(value: StructureValue) -> Cell:
    if value.limit is None:
        return Cell("any number", muted=True)
    if not value.at_least and value.limit == 0:
        return Cell("none")
    return Cell(f"{count(round(value.limit))} or {'more' if value.at_least else 'fewer'}")
