"""The documents that commands leave in folders: one reader, one writer, and one message for what can't be read.

A record may contradict its scores, a study or a comparison its audits, though each fits its manifest, which anybody can
write who can write the folder. What scores decide is worked out from them anew.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from gnomon.core.arrays import Floats
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.record import Audited, Record, record_of
from gnomon.core.documents.reproduction import Reproduction
from gnomon.core.documents.schema import Estimate, Part
from gnomon.core.documents.study import Study
from gnomon.core.errors import DataError, expect, one_line
from gnomon.core.generations import read_published
from gnomon.core.system import write_text

D = TypeVar("D", bound=Part)

# in JSON they stand within strings only; those below U+0020 are escaped in any case
_ODD_NUMBER = re.compile(r"NaN|Infinity|\d[eE]\+?\d{3}|\d{300}")  # all that can stand for a number that is none
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_STEERING = re.compile("[\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ufeff]")

FILES: MappingProxyType[str, type[Record | DefenceReport | Study | Reproduction]] = MappingProxyType(
    {"record.json": Record, "defence.json": DefenceReport, "study.json": Study, "reproduction.json": Reproduction}
)


def read_document(path: Path, kind: type[D]) -> D:
    """Reads a document of one kind: the file itself, or the folder that holds it.

    Where a manifest lies next to it, all of the results must fit it.

    Raises:
        DataError: no such file, not JSON, not a document of this kind and version, or damaged or foreign results.
    """
    name = file_of(kind)
    word = name.removesuffix(".json")
    file = path / name if path.is_dir() else path
    published = read_published(file.parent) if file.name in FILES else None
    if published is None and file.name in FILES and (file.parent / "scores" / "ids.npy").is_file():
        raise DataError(
            f"{file.parent}: holds scores but no manifest, so nothing says whose they are; run the audit again"
        )
    try:
        if published is not None and file.name in published.files:
            return belonging(parse_document(published.files[file.name], kind, file), published.files, file)
        if file.exists() and not file.is_file():
            raise DataError(f"{file}: expected a file, got a folder, a pipe or a device")
        return parse_document(file.read_bytes(), kind, file)
    except FileNotFoundError:
        raise DataError(f"{file}: no such {word}; expected its folder or its {name}") from None
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error})") from None


def belonging(document: D, files: Mapping[str, bytes], file: Path) -> D:
    """A document that fits what lies next to it.

    Args:
        document: read from a folder with a manifest.
        files: the folder's results, by name.
        file: that it was read from.

    Raises:
        DataError: it says what its scores, or the audits in its folder, do not.
    """
    found = None
    if isinstance(document, Record):
        found = unlike_scores(document, files)
    elif isinstance(document, (Study, DefenceReport)):
        found = unlike_audits(document, partial(_audit_in, file.parent))
    if found is not None:
        raise DataError(f"{file}: {found}; they do not belong together, so run the command again that made it")
    return document


def _audit_in(folder: Path, name: str) -> Record | None:
    return read_document(folder / name, Record) if (folder / name / "record.json").is_file() else None


def parse_document(content: bytes, kind: type[D], file: Path) -> D:
    """A document from the content of a file.

    Raises:
        DataError: not JSON, not a document of this kind and version, or a number in it that is none.
    """
    word = file_of(kind).removesuffix(".json")
    try:
        text = content.decode("utf-8")
        document = kind.model_validate_json(text)
        suspect = _ODD_NUMBER.search(text) and _ODD_NUMBER.search(_TEXT.sub("", text))  # digests look like numbers
        odd = next(_not_finite(json.loads(text)), None) if suspect else None
    except (UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{file}: cannot be read ({error})") from None
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "document"
        raise DataError(f"{file}: not a gnomon {word} of version 1 ({place}: {problem['msg']})") from None
    if odd is not None:
        raise DataError(f"{file}: not a gnomon {word} of version 1 ({odd}: expected a finite number)")
    strange = contradiction(document)
    if strange is not None:
        raise DataError(f"{file}: not a gnomon {word} of version 1 ({strange})")
    return document


def _not_finite(value: Any, place: str = "") -> Iterator[str]:
    """Places of numbers that are none; gnomon writes null there."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from _not_finite(entry, f"{place}.{key}" if place else str(key))


def read_any(path: Path) -> Record | DefenceReport | Study | Reproduction:
    """Reads the document that a folder holds, or that a file's name says it is; a record where nothing says.

    Raises:
        DataError: no such file, not JSON, or not a document of its kind and version.
    """
    published = read_published(path)
    there = () if published is None else tuple(published.files)
    names = (name for name in FILES if path.name == name or name in there or (path / name).is_file())
    return read_document(path, FILES[next(names, "record.json")])


def write_document(document: Part, path: Path) -> None:
    """Writes a document atomically: a reader sees the old file or the new one, never half of one."""
    write_text(path, document_text(document))


def document_text(document: Part) -> str:
    """A document as JSON; characters that steer a terminal or turn text around are written as escapes, as JSON can."""
    try:
        text = document.model_dump_json(indent=1)
    except PydanticSerializationError as error:
        raise DataError(
            f"the {file_of(type(document)).removesuffix('.json')} can't be written ({one_line(error)})"
        ) from None
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def file_of(kind: type[Part]) -> str:
    """What the file of a kind of document is called.

    >>> file_of(Study)
    'study.json'
    """
    return next(name for name, known in FILES.items() if known is kind)


def read_record(path: str | Path) -> Record:
    """Reads the record of a run: its folder, or its record.json.

    Raises:
        UsageError: ``path`` is no path.
        DataError: no such file, not JSON, or not a record of this version.
    """
    expect("path", path, (str, Path), "the folder of a run, or its record.json")
    return read_document(Path(path), Record)


def write_record(record: Record | Audited, path: str | Path) -> None:
    """Writes a record to a file, atomically.

    Raises:
        UsageError: not a record, or no path.
        StoreError: the file can't be written.
    """
    expect("path", path, (str, Path), "the name of a file")
    write_document(record_of(record), Path(path))


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
            waiting += [value for value in vars(one).values() if isinstance(value, (BaseModel, list, dict))]
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
