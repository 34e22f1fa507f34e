"""Counts what becomes of runs that are killed, written twice, damaged, stopped by signals, or met by a full disk.

    python scripts/reliability.py kills --count 100
    python scripts/reliability.py writers --count 20
    python scripts/reliability.py damage --count 42
    python scripts/reliability.py signals --count 21
    python scripts/reliability.py full --count 30        (mounts small file systems: root on Linux)

It prints a line of counts at the end; the exit code is 1 if anything came out that is not promised. What is random
follows from --seed. `scripts/soak.py` does the same to whole commands at random moments, for hours.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from soak import DAMAGE, GNOMON, PLAN, damage, gone, processes_of

from gnomon.cli.app import run
from gnomon.cli.audit import publish
from gnomon.core.generations import claim, read_published
from gnomon.runs.folder import read_outcome

Said = tuple[int | str, str, str]  # exit code or "TRACEBACK", what was printed, what went to standard error
OPERATIONS = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod"}
OTHER = {"seed": "7", "attacks": "gap,confidence"}
SIGNALS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}
SLOW_PLAN = """
[data]
source = "digits"
train_size = 400
[trainer]
kind = "function"
function = "slow_recipe:train"
params = { started = "started" }
[shadow]
count = 8
[attacks]
names = ["gap", "lira"]
"""
SLOW_RECIPE = """
import os, time
from pathlib import Path
import numpy as np

def train(x, y, n_classes, seed, started):
    Path(started, str(os.getpid())).touch()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        sum(i * i for i in range(20000))
    return lambda rows: np.full((len(rows), n_classes), 1 / n_classes)
"""
FULL = {
    "audit": ((), ("--seed", "5")),
    "study": (("--vary", "shadow.count=4,6"), ("--vary", "shadow.count=4,6", "--repeats", "2")),
    "defend": (("--try", "top1"), ("--try", "round1")),
}
ROOM = (0, 2, 8, 20, 40, 80, 140, 220, 300, 380)  # kB that are left on a full disk


@dataclass
class Lab:
    """A folder with a plan in it, and what has come out.

    Attributes:
        place: the folder.
        rng: of every choice.
        counts: how often what came out.
        failures: what came out and is not promised.
    """

    place: Path
    rng: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def audited(self, name: str, **flags: str) -> Path:
        """A finished run, without its store."""
        folder = self.place / name
        words = [word for flag, value in flags.items() for word in (f"--{flag}", value)]
        code, _, error = said("audit", self.place / "plan.toml", "--workers", "1", "--to", folder, *words)
        if code != 0:
            raise RuntimeError(f"an undisturbed audit ended with {code}: {error}")
        shutil.rmtree(folder / "store")
        return folder

    def note(self, promised: bool, what: str, detail: object = "") -> None:
        """Counts something."""
        self.counts[what] += 1
        if not promised:
            self.failures.append(f"{what}: {detail}")


def said(*words: object) -> Said:
    """A command in this process."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        try:
            return run([str(word) for word in words]), out.getvalue(), error.getvalue()
        except BaseException as raised:  # a traceback is what is looked for
            return "TRACEBACK", "", repr(raised)[:200]


def begin(task: Callable[[], object]) -> int:
    """A copy of this process that carries out a task and ends."""
    child = os.fork()
    if child == 0:
        try:
            task()
        finally:
            os._exit(0)
    return child


