"""A page as PDF: its HTML, printed by a Chromium that is on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from gnomon.core.errors import StoreError, UsageError, one_line
from gnomon.core.files import replacing

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
