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
