"""Where a document contradicts what lies next to it: a record its scores, a study or a comparison its audits.

Each may fit its manifest, which anybody can write who can write the folder. What scores decide is told from them anew.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

import numpy as np
from pydantic import BaseModel

from gnomon.core.arrays import Floats
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.record import Record
from gnomon.core.documents.schema import Estimate
from gnomon.core.documents.study import Study

SAME = 1e-6  # in an area: rounding


def contradiction(document: BaseModel) -> str | None:
    """What can't be in any document, in words: an interval whose ends are crossed, an area that is none; else None."""
    crossed = next((e for e in _estimates(document) if e.low > e.high), None)
    if crossed is not None:
        return f"an interval from {crossed.low:g} to {crossed.high:g}"
    if isinstance(document, Record):
        areas = [(a.name, a.auc.value) for a in document.attacks if a.auc is not None]
        return next((f"{name} with an AUC of {area:g}" for name, area in areas if not 0 <= area <= 1), None)
    return None


def unlike_scores(record: Record, files: Mapping[str, bytes]) -> str | None:
    """What a record says and its scores do not, in words; else None.

    Args:
        record: of an audit.
        files: the results that lie next to it, by name.
    """
    named = {a.name: a.scores_file for a in record.attacks if a.scores_file is not None}
    if not named:
        return None
    foreign = next((file for file in named.values() if file not in files), None)
    if foreign is not None:
        return f"names {foreign}, which is not of this run"
    member = _load(files.get("scores/member.npy", b"")).astype(bool)
    inside, outside = int(member.sum()), int((~member).sum())
    if (inside, outside) != (record.data.members, record.data.nonmembers):
        said = f"{record.data.members} members and {record.data.nonmembers} non-members"
        return f"says {said}, next to it lie scores of {inside} and {outside}"
    for attack in record.attacks:
        if attack.name in named and attack.auc is not None:
            scores = _load(files[named[attack.name]])
            found = _area(scores[member], scores[~member]) if scores.shape == member.shape else float("nan")
            if not abs(found - attack.auc.value) <= SAME:
                return f"says that {attack.name} has an AUC of {attack.auc.value:.6g}, its scores give {found:.6g}"
    return None


def unlike_audits(document: Study | DefenceReport, read: Callable[[str], Record | None]) -> str | None:
    """What a study or a comparison says and one of its audits does not, in words; else None.

    Args:
        document: the study or the comparison.
        read: the record in a folder, named from the document's; None where there is none.
    """
    for folder, areas in _audits(document):
        parts = PurePosixPath(folder).parts
        if folder.startswith("/") or ".." in parts:
            return f"names an audit elsewhere, {folder}"
        record = read(folder)
        if record is None:
            continue
        found = {a.name: None if a.auc is None else a.auc.value for a in record.attacks}
        other = next((name for name, area in areas.items() if found.get(name) != area), None)
        if other is not None:
            return (
                f"says that {other} has an AUC of {areas[other]} in {folder}, the audit there says {found.get(other)}"
            )
    return None


def _audits(document: Study | DefenceReport) -> Iterator[tuple[str, dict[str, float]]]:
    """Folders of audits, and the areas that the document says of their attacks."""
    if isinstance(document, Study):
        for cell in document.cells:
            if cell.run is not None:
                yield cell.run, {a.name: a.auc.value for a in cell.attacks if a.auc is not None}
    else:
        for row in document.results:
            if row.folder is not None:
                yield row.folder, {leak.attack: leak.auc.value for leak in row.attacks if leak.auc is not None}


def _estimates(part: object) -> Iterator[Estimate]:
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Estimate):
            yield one
        elif isinstance(one, BaseModel):
            waiting += [getattr(one, name) for name in type(one).model_fields]
        elif isinstance(one, list):
            waiting += one if one and isinstance(one[0], (BaseModel, list)) else []
        elif isinstance(one, dict):
            waiting += one.values()


def _load(content: bytes) -> Floats:
    """An array; an empty one where the file holds none, which no record fits."""
    try:
        found: Floats = np.load(io.BytesIO(content), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return np.empty(0)
    return found


def _area(inside: Floats, outside: Floats) -> float:
    """Chance that a score of the first is above one of the second, ties one half."""
    below = np.sort(outside)
    places = np.searchsorted(below, inside, "left") + np.searchsorted(below, inside, "right")
    return float(places.mean() / 2 / len(below)) if len(inside) and len(below) else float("nan")
