"""What is free is what the machine, and the control group, say."""

from pathlib import Path

import pytest

from gnomon.core import system


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(system, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(system, "CGROUP", tmp_path)
    monkeypatch.setattr(system, "PROCESS", tmp_path)
    return tmp_path


def test_the_smaller_of_machine_and_control_group_counts(said: Path) -> None:
    assert system.free_memory() is None
    assert system.too_large(1e30) is None
    (said / "meminfo").write_text("MemTotal:  9 kB\nMemAvailable:    4096 kB\n")
    assert system.free_memory() == 4096 * 1024
    (said / "memory.max").write_text("max\n")
    (said / "memory.current").write_text("1000\n")
    assert system.free_memory() == 4096 * 1024
    (said / "memory.max").write_text("5000\n")
    assert system.free_memory() == 4000
    assert system.too_large(4000) is None
    assert system.too_large(3 * 2**30) == "needs 3.0 GB of memory, and 0.0 GB are free"


def test_a_group_within_a_group_has_its_own_limit(said: Path) -> None:
    inner = said / "user.slice" / "job.scope"
    inner.mkdir(parents=True)
    (said / "cgroup").write_text("9:name=systemd:/\n0::/user.slice/job.scope\n")
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("1000\n")
    assert system.free_memory() is None
    (inner.parent / "memory.max").write_text("7000\n")
    (inner.parent / "memory.current").write_text("2000\n")
    assert system.free_memory() == 5000
    (inner / "memory.max").write_text("4000\n")
    assert system.free_memory() == 3000
    (said / "cgroup").write_text("0::/of the host, not seen in here\n")
    (said / "memory.max").write_text("1500\n")
    (said / "memory.current").write_text("1000\n")
    assert system.free_memory() == 500


def test_files_that_a_group_keeps_in_memory_make_room(said: Path) -> None:
    (said / "memory.max").write_text("5000\n")
    (said / "memory.current").write_text("5000\n")
    assert system.free_memory() == 0
    (said / "memory.stat").write_text("anon 900\ninactive_file 4100\nactive_file 0\n")
    assert system.free_memory() == 4100


def test_the_limit_of_the_process_counts(said: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="limits of a process are Unix's")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10 * resource.getpagesize(), -1))
    (said / "statm").write_text("7 3 2 1 0 1 0\n")
    assert system.free_memory() == 3 * resource.getpagesize()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, -1))
    assert system.free_memory() is None


def cache(place: Path, number: int, **facts: str) -> None:
    (place / f"index{number}").mkdir(parents=True)
    for name, text in facts.items():
        (place / f"index{number}" / name).write_text(f"{text}\n")


def test_a_core_has_its_part_of_the_second_and_third_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "CACHES", tmp_path)
    assert system.core_cache() is None
    cache(tmp_path, 0, level="1", type="Data", size="32K", shared_cpu_list="0")
    cache(tmp_path, 1, level="2", type="Instruction", size="64K", shared_cpu_list="0")
    assert system.core_cache() is None
    cache(tmp_path, 2, level="2", type="Unified", size="512K", shared_cpu_list="0,8")
    cache(tmp_path, 3, level="3", type="Unified", size="32M", shared_cpu_list="0-3,8-11")
    cache(tmp_path, 4, level="3", type="Unified", size="?", shared_cpu_list="0")
    assert system.core_cache() == 256 * 2**10 + 4 * 2**20
