"""Kills, corrupts and reruns audits, studies and benches of mitigations at random, for as long as it is told.

    python scripts/soak.py --minutes 60 --seed 1

Each round takes one of the commands in a folder of its own, and either kills it with -9 after a random time (of the
processor's, so that kills hit on a busy machine too: it runs on Linux), or damages
a file in its folder (flip a bit, truncate, zero, swap two files, delete). Then every reader must answer, with an exit
code that it documents and at most one line of error. At last the command runs to its end, and must find what an
undisturbed run found, bit by bit. No process may be left. It prints a line a round and counts at the end; the exit code
is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

PLAN = """
[data]
source = "digits"
rows = 400
train_size = 150
nonmember_size = 150
reference_size = 60
[trainer]
kind = "sklearn"
estimator = "sklearn.tree:DecisionTreeClassifier"
params = { max_depth = 9 }
[shadow]
count = 6
[attacks]
names = ["loss", "gap", "lira"]
rehearsals = 2
ladder = false
[statistics]
fprs = [0.1]
"""
GNOMON = (sys.executable, "-m", "gnomon")
VOLATILE = {"provenance", "made", "remade", "trained", "reused", "command", "run", "version"}  # and all times
DAMAGE = ("flip", "truncate", "zero", "swap", "delete")
PATIENCE = 600.0  # seconds of the clock, for a command that takes a few on a quiet machine


@dataclass(frozen=True)
class Work:
    """A command that is disturbed.

    Attributes:
        name: what the lines call it.
        command: words; its folder is put behind them.
        readers: commands that read a finished folder; the folder is put behind the words.
        documents: files, by pattern, whose content must be that of an undisturbed run, but for times.
        arrays: files, by pattern, whose bytes must be.
    """

    name: str
    command: tuple[str, ...]
    readers: tuple[tuple[str, ...], ...]
    documents: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()


WORKS = (
    Work(
        "audit",
        (*GNOMON, "audit", "plan.toml", "--workers", "2", "--to"),
        ((*GNOMON, "report"), (*GNOMON, "gate")),
        ("record.json",),
        ("scores/*.npy", "risk.csv"),
    ),
    Work(
        "study",
        (*GNOMON, "study", "plan.toml", "--vary", "shadow.count=4,6", "--workers", "1", "--to"),
        ((*GNOMON, "report"),),
        ("study.json", "cells/*/record.json"),
        ("cells/*/scores/*.npy",),
    ),
    Work(
        "defend",
        (*GNOMON, "defend", "plan.toml", "--try", "top1,round1", "--workers", "1", "--to"),
        ((*GNOMON, "report"),),
        ("defence.json", "audits/*/record.json"),
        ("audits/*/scores/*.npy",),
    ),
)


@dataclass
class Soak:
    """What has happened so far."""

    place: Path
    rng: random.Random
    told: Callable[[str], None]
    patience: float = PATIENCE
    wanted: dict[str, Mapping[str, str]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def prepare(self, works: Sequence[Work]) -> None:
        """Runs each command once, undisturbed."""
        for work in works:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            folder = self.place / f"{work.name}-undisturbed"
            self._finish(work, folder)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.took[work.name] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.wanted[work.name] = digests(work, folder)
            results, seconds = len(self.wanted[work.name]), self.took[work.name]
            self.told(f"{work.name}: {results} results in {seconds:.0f} s of the processor, undisturbed")

    def round(self, work: Work, number: int) -> None:
        """One disturbance, the readers, a run to the end."""
        folder = self.place / work.name
        there = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"]
        if self.rng.random() < 0.2 and folder.exists():
            shutil.rmtree(folder)  # from nothing again, so that kills meet every part of a run
            there = []
        if not there or self.rng.random() < 0.5:
            what = self._kill(work, folder)
        else:
            what = damage(there, self.rng.choice(DAMAGE), self.rng)
            self.counts[f"{work.name} damaged"] += 1
        before = len(self.failures)
        for reader in work.readers:
            self._read(work, reader, folder)
        self._finish(work, folder)
        found = digests(work, folder)
        if found != self.wanted[work.name]:
            other = {
                name
                for name in {*found, *self.wanted[work.name]}
                if found.get(name) != self.wanted[work.name].get(name)
            }
            self.fail(f"{work.name} after {what}: other results: {', '.join(sorted(other)[:5])}")
        self.counts["rounds"] += 1
        self.told(f"{number} {work.name}: {what}: {'as undisturbed' if len(self.failures) == before else 'FAILED'}")

    def fail(self, line: str) -> None:
        """Notes a failure."""
        self.failures.append(line)
        self.told(f"FAILED {line}")

    def _kill(self, work: Work, folder: Path) -> str:
        process = subprocess.Popen(
            [*work.command, str(folder)], cwd=self.place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        part = 0.4 if folder.exists() else 1.1  # what is kept makes a run shorter
        most = self.rng.uniform(0, part * self.took[work.name])
        while process.poll() is None and processor_seconds(process.pid) < most:
            time.sleep(0.02)
        if process.poll() is not None:
            ended = f"it ended within {most:.1f} s"
            self.counts[f"{work.name} not killed in time"] += 1
        else:
            process.send_signal(signal.SIGKILL)
            process.wait()
            ended = f"killed after {most:.1f} s"
            self.counts[f"{work.name} killed"] += 1
        if not gone(process.pid, 10):
            self.fail(f"{work.name} {ended}: processes are left")
            os.killpg(process.pid, signal.SIGKILL)
        return ended

    def _read(self, work: Work, reader: tuple[str, ...], folder: Path) -> None:
        done = self._run([*reader, str(folder)])
        self.counts[f"readers, exit code {done.returncode}"] += 1
        lines = done.stderr.splitlines()
        if done.returncode not in (0, 1, 2, 3, 4) or len(lines) > 1 or "Traceback" in done.stderr:
            self.fail(f"{' '.join(reader[2:])} of {work.name}: exit code {done.returncode}: {lines[-1:]}")

    def _finish(self, work: Work, folder: Path) -> None:
        done = self._run([*work.command, str(folder)])
        if done.returncode != 0:
            self.fail(f"{work.name} did not finish: exit code {done.returncode}: {done.stderr.splitlines()[-1:]}")

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                words,
                cwd=self.place,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=self.patience,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, -1, "", f"not done in {self.patience:g} s")


def gone(session: int, seconds: float) -> bool:
    """Whether no process of a session is left, at the latest after so many seconds."""
    end = time.monotonic() + seconds
    while processes_of(session):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def processes_of(session: int) -> list[int]:
    """Processes of a session that have not ended, where the system lists them."""
    return [int(name) for name, fields in _stats(session) if fields[0] != "Z"]


def processor_seconds(session: int) -> float:
    """What the processes of a session that are there have taken of the processor: a busy machine changes nothing."""
    return sum(int(fields[11]) + int(fields[12]) for _, fields in _stats(session)) / os.sysconf("SC_CLK_TCK")


def _stats(session: int) -> Iterator[tuple[str, list[str]]]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            yield entry.name, fields


def damage(files: Sequence[Path], how: str, rng: random.Random) -> str:
    """Damages one of the files (with "swap": two), and says what was done."""
    file = rng.choice(files)
    content = bytearray(file.read_bytes())
    if how == "delete":
        file.unlink()
    elif how == "swap":
        other = rng.choice([one for one in files if one != file] or [file])
        file.write_bytes(other.read_bytes())
        other.write_bytes(content)
    elif how == "truncate":
        file.write_bytes(content[: rng.randrange(len(content) or 1)])
    elif content:
        start = rng.randrange(len(content))
        if how == "flip":
            content[start] ^= 1 << rng.randrange(8)
        else:
            content[start : start + 64] = bytes(len(content[start : start + 64]))
        file.write_bytes(content)
    return f"{how} {file.name}"


def digests(work: Work, folder: Path) -> dict[str, str]:
    """Digests of a folder's results, without what two undisturbed runs differ in."""
    found = {}
    for pattern in work.arrays:
        for file in folder.glob(pattern):
            found[str(file.relative_to(folder))] = hashlib.sha256(file.read_bytes()).hexdigest()
    for pattern in work.documents:
        for file in folder.glob(pattern):
            try:
                content = json.dumps(_steady(json.loads(file.read_bytes())), sort_keys=True)
            except ValueError as error:
                content = str(error)
            found[str(file.relative_to(folder))] = hashlib.sha256(content.encode()).hexdigest()
    return found


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _steady(v) for k, v in value.items() if k not in VOLATILE and "seconds" not in k}
    return [_steady(one) for one in value] if isinstance(value, list) else value


