"""Any document in any format: by name, or by the extension of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.console import Console

from gnomon.core.documents.annex import Annex
from gnomon.core.documents.comparison import Comparison
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.read_write import document_text
from gnomon.core.documents.record import Audited, Record, record_of
from gnomon.core.documents.reproduction import Reproduction
from gnomon.core.documents.study import Study
from gnomon.core.errors import UsageError, did_you_mean, expect
from gnomon.core.files import write_text
from gnomon.report.annex import annex_page
from gnomon.report.audit.page import audit_page
from gnomon.report.comparison import comparison_page
from gnomon.report.defence import defence_page
from gnomon.report.html import render_html, write_pdf
from gnomon.report.model_card import model_card
from gnomon.report.reproduction import reproduction_page
from gnomon.report.sections import Page
from gnomon.report.study import study_page
from gnomon.report.svg import standalone
from gnomon.report.text import pictures, render_markdown, render_terminal, show

Document = Record | Annex | DefenceReport | Study | Reproduction | Comparison
Given = Document | Audited
_PAGES: MappingProxyType[type[Document], Callable[[Any], Page]] = MappingProxyType(
    {
        Record: audit_page,
        Annex: annex_page,
        DefenceReport: defence_page,
        Study: study_page,
        Reproduction: reproduction_page,
        Comparison: comparison_page,
    }
)
FORMATS = ("card", "html", "json", "md", "terminal")
_EXTENSIONS = MappingProxyType(
    {
        ".htm": "html",
        ".html": "html",
        ".json": "json",
        ".markdown": "md",
        ".md": "md",
        ".pdf": "pdf",
        ".txt": "terminal",
    }
)


def page_of(document: Given) -> Page:
    """What every renderer shows of a document.

    Raises:
        UsageError: no document.
    """
    given = _document(document)
    return _PAGES[type(given)](given)


def _document(given: Given) -> Document:
    if isinstance(given, Annex | DefenceReport | Study | Reproduction | Comparison):
        return given
    return record_of(given)


def render(document: Given, format: str) -> str:
    """A document as text in one format.

    Args:
        document: what `gnomon.audit` returned or `gnomon.read_record` read; or a report on mitigations, a study, a
            reproduction, a comparison.
        format: ``"card"`` (a section of a model card, of a record only), ``"html"`` (one self-contained file),
            ``"md"``, ``"json"`` or ``"terminal"`` (plain text, 80 columns).

    Returns:
        The whole report, with a newline at its end.

    Raises:
        UsageError: an unknown format, or no document.

    >>> render(None, "htlm")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: expected a report's format, got "htlm" (did you mean "html"?)
    """
    if format == "card":
        return model_card(record_of(document))  # type: ignore[arg-type] # another document is refused there
    return _text(document, format)


def _text(document: Given, format: str) -> str:
    """A document in a format that any of them has."""
    match format:
        case "html":
            return render_html(page_of(document))
        case "json":
            return document_text(_document(document))
        case "md":
            return render_markdown(page_of(document))
        case "terminal":
            return render_terminal(page_of(document))
    raise UsageError(f'expected a report\'s format, got "{format}"{did_you_mean(format, FORMATS)}')


def format_of(path: Path) -> str:
    """The format that a file's extension asks for.

    Raises:
        UsageError: an extension that no format has.

    >>> format_of(Path("runs/demo/report.html")), format_of(Path("notes.TXT"))
    ('html', 'terminal')
    >>> format_of(Path("report.docx"))
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: report.docx: no report has this extension (known: .htm, .html, .json, .markdown, ...)
    """
    extension = path.suffix.lower()
    if extension not in _EXTENSIONS:
        raise UsageError(f"{path}: no report has this extension{did_you_mean(extension, _EXTENSIONS)}")
    return _EXTENSIONS[extension]


def write_report(document: Given, path: str | Path) -> None:
    """Writes a document in the format of the path's suffix, atomically; Markdown's figures are files next to it.

    A PDF is the HTML as Chromium, Chrome or Edge prints it, where one is on the machine.

    Raises:
        UsageError: an extension that no format has, no document, or a PDF without a browser; nothing is written.
    """
    expect("path", path, (str, Path), "the name of a file")
    place = Path(path)
    format = format_of(place)
    if format == "pdf":
        return write_pdf(render_html(page_of(document)), place)
    if format != "md":
        return write_text(place, _text(document, format))
    page = page_of(document)
    prefix = "" if place.stem.lower() == "readme" else f"{place.stem}-"
    for name, figure in pictures(page, prefix).items():
        write_text(place.parent / name, standalone(figure))
    return write_text(place, render_markdown(page, prefix))


def print_terminal(document: Given, console: Console) -> None:
    """Prints a document: its verdict, and what a terminal has room for.

    Args:
        document: what to show.
        console: where to; its width and colours are respected.
    """
    show(page_of(document), console)
