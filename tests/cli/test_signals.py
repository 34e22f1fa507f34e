"""A command that is stopped says so in a line, and leaves no process and no memory map behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

PLAN = """
[data]
source = "baskets"
rows = 400
classes = 2
train_size = 100
[trainer]
kind = "function"
function = "slow_recipe:train"
params = { started = "started", big = "big.npy" }
[shadow]
count = 8
[attacks]
names = ["gap", "lira"]
"""
RECIPE = """
import os, time
from pathlib import Path
import numpy as np

def train(x, y, n_classes, seed, started, big):
    Path(started, str(os.getpid())).touch()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        sum(i * i for i in range(20000))  # busy in Python, and in between idle in the system
        time.sleep(0.02)
    return lambda rows: np.full((len(rows), n_classes), 1 / n_classes)
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


def processes_of(session: int) -> list[int]:
    """Processes of a session that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _last_words(process: subprocess.Popen[str], seconds: float) -> str:
    """Standard error of a process that ends; the stacks of its threads where it does not."""
    try:
        return process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        time.sleep(2)  # for the stacks
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail(f"still there after {seconds:g} s:\n{process.communicate()[1]}")


def wait_until(condition: object, seconds: float = 30) -> bool:
    assert callable(condition)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(signal.SIGTERM, 143, "ended by a signal"), (signal.SIGINT, 130, "stopped"), (signal.SIGKILL, -9, "")],
)
def test_a_signal_leaves_nothing_behind(number: signal.Signals, code: int, words: str, tmp_path: Path) -> None:
    for name in ("started", "temporary"):
        (tmp_path / name).mkdir()
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "slow_recipe.py").write_text(RECIPE)
    np.save(tmp_path / "big.npy", np.zeros(300_000))
    temporary = str(tmp_path / "temporary")
    process = subprocess.Popen(
        [
            sys.executable,
            "-X",
            "faulthandler",
            "-m",
            "gnomon",
            "audit",
            "plan.toml",
            "--to",
            "run",
            "--trust",
            "--workers",
            "2",
        ],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": temporary, "JOBLIB_TEMP_FOLDER": temporary},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert wait_until(lambda: len(list((tmp_path / "started").iterdir())) >= 2, 240)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        errors = _last_words(process, 120)
        assert process.returncode == code
        if words:
            assert len(errors.splitlines()) == 1, errors
            assert words in errors
        assert wait_until(lambda: not processes_of(process.pid), 60)
        assert list((tmp_path / "temporary").iterdir()) == []
        assert not (tmp_path / "run" / "record.json").exists()
    finally:
        for left in processes_of(process.pid):
            os.kill(left, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_last_word_ends_without_a_traceback(number: signal.Signals) -> None:
    code = f"""import atexit, os, signal, sys
from gnomon.cli.app import main
signal.signal(signal.SIGINT, signal.default_int_handler)
atexit.register(os.kill, os.getpid(), {int(number)})
sys.argv = ["gnomon", "--version"]
main()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-number, "")
