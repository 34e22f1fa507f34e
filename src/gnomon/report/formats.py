"""One record, four formats: by name, or by the extension of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from gnomon.core.errors import UsageError, did_you_mean
from gnomon.core.record import Record, write_text
from gnomon.report.html import render_html
from gnomon.report.markdown import render_markdown
from gnomon.report.terminal import render_terminal

Renderer = TypeVar("Renderer", bound=Callable[..., str])


def _render_json(record: Record) -> str:
    return record.model_dump_json(indent=1) + "\n"


_RENDERERS: MappingProxyType[str, Callable[[Record], str]] = MappingProxyType(
    {"html": render_html, "json": _render_json, "md": render_markdown, "terminal": render_terminal}
)
_EXTENSIONS = MappingProxyType(
    {".htm": "html", ".html": "html", ".json": "json", ".markdown": "md", ".md": "md", ".txt": "terminal"}
)
FORMATS = tuple(_RENDERERS)


def render(record: Record, format: str) -> str:
    """The record as text in one format.

    Args:
        record: what `gnomon.audit` returned or `gnomon.core.record.read_record` read.
        format: ``"html"`` (one self-contained file), ``"md"``, ``"json"`` or ``"terminal"`` (plain text, 80 columns).

    Returns:
        The whole document, with a newline at its end.

    Raises:
        UsageError: an unknown format.

    >>> render(None, "htlm")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: expected a report's format, got "htlm" (did you mean "html"?)
    """
    return renderer_of("report", format, _RENDERERS)(record)


def renderer_of(document: str, format: str, renderers: Mapping[str, Renderer]) -> Renderer:
    """What renders a kind of document ("report", "bench") in one format.

    Raises:
        UsageError: an unknown format.
    """
    if format not in renderers:
        raise UsageError(f'expected a {document}\'s format, got "{format}"{did_you_mean(format, renderers)}')
    return renderers[format]


def format_of(path: Path) -> str:
    """The format that a file's extension asks for.

    Raises:
        UsageError: an extension that no format has.

    >>> format_of(Path("runs/demo/report.html")), format_of(Path("notes.TXT"))
    ('html', 'terminal')
    >>> format_of(Path("report.pdf"))
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: report.pdf: no report has this extension (known: .htm, .html, .json, .markdown, ...)
    """
    extension = path.suffix.lower()
    if extension not in _EXTENSIONS:
        raise UsageError(f"{path}: no report has this extension{did_you_mean(extension, _EXTENSIONS)}")
    return _EXTENSIONS[extension]


def write_report(record: Record, path: str | Path) -> None:
    """Writes the record in the format that the path's extension asks for, atomically.

    Raises:
        UsageError: an extension that no format has; nothing is written.
    """
    place = Path(path)
    write_text(place, render(record, format_of(place)))
