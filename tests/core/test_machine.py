"""What is free is what the machine, and the control group, say."""

from pathlib import Path

import pytest

from gnomon.core import machine


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    return tmp_path


def test_the_smaller_of_machine_and_control_group_counts(said: Path) -> None:
    assert machine.free_memory() is None
    assert machine.too_large(1e30) is None
    (said / "meminfo").write_text("MemTotal:  9 kB\nMemAvailable:    4096 kB\n")
    assert machine.free_memory() == 4096 * 1024
    (said / "memory.max").write_text("max\n")
    (said / "memory.current").write_text("1000\n")
    assert machine.free_memory() == 4096 * 1024
    (said / "memory.max").write_text("5000\n")
    assert machine.free_memory() == 4000
    assert machine.too_large(4000) is None
    assert machine.too_large(3 * 2**30) == "needs 3.0 GB of memory, and 0.0 GB are free"
