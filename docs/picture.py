"""Makes docs/report.png, the first screen of the demo's report: `gnomon demo`, then headless Chromium.

python docs/picture.py
python docs/picture.py --run FOLDER     (a finished demo; default runs/demo, which is made if it is not there)
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PLACE = Path(__file__).resolve().parent / "report.png"
WIDTH, HEIGHT = 1200, 930
MOST_BYTES = 150_000
COLOURS = 64  # text and lines: more would only make the file larger


def picture(page: Path, to: Path, width: int, height: int, *, dark: bool = False) -> None:
    """The top of a page as a PNG, as headless Chromium shows it; pixels."""
    with tempfile.TemporaryDirectory() as folder:
        words = [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--virtual-time-budget=3000",
        ]
        words += ["--blink-settings=preferredColorScheme=0"] if dark else []
        words += [f"--user-data-dir={folder}/profile", f"--window-size={width},{height}", f"--screenshot={to}"]
        subprocess.run([*words, page.resolve().as_uri()], check=True, capture_output=True, timeout=120)


def photograph(page: Path, to: Path) -> None:
    """The first screen of a page as a PNG of few colours."""
    picture(page, to, WIDTH, HEIGHT)
    Image.open(to).convert("RGB").quantize(COLOURS).save(to, optimize=True)
    size = to.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{to}: expected at most {MOST_BYTES:,} bytes, got {size:,}; take fewer colours")


def main() -> None:
    """Runs the demo where it has not run yet, and makes the picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, default=Path("runs/demo"))
    run = parser.parse_args().run
    if not (run / "report.html").exists():
        subprocess.run([sys.executable, "-m", "gnomon", "demo", "--to", str(run)], check=True)
    photograph(run / "report.html", PLACE)


if __name__ == "__main__":
    main()
