"""Do all engines give the same bits, also after an interruption? Commands on each, whole and ended by Ctrl-C.

    python scripts/engines.py                               # audit, study, defend, reproduce on all; minutes
    python scripts/engines.py --works audit --engines ray

Each command runs once in one process, undisturbed. Then on each engine: whole; and ended by SIGINT when its first
answers are kept, and run again. Documents must be those of the first run but for times, arrays must have its bytes,
and an ended command leaves no process.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from soak import GNOMON, PLAN, WORKS, Work, digests, gone, processes_of

ENGINES = {
    "one process": ("--workers", "1"),
    "two processes": ("--workers", "2"),
    "ray": ("--engine", "ray", "--workers", "2"),
}
INDEX = """
[[experiment]]
key = "depth"
file = "depth.toml"
title = "Depth"
question = "Does depth matter?"
seconds = 1
"""
REPRODUCTION = Work(
    "reproduce",
    (*GNOMON, "reproduce", "paper", "--seeds", "1", "--to"),
    (),
    ("cells/*/record.json",),  # reproduction.json says how long all took
    ("cells/*/scores/*.npy",),
)


def compare(work: Work, engines: list[str], place: Path, patience: float) -> int:
    """Prints a line for each engine, whole and ended; returns how many differ."""
    command = [*work.command[:-1]]  # without --to
    if "--workers" in command:
        at = command.index("--workers")
        del command[at : at + 2]
    wanted, bad = dict[str, str](), 0
    for engine in dict.fromkeys(["one process", *engines]):
        words = [*command, *ENGINES[engine], "--to"]
        for ended in (False, True):
            folder = place / f"{work.name}-{engine.replace(' ', '-')}-{'ended' if ended else 'whole'}"
            said = end_early([*words, str(folder)], folder, place, patience) if ended else ""
            done = subprocess.run(
                [*words, str(folder)], cwd=place, capture_output=True, text=True, check=False, timeout=patience
            )
            found = digests(work, folder)
            wanted = wanted or found
            same = done.returncode == 0 and len(found) > 1 and found == wanted and "left: 0" in (said or "left: 0")
            bad += not same
            result = f"{len(found)} results {'the same' if same else 'OTHERS'}"
            print(f"{work.name}, {engine}{said}: exit code {done.returncode}, {result}", flush=True)
            if done.returncode != 0:
                print(done.stderr.strip()[-300:], flush=True)
    return bad


def end_early(words: list[str], folder: Path, place: Path, patience: float) -> str:
    """Starts a command and ends it by SIGINT when its first answers are kept; says how it ended."""
    process = subprocess.Popen(
        words, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    end = time.monotonic() + patience
    while not list(folder.rglob("store/*/*.json")) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    if process.poll() is not None:
        return f", over before it could be ended (exit code {process.returncode})"
    process.send_signal(signal.SIGINT)
    code = process.wait(patience)
    left = 0 if gone(process.pid, 10) else len(processes_of(process.pid))
    return f", ended by SIGINT (exit code {code}, processes left: {left}) and run again"


def main() -> int:
    """Reads the flags, compares, and returns 1 where results differ."""
    works = {work.name: work for work in (*WORKS, REPRODUCTION)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", nargs="+", choices=works, default=list(works))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--patience", type=float, default=600.0, help="seconds after which a command hangs (600)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place, bad = Path(temporary).resolve(), 0
        (place / "plan.toml").write_text(PLAN)
        (place / "paper").mkdir()
        (place / "paper" / "index.toml").write_text(INDEX)
        (place / "paper" / "figures.json").write_text('{"paper": "none", "meaning": {}, "figures": []}')
        (place / "paper" / "depth.toml").write_text(PLAN + '[study.vary]\n"trainer.params.max_depth" = [1, 9]\n')
        for name in given.works:
            bad += compare(works[name], given.engines, place, given.patience)
    print(f"differences: {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
