"""A page as one HTML file that fetches nothing and needs no script; as PDF where a Chromium prints that file."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from gnomon.report.formatting import clean_lines
from gnomon.report.sections import Page
from gnomon.report.svg import drawn, swatch

if TYPE_CHECKING:
    from jinja2 import Template
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from gnomon.core.errors import StoreError, UsageError, one_line
from gnomon.core.files import replacing


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