def kills(lab: Lab, count: int) -> None:
    """A finished run is rewritten by another audit and killed at each file operation: readers see one of the two."""
    old, new = lab.audited("old"), lab.audited("new", **OTHER)
    outcome, folder, counted = read_outcome(new), lab.place / "run", lab.place / "operations"

    def rewrite(at: int) -> None:
        seen = 0

        def hook(event: str, given: tuple[object, ...]) -> None:
            nonlocal seen
            if event in OPERATIONS or (event == "open" and str(given[0]).startswith(str(folder))):
                seen += 1
                if seen == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        with claim(folder, "audit") as claimed:
            publish(outcome, claimed)
        counted.write_text(str(seen))

    def read() -> list[Said]:
        found = [said("report", folder), said("gate", folder), said("diff", folder, new)]
        return [(code, text.replace("/old", "/run"), error) for code, text, error in found]

    def afresh(run_: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(run_, folder)

    expected = {}
    for name, one in (("old", old), ("new", new)):
        afresh(one)
        expected[name] = read()
    afresh(old)
    os.waitpid(begin(lambda: rewrite(0)), 0)
    total = int(counted.read_text())
    for i in range(count):
        afresh(old)
        at = 1 + i * total // count
        status = os.waitpid(begin(lambda at=at: rewrite(at)), 0)[1]
        lab.note(os.WIFSIGNALED(status), "killed" if os.WIFSIGNALED(status) else "not killed", at)
        found = read()
        which = next((name for name, one in expected.items() if one == found), "mixed")
        lab.note(which != "mixed", f"readers: {which}", (at, found))
        with claim(folder, "audit") as claimed:
            publish(outcome, claimed)
        clean = read() == expected["new"] and not list(folder.glob(".results-*"))
        lab.note(clean, "finished by the next one" if clean else "something is left", at)


def writers(lab: Lab, count: int) -> None:
    """Two audits at once into one folder: one waits or is refused in a line, and what is there is of one of them."""
    names, codes = ("gap", "loss"), {(0, 2): "one refused", (0, 0): "one after the other"}
    for i in range(count):
        folder = lab.place / str(i)

        def write(k: int, folder: Path = folder) -> None:
            words = ("--workers", "1", "--seed", k, "--attacks", names[k], "--shadows", "0")
            answer = said("audit", lab.place / "plan.toml", "--to", folder, *words)
            (lab.place / f"said-{k}.json").write_text(json.dumps(answer))

        for child in [begin(lambda k=k: write(k)) for k in (0, 1)]:
            os.waitpid(child, 0)
        answers = [json.loads((lab.place / f"said-{k}.json").read_text()) for k in (0, 1)]
        ended = codes.get(tuple(sorted(answer[0] for answer in answers if answer[0] != "TRACEBACK")), "otherwise")
        refused = [answer[2] for answer in answers if answer[0] == 2]
        lines = all(error.count("\n") == 1 and "is writing here" in error for error in refused)
        lab.note(ended != "otherwise" and lines, f"pairs: {ended}", answers)
        published = read_published(folder)
        assert published is not None
        record = json.loads(published.files["record.json"])
        whole = f"scores/{names[record['provenance']['seed']]}.npy" in published.files
        other = f"scores/{names[1 - record['provenance']['seed']]}.npy" in published.files
        lab.note(whole and not other, "of one run" if whole and not other else "mixed", folder)


def damages(lab: Lab, count: int) -> None:
    """A damaged file of a finished run: every reader names it in a line, and none goes on."""
    good, other, folder = lab.audited("good"), lab.audited("other", **OTHER), lab.place / "run"
    hows = (*DAMAGE, "foreign")
    for i in range(count):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        before = _contents(folder)
        files = [folder / name for name in before if not name.endswith(".html")]
        how = hows[i % len(hows)]
        if how == "foreign":
            file = lab.rng.choice(files)
            source = other / file.relative_to(folder)
            file.write_bytes(source.read_bytes() if source.exists() else b"foreign")
            what = f"foreign {file.name}"
        else:
            what = damage(files, how, lab.rng)
        if _contents(folder) == before:
            lab.note(True, "nothing changed")
            continue
        answers = [said("report", folder), said("gate", folder), said("diff", folder, other), said("verify", folder)]
        named = all(code == 2 and error.count("\n") == 1 for code, _, error in answers[:3])
        lab.note(named, "named by all readers" if named else "not named", (what, answers))
        lab.note(answers[3][0] in (1, 2), "found by verify" if answers[3][0] in (1, 2) else "verify is content", what)


def signals(lab: Lab, count: int) -> None:
    """SIGTERM, SIGINT and SIGKILL to an audit with workers: a line, the documented code, no process, no file."""
    for i in range(count):
        number, code = list(SIGNALS.items())[i % len(SIGNALS)]
        place = lab.place / str(i)
        for name in ("started", "temporary"):
            (place / name).mkdir(parents=True)
        (place / "plan.toml").write_text(SLOW_PLAN)
        (place / "slow_recipe.py").write_text(SLOW_RECIPE)
        temporary = str(place / "temporary")
        process = subprocess.Popen(
            [*GNOMON, "audit", "plan.toml", "--to", "run", "--trust", "--workers", "2"],
            cwd=place, env=os.environ | {"TMPDIR": temporary, "JOBLIB_TEMP_FOLDER": temporary},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + 240
        while len(list((place / "started").iterdir())) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(lab.rng.uniform(0, 2))
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        error = process.communicate(timeout=120)[1]
        promised = process.returncode == code and (number == signal.SIGKILL or error.count("\n") == 1)
        ended = f"{number.name} as documented" if promised else "otherwise"
        lab.note(promised, ended, (number, process.returncode, error[:300]))
        left = not gone(process.pid, 15)
        lab.note(not left, "processes left" if left else "no process left", processes_of(process.pid))
        if left:
            os.killpg(process.pid, signal.SIGKILL)
        files = list((place / "temporary").iterdir())
        lab.note(not files, "files left" if files else "no file left", files)


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A file system of 64 MB in a folder."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def full(lab: Lab, count: int) -> None:
    """A disk that is full while a run is written over an older one: a line, exit code 2, the old run as it was."""
    plan, disk, good = lab.place / "plan.toml", lab.place / "disk", lab.place / "good"
    for name, (first, _) in FULL.items():
        said(name, plan, *first, "--workers", "1", "--to", good / name)
    for i in range(count):
        name, room = list(FULL)[i % len(FULL)], ROOM[i // len(FULL) % len(ROOM)]
        with small_disk(disk):
            folder = disk / name
            shutil.copytree(good / name, folder)
            (disk / "filler").write_bytes(bytes(max(0, shutil.disk_usage(disk).free - 1024 * room)))
            before = _results(folder)
            code, _, error = said(name, plan, *FULL[name][1], "--workers", "1", "--to", folder)
            promised = code == 0 or (code == 2 and error.count("\n") == 1 and "free space" in error)
            ended = "there was room enough" if code == 0 else "a line and exit code 2" if promised else "otherwise"
            lab.note(promised, ended, (name, room, code, error[:300]))
            kept = code == 0 or _results(folder) == before
            lab.note(kept, "results as they were, or new" if kept else "results changed", (name, room))
            (disk / "filler").unlink()
            answer = said("report", folder)
            lab.note(answer[0] == 0, "read afterwards" if answer[0] == 0 else "not read afterwards", answer)


def _contents(folder: Path) -> dict[str, bytes]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.name != ".lock"]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if "store" not in f.relative_to(folder).parts}


def _results(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in _contents(folder).items() if "/" not in name}


MODES = {"kills": kills, "writers": writers, "damage": damages, "signals": signals, "full": full}


def measure(mode: str, count: int, seed: int, place: Path) -> Lab:
    """Does one of the modes in an empty folder."""
    (place / "plan.toml").write_text(PLAN)
    lab = Lab(place, random.Random(seed))
    MODES[mode](lab, count)
    return lab


def main() -> int:
    """Reads the flags, counts, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--count", type=int, default=20, help="how often (default 20)")
    parser.add_argument("--seed", type=int, default=0, help="of every choice (default 0)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        lab = measure(given.mode, given.count, given.seed, Path(place).resolve())
    print(f"{given.mode}: " + ", ".join(f"{what} {number}" for what, number in sorted(lab.counts.items())))
    for line in lab.failures[:20]:
        print(f"FAILED {line}")
    return 1 if lab.failures else 0


if __name__ == "__main__":
    sys.exit(main())
