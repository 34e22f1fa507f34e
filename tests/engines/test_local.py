import os
import signal
import sys
import wave
from pathlib import Path

import pytest

from gnomon.core.errors import ModelError
from gnomon.engines.local import Keep, LocalEngine, Task
from gnomon.engines.workers import stop_workers


def square(number: int) -> int:
    return number * number


def is_imported(name: str) -> bool:
    return name in sys.modules


def die_once(mark: str, number: int) -> int:
    if not Path(mark).exists():
        Path(mark).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse(number: int) -> int:
    raise ModelError(f"no {number}")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_comes_back_with_its_position(workers: int) -> None:
    tasks = [Task(f"task {i}", square, (i,)) for i in range(7)]
    found = {done.position: done.result for done in LocalEngine(workers).run(tasks)}
    assert found == {i: i * i for i in range(7)}


def test_workers_import_no_modules_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a stranger's plan may hold a stranger's ``joblib.py``."""
    for name in ("joblib", "signal"):  # of a worker, and of the process that joblib starts next to them
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'a').write('{name} ')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    stop_workers()
    tasks = [Task(name, os.getenv, (name,)) for name in ("PYTHONSAFEPATH", "HOME")]
    with LocalEngine(2).starting(wave.Wave_read):
        pass
    found = {done.position: done.result for done in LocalEngine(2).run(tasks)}
    stop_workers()
    assert not (tmp_path / "run").exists()
    assert found == {0: None, 1: os.getenv("HOME")}, "what the user's own code starts is not concerned"
    assert "PYTHONSAFEPATH" not in os.environ


def test_workers_have_imported_what_they_were_started_for() -> None:
    stop_workers()
    with LocalEngine(2).starting(wave.Wave_read), LocalEngine(1).starting():
        pass
    tasks = [Task(f"look {i}", is_imported, ("wave",)) for i in range(2)]
    assert [done.result for done in LocalEngine(2).run(tasks)] == [True, True]


def test_an_error_while_workers_start_is_raised_and_later_tasks_run() -> None:
    with pytest.raises(ModelError, match="no 3"), LocalEngine(2).starting(die):
        refuse(3)
    assert sorted(done.result for done in LocalEngine(2).run([Task("a", square, (1,)), Task("b", square, (2,))])) == [
        1,
        4,
    ]


def test_no_tasks_no_results() -> None:
    assert list(LocalEngine(2).run([])) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_tasks_own_error_is_raised(workers: int) -> None:
    with pytest.raises(ModelError, match="no 1"):
        list(LocalEngine(workers).run([Task("a", refuse, (1,)), Task("b", refuse, (1,))]))


def test_a_crashed_worker_is_retried(tmp_path: Path) -> None:
    tasks = [Task("fragile", die_once, (str(tmp_path / "mark"), 5)), Task("sound", square, (3,))]
    found = {done.position: done.result for done in LocalEngine(2).run(tasks)}
    assert found == {0: 5, 1: 9}


def test_a_task_that_keeps_crashing_is_named_and_the_others_finish() -> None:
    tasks = [Task("models 1 to 4", die, (1,)), *(Task(f"sound {i}", square, (i,)) for i in range(3))]
    finished = []
    with pytest.raises(ModelError, match="models 1 to 4"):
        finished.extend(done.position for done in LocalEngine(2).run(tasks))


def test_a_gpu_takes_one_process_and_a_core_another() -> None:
    assert [LocalEngine(4).slots(gpus) for gpus in (0, 1, 2, 8)] == [4, 1, 2, 4]
    assert LocalEngine().slots(3) == 3


def test_what_a_function_makes_is_kept() -> None:
    kept = {}
    task = Task("a", make, (3,), keep=lambda key, array, facts: kept.update({key: (array, facts)}))
    assert [done.result for done in LocalEngine(1).run([task])] == ["made"]
    assert kept == {"three": (3, {"half": 1.5})}


def make(number: int, *, keep: Keep) -> str:
    keep("three", number, {"half": number / 2})
    return "made"
