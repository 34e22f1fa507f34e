"""What a task does to the process that tries it, it does not do to ours."""

import ctypes
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from gnomon.engines.trial import try_in_new_process, try_task

in_a_copy = pytest.mark.skipif(sys.platform != "linux", reason="a copy of a process goes on only on Linux")


def crash() -> None:
    ctypes.string_at(0)


def spin() -> None:
    while True:
        pass


def raise_something() -> None:
    raise SystemExit("not for us")


@in_a_copy
def test_a_crash_a_hang_and_an_end_are_told_apart(capfd: pytest.CaptureFixture[str]) -> None:
    assert try_task(lambda: print("printed"), 30) is None
    assert try_task(raise_something, 30) is None
    assert try_task(crash, 30) == "it crashed the process that tried it (SIGSEGV)"
    assert (
        try_task(lambda: os.kill(os.getpid(), signal.SIGKILL), 30) == "it crashed the process that tried it (SIGKILL)"
    )
    assert try_task(spin, 0.2) == "it was not done in 0.2 s"
    assert capfd.readouterr() == ("", "")


@in_a_copy
def test_nothing_that_the_task_does_stays(tmp_path: Path) -> None:
    values = [1]
    assert try_task(lambda: values.append(2), 30) is None
    assert values == [1]


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


def test_where_there_are_no_copies_a_new_process_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = partial(os.mkdir, tmp_path / "made")
    assert try_in_new_process(noted, 60) is None
    assert (tmp_path / "made").is_dir()
    assert try_in_new_process(noted, 60) is None, "its error is for whoever carries it out for good"
    assert try_in_new_process(crash, 60) == f"it crashed the process that tried it (exit code {-signal.SIGSEGV})"
    assert try_in_new_process(spin, 0.5) == "it was not done in 0.5 s"
    assert try_in_new_process(lambda: crash(), 60) is None, "what can't be pickled is not tried"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert try_task(partial(os.mkdir, tmp_path / "too"), 60) is None
    assert (tmp_path / "too").is_dir()
