"""Any document in any format: by name, or by the extension of a file.

HTML is one file that fetches nothing and needs no script; a PDF is that file as a Chromium prints it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from rich.console import Console

from gnomon.core.documents.annex import Annex
from gnomon.core.documents.comparison import Comparison
from gnomon.core.documents.defence import DefenceReport
from gnomon.core.documents.read_write import document_text
from gnomon.core.documents.record import Audited, Record, record_of
from gnomon.core.documents.reproduction import Reproduction
from gnomon.core.documents.study import Study
from gnomon.core.errors import StoreError, UsageError, did_you_mean, expect, one_line
from gnomon.core.system import replacing, write_text
from gnomon.report.annex import annex_page
from gnomon.report.audit.page import audit_page
from gnomon.report.comparison import comparison_page
from gnomon.report.defence import defence_page
from gnomon.report.formatting import clean_lines
from gnomon.report.model_card import model_card
from gnomon.report.reproduction import reproduction_page
from gnomon.report.sections import Page
from gnomon.report.study import study_page
from gnomon.report.svg import drawn, standalone, swatch
from gnomon.report.text import pictures, render_markdown, render_terminal, show

if TYPE_CHECKING:
    from jinja2 import Template

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


def render_html(page: Page) -> str:
    """The page with its styles inside and its figures as SVG with live text."""
    # the one place where text enters the page as it is: our own drawings, escaped by matplotlib and `svg`
    trusted = {"draw": lambda figure: Markup(drawn(figure)), "swatch": lambda kind: Markup(swatch(kind))}
    return _template().render(page=page, **trusted) + "\n"


@cache  # compiling it takes as long as two drawings
def _template() -> Template:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gnomon.report", "templates"),
        autoescape=True,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("page.html")


def _unbroken(text: str) -> Markup:
    """Text whose options (`--try`) stay in one line: browsers break a line behind a hyphen."""
    return Markup(re.sub(r"(--[a-z][a-z-]*)", r'<span class="option">\1</span>', str(escape(clean_lines(text)))))


def _cleaned(value: object) -> object:
    """Text from outside, without control characters; jinja escapes it afterwards."""
    return clean_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


BROWSER = "GNOMON_BROWSER"  # the environment variable that names one
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
LONGEST = 120  # seconds that a browser may take
# it prints one file of ours, which holds no script and fetches nothing
QUIET = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def find_browser() -> str | None:
    """The browser that prints: the one that GNOMON_BROWSER names, else a Chromium, Chrome or Edge; None without one.

    Raises:
        UsageError: GNOMON_BROWSER names something that is no program.
    """
    named = os.environ.get(BROWSER)
    if named:
        if shutil.which(named) is None:
            raise UsageError(f"{BROWSER}: expected a program such as /usr/bin/chromium, got {one_line(named)}")
        return named
    found = (shutil.which(name) for name in (*NAMES, *ELSEWHERE))
    return next((one for one in found if one is not None), None)


def write_pdf(html: str, path: Path) -> None:
    """Prints a page's HTML into a PDF with numbered pages, atomically.

    Args:
        html: the whole page.
        path: of the PDF.

    Raises:
        UsageError: no browser is there.
        StoreError: the browser printed nothing, or the file can't be written.
    """
    browser = find_browser()
    if browser is None:
        raise UsageError(
            f"{path}: a PDF is printed by Chromium, Chrome or Edge, and none was found; install one, name it with "
            f"{BROWSER}, or write .html and print that"
        )
    with tempfile.TemporaryDirectory(prefix="gnomon-pdf-", ignore_cleanup_errors=True) as folder:
        page, made = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        root = ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()  # its sandbox refuses root
        words = [browser, *QUIET, *root, f"--user-data-dir={folder}/profile", "--no-pdf-header-footer"]
        said = _run([*words, f"--print-to-pdf={made}", page.as_uri()])
        content = made.read_bytes() if made.is_file() else b""
    if not content.startswith(b"%PDF"):
        raise StoreError(f"{path}: {browser} printed no PDF ({one_line(said)[:200]}); write .html and print that")
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _run(words: list[str]) -> str:
    """What the browser says when it ends."""
    try:
        done = subprocess.run(words, capture_output=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return f"stopped after {LONGEST} s"
    except OSError as error:
        return error.strerror or str(error)
    return done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
