"""The documents that commands leave in folders: one reader, one writer, and one message for what can't be read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from gnomon.core.documents.contradictions import contradiction, unlike_audits, unlike_scores
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.record import Audited, Record, record_of
from gnomon.core.documents.reproduction import Reproduction
from gnomon.core.documents.schema import Part
from gnomon.core.documents.study import Study
from gnomon.core.errors import DataError, expect, one_line
from gnomon.core.files import write_text
from gnomon.core.generations import read_published

D = TypeVar("D", bound=Part)

# in JSON they stand within strings only; those below U+0020 are escaped in any case
_ODD_NUMBER = re.compile(r"NaN|Infinity|[eE]\+?\d{3}|\d{300}")  # all that can stand for a number that is none
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
        odd = next(_not_finite(json.loads(text)), None) if _ODD_NUMBER.search(text) else None
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