def soak(
    works: Sequence[Work],
    place: Path,
    seed: int,
    seconds: float,
    told: Callable[[str], None] = print,
    rounds: int = 0,
    patience: float = PATIENCE,
) -> Soak:
    """Disturbs the works until the time is over.

    Args:
        works: what is disturbed.
        place: an empty folder.
        seed: of every choice; how long a command runs before it is killed depends on the machine too.
        seconds: that it may take; the last round is carried to its end.
        told: is told a line a round.
        rounds: at least so many, whatever the time.
        patience: seconds after which a command hangs.
    """
    state, end = Soak(place, random.Random(seed), told, patience), time.monotonic() + seconds
    (place / "plan.toml").write_text(PLAN)
    state.prepare(works)
    number = 0
    while number < rounds or time.monotonic() < end:
        number += 1
        state.round(works[number % len(works)], number)
    return state


def main() -> int:
    """Reads the flags, soaks, prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--seed", type=int, default=0, help="of every choice (default 0)")
    parser.add_argument("--keep", type=Path, help="a folder for all that is written (default: a temporary one)")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds after which a command hangs (600)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = given.keep or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        told = partial(print, flush=True)
        state = soak(WORKS, place.resolve(), given.seed, 60 * given.minutes, told, patience=given.patience)
    print(f"\nseed {given.seed}, {given.minutes:g} minutes")
    for name, count in sorted(state.counts.items()):
        print(f"{name}: {count}")
    print(f"failures: {len(state.failures)}")
    for line in state.failures:
        print(f"  {line}")
    return 1 if state.failures else 0


if __name__ == "__main__":
    sys.exit(main())
