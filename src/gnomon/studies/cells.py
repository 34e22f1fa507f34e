"""One cell of a study: an ordinary audit, kept in a folder named by what decides it, so that it is not run twice.

The key of a cell is everything that decides its record: the plan (without its name), the bytes of the files that it
names, the modules of the user's own that its code imports, the versions of gnomon, of the record and of what trains
models. Cells of several studies that share a folder are shared where they agree.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gnomon.auditing.inputs.plugins import plugin_contents
from gnomon.auditing.run import audit_plan
from gnomon.auditing.settings import Progress, Settings
from gnomon.core import VERSION
from gnomon.core.arrays import fingerprint
from gnomon.core.documents.read_write import parse_document
from gnomon.core.documents.record import Record
from gnomon.core.documents.schema import Part
from gnomon.core.errors import DataError, GnomonError, StoreError, one_line
from gnomon.core.generations import claim, read_published
from gnomon.core.plan import Plan, make_plan
from gnomon.core.system import DECIDING_PACKAGES, content_digest, package_versions, write_text
from gnomon.models.files import located
from gnomon.models.user_code import user_code
from gnomon.runs.folder import write_audit
from gnomon.studies.spec import CellPlan

RECORD_VERSION = Record.model_fields["version"].default
KEY_LETTERS = 16
NOTE = "cell.json"


class CellNote(Part):
    """What lies beside a cell's record: which cell it is, and how long it took."""

    title: str
    key: str
    seconds: float


@dataclass(frozen=True)
class CellRun:
    """What came of a cell.

    Attributes:
        cell: which one.
        folder: of its record.
        record: None if it could not be carried out.
        reason: why not, in one line; or why a cell that had been carried out was carried out again.
        seconds: that it took, when it was carried out.
        reused: it was finished before.
    """

    cell: CellPlan
    folder: Path
    record: Record | None
    reason: str | None
    seconds: float
    reused: bool


def cell_folder(cell: CellPlan, cells: Path) -> Path:
    """Where the cell's record is kept, under the folder of all cells."""
    return cells / cell_key(cell.plan)[:KEY_LETTERS]


def cell_key(plan: Plan) -> str:
    """Digest of everything that decides the record of a plan.

    Keys that stand at their default do not count, so that a plan keeps its key when gnomon learns a new one.
    """
    values = plan.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    versions = package_versions(DECIDING_PACKAGES)
    contents: list[list[Any]] = [[key, _digest(located(value))] for key, value in plan.named("file")]
    for key, code in plan.named("code"):
        if ":" in code and not code.startswith("sklearn."):
            found = user_code([code.partition(":")[0]])
            contents.append([key, found.modules, found.packages])
    contents += plugin_contents(plan)
    return fingerprint(["cell", VERSION, RECORD_VERSION], versions, values, contents)


def finished(cell: CellPlan, cells: Path) -> CellRun | None:
    """The cell's outcome, if it was carried out before; None also where its folder is damaged."""
    try:
        return _kept(cell, cells)
    except DataError:
        return None


def fits(record: Record, key: str) -> bool:
    """Whether a record is of the plan that a key stands for."""
    try:
        return cell_key(make_plan({k: v for k, v in record.plan.items() if k != "name"})) == key
    except GnomonError:
        return False


def run_cell(cell: CellPlan, cells: Path, settings: Settings, progress: Progress) -> CellRun:
    """The cell's outcome: from its folder, or by an audit; a cell that breaks is data, not the end of a study."""
    damaged = None
    try:
        done = _kept(cell, cells)
    except DataError as error:
        done, damaged = None, f"{one_line(error)}; carried out again"
    if done is not None:
        return done
    folder, start = cell_folder(cell, cells), time.perf_counter()
    settings = replace(settings, store=settings.store or cells.parent / "store")
    try:
        with claim(folder, "audit") as claimed:
            outcome = audit_plan(cell.plan, folder, settings, progress=progress)
            seconds = round(time.perf_counter() - start, 3)
            note = CellNote(title=cell.title, key=cell_key(cell.plan), seconds=seconds)
            with claimed.publish() as place:
                write_audit(outcome, place)
                write_text(place / NOTE, note.model_dump_json(indent=1) + "\n")
    except StoreError:
        raise  # no further cell could be kept either
    except GnomonError as error:
        return _broken(cell, folder, one_line(error), start)
    except Exception as error:
        return _broken(cell, folder, f"{type(error).__name__}: {one_line(error)}", start)
    return CellRun(cell, folder, outcome.record, damaged, seconds, reused=False)


def _kept(cell: CellPlan, cells: Path) -> CellRun | None:
    """What was carried out before.

    Raises:
        DataError: its folder is damaged, or holds the record of another plan.
    """
    folder, key = cell_folder(cell, cells), cell_key(cell.plan)
    published = read_published(folder)
    if published is None:
        return None
    try:
        note = CellNote.model_validate_json(published.files[NOTE])
        record = parse_document(published.files["record.json"], Record, folder / "record.json")
    except (ValidationError, KeyError):
        raise DataError(f"{folder}: is not the folder of a cell") from None
    if note.key != key or not fits(record, key):
        raise DataError(f"{folder}: holds the record of another plan than this cell's")
    return CellRun(cell, folder, record, None, note.seconds, reused=True)


def _broken(cell: CellPlan, folder: Path, reason: str, start: float) -> CellRun:
    return CellRun(cell, folder, None, reason, round(time.perf_counter() - start, 3), reused=False)


def _digest(path: Path) -> str:
    try:
        return content_digest(path)
    except OSError:
        return "missing"  # the audit says so in its own words
