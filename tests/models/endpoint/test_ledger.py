"""The ledger: several processes share one budget, and what was written before a kill is there after it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gnomon.core.errors import BudgetError, StoreError
from gnomon.models.endpoint.ledger import AT_ONCE, Ledger

SPEND = """
import sys
from pathlib import Path
from gnomon.core.errors import BudgetError
from gnomon.models.endpoint.ledger import Ledger
ledger, spent = Ledger(Path(sys.argv[1])), 0
try:
    while True:
        ledger.spend(7, budget=1000)
        spent += 7
except BudgetError:
    print(spent)
"""
KILLED = """
import os, signal, sys
import numpy as np
from pathlib import Path
from gnomon.models.endpoint.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.spend(2, None)
ledger.keep(["a", "b"], np.log(np.full((2, 2), 0.5, np.float32)))
ledger.spend(5, None)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_share_a_budget_to_the_last_record(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SPEND, str(tmp_path / "l.sqlite")]
    several = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    spent = [int(process.communicate(timeout=120)[0]) for process in several]
    assert sum(spent) == 994
    assert Ledger(tmp_path / "l.sqlite").total("queries") == 994


def test_a_killed_process_loses_nothing_that_was_paid_or_answered(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "l.sqlite")], check=False)
    assert done.returncode == -signal.SIGKILL
    ledger = Ledger(tmp_path / "l.sqlite")
    assert (ledger.total("queries"), ledger.total("requests"), ledger.count()) == (7, 2, 2)
    np.testing.assert_array_equal(np.exp(ledger.find(["b"])["b"]), [0.5, 0.5])


def test_many_records_are_found_in_any_number() -> None:
    ledger, count = Ledger(), 2 * AT_ONCE + 3
    names = [f"r{i}" for i in range(count)]
    values = np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)
    ledger.keep(names, values)
    found = ledger.find([*names, "none"])
    np.testing.assert_array_equal(np.stack([found[name] for name in names]), values)
    assert "none" not in found


def test_a_refused_spending_changes_nothing() -> None:
    ledger = Ledger()
    ledger.spend(3, 5, again=True)
    with pytest.raises(BudgetError):
        ledger.spend(3, 5)
    assert (ledger.total("queries"), ledger.total("retries")) == (3, 1)
    ledger.spend(2, 5)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_can_t_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="can't be kept there"):
        Ledger(tmp_path / "inside" / "l.sqlite")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't be kept there"):
        Ledger(tmp_path / "file" / "l.sqlite")
