"""What a task does to the process that tries it, it does not do to ours."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from gnomon.engines import trial
from gnomon.engines.trial import WAITS, try_in_copy, try_task

in_a_copy = pytest.mark.skipif(sys.platform != "linux", reason="a copy of a process goes on only on Linux")
OURS = os.getpid()


def crash() -> None:
    ctypes.string_at(0)


def spin() -> None:
    while True:
        pass


def raise_something() -> None:
    raise SystemExit("not for us")


def wait_in_a_copy_only(noted: Path) -> None:
    """As OpenMP does: its threads are not there in a copy of the process that started them."""
    if os.getppid() == OURS:
        threading.Event().wait()
    noted.touch()


def started_something() -> None:
    if os.fork() == 0:
        time.sleep(30)


@in_a_copy
def test_a_crash_a_hang_and_an_end_are_told_apart(capfd: pytest.CaptureFixture[str]) -> None:
    assert try_task(lambda: print("printed"), 30) is None
    assert try_task(raise_something, 30) is None
    assert try_task(crash, 30) == "it crashed the process that tried it (SIGSEGV)"
    assert (
        try_task(lambda: os.kill(os.getpid(), signal.SIGKILL), 30) == "it crashed the process that tried it (SIGKILL)"
    )
    assert try_task(spin, 0.2) == "it was not done in 0.2 s"
    assert try_task(started_something, 30) is None, "it is not waited for what a task leaves running"
    assert capfd.readouterr() == ("", "")


@in_a_copy
def test_nothing_that_the_task_does_stays(tmp_path: Path) -> None:
    values = [1]
    assert try_task(lambda: values.append(2), 30) is None
    assert values == [1]


@in_a_copy
def test_a_copy_that_waits_for_threads_which_it_does_not_have_is_followed_by_a_new_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "LOOK", 0.05)
    began = time.monotonic()
    assert try_in_copy(partial(wait_in_a_copy_only, tmp_path / "noted"), 30) == WAITS
    assert not (tmp_path / "noted").exists()
    assert try_task(partial(wait_in_a_copy_only, tmp_path / "noted"), 30) is None
    assert (tmp_path / "noted").exists()
    assert time.monotonic() - began < 200, "neither took the time that a task may take"
    assert try_task(lambda: threading.Event().wait(), 30) == WAITS, "what can't be sent is not taken for tried"


@in_a_copy
def test_the_copy_does_not_outlive_an_interrupted_parent(tmp_path: Path) -> None:
    def note_and_spin() -> None:
        (tmp_path / str(os.getpid())).touch()
        spin()

    def interrupt() -> None:
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        try_task(note_and_spin, 30)
    [noted] = tmp_path.iterdir()
    assert not Path(f"/proc/{noted.name}").exists()


@in_a_copy
def test_the_copy_does_not_outlive_a_parent_that_is_killed() -> None:
    """A parent that is killed can't end its copy, whose task may take minutes."""
    read, write = os.pipe()
    if (parent := os.fork()) == 0:
        try_task(lambda: (os.write(write, b"%d" % os.getpid()), spin()), 30)
        os._exit(1)
    copy = Path(f"/proc/{int(os.read(read, 20))}/stat")
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    for end in (read, write):
        os.close(end)
    deadline = time.monotonic() + 20
    while copy.exists() and copy.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("why", ["no copies here", "threads that spin"])
def test_where_a_copy_is_no_use_a_new_process_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "no copies here":
        monkeypatch.setattr(sys, "platform", "darwin")
    else:
        monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    monkeypatch.setattr(trial, "try_in_copy", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pickle.py").write_text("open('run', 'w')")
    noted = partial(os.mkdir, tmp_path / "made")
    assert try_task(noted, 60) is None
    assert (tmp_path / "made").is_dir()
    assert not (tmp_path / "run").exists(), "modules of the working folder are not imported"
    assert try_task(lambda: crash(), 60) is None, "what can't be pickled is not tried"
    ends = [subprocess.CompletedProcess([], status) for status in (-signal.SIGSEGV, -signal.SIGPROF, 3)]
    said = []
    for end in ends:
        monkeypatch.setattr(subprocess, "run", lambda *_, end=end, **__: end)
        said.append(try_task(noted, 0.5))
    assert said == [
        "it crashed the process that tried it (SIGSEGV)",
        "it was not done in 0.5 s",
        "it crashed the process that tried it (exit code 3)",
    ]
