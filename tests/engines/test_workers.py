"""Workers ignore Ctrl-C, end with their parent, and are stopped in the middle of their tasks."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = """
import os, signal, sys, time
from gnomon.engines.workers import start_worker
start_worker(int(sys.argv[1]))
os.kill(os.getpid(), signal.SIGINT)
print("still here", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="processes keep their parent's number there")
def test_a_worker_ignores_ctrl_c_and_ends_when_its_parent_is_another(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WORKER, str(os.getpid())], stdout=subprocess.PIPE) as own:
        assert own.stdout is not None
        assert own.stdout.readline() == b"still here\n"
        assert own.poll() is None
        own.send_signal(signal.SIGKILL)
    orphan = subprocess.run([sys.executable, "-c", WORKER, "1"], capture_output=True, timeout=300, check=False)
    assert orphan.returncode == 1, "its parent is not the process that it was told of"


STOPPED = """
import sys, time
from gnomon.engines.local import LocalEngine
from gnomon.engines.workers import stop_workers
LocalEngine(2).start(["takes_for_ever"])
while not sys.stdin.readline():
    pass
stop_workers()
"""
FOR_EVER = "import time\nprint('begun', flush=True)\ntime.sleep(3600)"


def test_workers_that_were_just_started_are_stopped_at_once_and_silently(tmp_path: Path) -> None:
    (tmp_path / "takes_for_ever.py").write_text(FOR_EVER)
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as started:  # fmt: skip
        assert started.stdout is not None
        assert started.stdout.readline() == "begun\n"
        _, complaints = started.communicate("go\n", timeout=300)
    assert (started.returncode, complaints) == (0, "")
