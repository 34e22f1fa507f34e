"""Commands run without a shell, for so long and no longer, and say what they printed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gnomon.core.errors import ModelError, UsageError
from gnomon.models.command import fill, run_command, split_line

PYTHON = sys.executable


def test_no_shell_reads_a_command_line(tmp_path: Path) -> None:
    line = f"{PYTHON} -c 'import sys; print(sys.argv[1:])' '; touch ran' '$(touch ran)' {{rows}}"
    words = fill(split_line(line, "train", ("{rows}",)), {"{rows}": "a b.csv"})
    run_command(words, tmp_path, tmp_path / "log", 20, "it")
    assert (tmp_path / "log").read_text() == "['; touch ran', '$(touch ran)', 'a b.csv']\n"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("line", ["", "fit {rows}", "fit '{rows} {model}", "fit {row} {model}"])
def test_a_line_that_can_t_work_is_refused(line: str) -> None:
    with pytest.raises(UsageError, match=r"trainer\.train"):
        split_line(line, "train", ("{rows}", "{model}"))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('column z\\nis missing')", r"ended with exit code 1; it printed: column z is missing"),
        ("import os; os.kill(os.getpid(), 9)", r"was ended by signal 9; it printed nothing"),
        ("print('x' * 5000); raise SystemExit(3)", r"exit code 3; it printed: \.\.\.x{299,300}$"),
    ],
)
def test_a_failed_command_is_quoted(code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        run_command([PYTHON, "-c", code], tmp_path, tmp_path / "log", 20, "it")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it can't be started: no-such-program: No such file"):
        run_command(["no-such-program"], tmp_path, tmp_path / "log", 20, "it")


def test_a_slow_command_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "open('child', 'w').write(str(child.pid)); print('waiting', flush=True); time.sleep(60)"
    )
    with pytest.raises(ModelError, match=r"took longer than 2 s .*it printed: waiting"):
        run_command([PYTHON, "-c", code], tmp_path, tmp_path / "log", 2, "it")
    assert gone(int((tmp_path / "child").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a command with the process that started it")
def test_a_command_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    inner = "import os, time; open('inner', 'w').write(str(os.getpid())); time.sleep(60)"
    outer = (
        "import sys; from pathlib import Path; from gnomon.models.command import run_command;"
        f"run_command([sys.executable, '-c', {inner!r}], Path('.'), Path('log'), 60, 'it')"
    )
    with subprocess.Popen([PYTHON, "-c", outer], cwd=tmp_path) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "inner").exists() or not (tmp_path / "inner").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert gone(int((tmp_path / "inner").read_text()))


def gone(process: int) -> bool:
    """Whether a process ends soon; one that nobody waits for counts as ended."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
