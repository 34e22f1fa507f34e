"""What a bench of the same plan has measured, put into a record's advice."""

from __future__ import annotations

from pathlib import Path

from gnomon.core.documents.decision import Measured, ToDo
from gnomon.core.documents.defence import DefenceReport, MitigationResult
from gnomon.core.documents.read_write import read_document
from gnomon.core.documents.record import Record
from gnomon.core.errors import GnomonError

SAME = ("data", "trainer", "shadow", "seed", "view", "mitigations")  # tables of a plan that make it the same audit


def with_bench(record: Record, run: Path) -> Record:
    """The record with the numbers of the bench that ``gnomon defend`` left next to the run (``RUN-defend``), if any.

    A bench of another plan, or of other rows, is no evidence for this one and is left out.
    """
    folder = (run if run.is_dir() else run.parent).resolve()  # "." and ".." have no name to look next to
    place = folder.parent / f"{folder.name}-defend"
    if record.decision is None or not (place / "defence.json").is_file():
        return record
    try:
        bench = read_document(place, DefenceReport)
    except GnomonError:
        return record  # damaged, or being written: the bench says so itself
    return add_bench(record, bench)


def add_bench(record: Record, bench: DefenceReport) -> Record:
    """The record with what a bench measured of each mitigation that its advice names; unchanged for another plan."""
    if record.decision is None or not bench.results or not _same(record, bench):
        return record
    to_do = [_filled(one, bench) for one in record.decision.to_do]
    return record.model_copy(update={"decision": record.decision.model_copy(update={"to_do": to_do})})


def _same(record: Record, bench: DefenceReport) -> bool:
    theirs, ours = bench.provenance.fingerprints, record.provenance.fingerprints
    prints = all(theirs.get(name) == ours.get(name) for name in ("data", "members", "nonmembers"))
    return prints and all(bench.plan.get(name) == record.plan.get(name) for name in SAME)


def _filled(one: ToDo, bench: DefenceReport) -> ToDo:
    names = {_name(label) for label in one.tries}
    plain = bench.results[0]
    found = [_measured(row, plain, bench.fpr) for row in bench.results[1:] if _name(row.label) in names]
    return one.model_copy(update={"measured": found})


def _name(label: str) -> str:
    """A mitigation without its strength: a bench may have tried another."""
    return label.partition(":")[0].rstrip("0123456789") or label


def _measured(row: MitigationResult, plain: MitigationResult, fpr: float | None) -> Measured:
    before, after = (None if r.strongest is None else r.strongest.leak.at(fpr) for r in (plain, row))
    return Measured(
        label=row.label,
        effect=row.effect,
        before=before,
        after=after,
        fpr=fpr,
        accuracy=row.utility.change if row.utility else None,
    )
