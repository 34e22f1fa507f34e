"""What a task does to the process that tries it, it does not do to ours."""

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from gnomon.engines.trial import try_task

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tasks are tried on Linux only")


def crash() -> None:
    ctypes.string_at(0)


def spin() -> None:
    while True:
        pass


def raise_something() -> None:
    raise SystemExit("not for us")


def test_a_crash_a_hang_and_an_end_are_told_apart(capfd: pytest.CaptureFixture[str]) -> None:
    assert try_task(lambda: print("printed"), 30) is None
    assert try_task(raise_something, 30) is None
    assert try_task(crash, 30) == "it crashed the process that tried it (SIGSEGV)"
    assert (
        try_task(lambda: os.kill(os.getpid(), signal.SIGKILL), 30) == "it crashed the process that tried it (SIGKILL)"
    )
    assert try_task(spin, 0.2) == "it was not done in 0.2 s"
    assert capfd.readouterr() == ("", "")


def test_nothing_that_the_task_does_stays(tmp_path: Path) -> None:
    values = [1]
    assert try_task(lambda: values.append(2), 30) is None
    assert values == [1]


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
