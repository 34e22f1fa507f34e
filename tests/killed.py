"""A command that is killed at a chosen moment: without a clock, so that a busy machine changes nothing."""

import signal
import subprocess
import sys

CODE = """
import importlib, os, signal, sys

where, calls = sys.argv[1], int(sys.argv[2])
module, _, names = where.partition(":")
*owners, name = names.split(".")
place = importlib.import_module(module)
for part in owners:
    place = getattr(place, part)
real, seen = getattr(place, name), 0

def last(*arguments, **named):
    global seen
    seen += 1
    if seen == calls:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **named)

setattr(place, name, last)
from gnomon.cli.app import run
sys.exit(run(sys.argv[3:]))
"""


def run_and_kill(where: str, calls: int, *command: str) -> None:
    """Runs a command of ours in a process that ends by SIGKILL when it calls a function for the n-th time.

    Args:
        where: ``module:class.function`` (or ``module:function``), replaced where it is looked up.
        calls: the call that is not made any more.
        command: words after ``gnomon``.
    """
    done = subprocess.run([sys.executable, "-c", CODE, where, str(calls), *command], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
