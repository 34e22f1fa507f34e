import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.engines.cluster_tasks import Unknown, die, one_of_many, refuse, wait_and_keep

import gnomon.engines.ray as engine_module
from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import ModelError, UsageError
from gnomon.engines.installed import installed
from gnomon.engines.local import Engine, LocalEngine, Task
from gnomon.engines.ray import RayEngine, _Sender
from gnomon.models.sklearn import SklearnTrainer
from gnomon.shadow.pool import PoolAnswers, ShadowPool
from gnomon.store.arrays import ArrayStore

ray = pytest.importorskip("ray", reason="gnomon's extra ray is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray leaves files and processes to the garbage collector
SEEDS = range(6)
REFUSED = r"^node .* of the Ray cluster has .*torch .*\(here 0\.1\): install there"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes on this machine, of one processor each."""
    from ray.cluster_utils import Cluster

    for name, value in {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}.items():
        monkeypatch.setenv(name, value)
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        started.second = started.add_node(num_cpus=1)
        yield started
    finally:
        ray.shutdown()
        started.shutdown()


def answers(folder: Path, engine: Engine, data: Dataset) -> PoolAnswers:
    rows = [np.arange(i, i + 150) for i in SEEDS]
    pool = ShadowPool(ArrayStore(folder), engine, SklearnTrainer(LogisticRegression()))
    return pool.answers(data, rows, np.arange(200), list(SEEDS))


def test_a_cluster_that_loses_a_node_gives_the_bits_of_this_machine(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    engine = RayEngine(cluster.address)
    assert engine.slots() == 2

    # the same bits as here
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 20))
    data = make_dataset(x, (x[:, 0] + rng.normal(size=200) > 0).astype(int))
    here, there = (answers(tmp_path / name, one, data) for name, one in (("a", LocalEngine(1)), ("b", engine)))
    assert here.keys == there.keys
    for a, b in zip(here.answers, there.answers, strict=True):
        np.testing.assert_array_equal(a, b)
    assert answers(tmp_path / "b", LocalEngine(1), data).reused == len(SEEDS)  # on this machine's disk

    # a run that is broken off keeps what it made, and the next one makes the rest
    kept: dict[str, float] = {}
    tasks = [
        Task(f"task {i}", wait_and_keep, (i,), keep=lambda key, array, facts: kept.update({key: float(array.sum())}))
        for i in range(8)
    ]
    running = engine.run(tasks)
    first = next(running)
    assert kept[f"array {first.position}"] == 200_000.0 * first.position
    running.close()

    # what kills its workers is named, and the others finish
    done = {}
    with pytest.raises(ModelError, match="models 1 to 4: the worker process died 3 times"):
        for one in engine.run([Task("models 1 to 4", die, (1,)), Task("sound", len, ("ray",))]):
            done[one.position] = one.result
    assert done == {1: 3}
    assert capfd.readouterr() == ("", "")  # Ray itself would write of it to standard output

    # an error of a task's own is raised as it is, and a node with other packages is refused
    with pytest.raises(ModelError, match=r"^no 1$"):
        list(engine.run([Task("a", refuse, (1,))]))
    with monkeypatch.context() as other, pytest.raises(UsageError, match=REFUSED):
        other.setattr(engine_module, "installed", lambda: {**installed(), "torch": "0.1"})
        list(engine.run([Task("a", len, ("ray",))]))

    # what a worker can't load is one line
    with pytest.raises(UsageError, match=r"^a: a worker of the Ray cluster can't load .*No module named 'mine'"):
        list(engine.run([Task("a", len, (Unknown(),))]))

    # a node that goes in the middle costs its unfinished tasks, which run again
    done = {}
    for one in engine.run(tasks):
        if not done:
            cluster.remove_node(cluster.second, allow_graceful=False)
        done[one.position] = one.result
    assert done == {i: i * i for i in range(8)}
    assert kept == {f"array {i}": 200_000.0 * i for i in range(8)}


class Recorder:
    """Stands in for Ray: what is put into its store, and what is sent."""

    def __init__(self) -> None:
        self.puts: list[Any] = []
        self.sent: list[tuple[Any, ...]] = []
        self.asked: list[dict[str, Any]] = []

    def put(self, value: Any) -> str:
        self.puts.append(value)
        return f"reference {len(self.puts) - 1}"

    def remote(self, *arguments: Any, **options: Any) -> Any:
        if options:  # ray.remote(...), which is then called with the function
            self.asked.append(options)
            return lambda function: self
        self.sent.append(arguments)
        return self

    def options(self, **options: Any) -> "Recorder":
        self.asked.append(options)
        return self


def test_what_tasks_share_is_sent_once_and_a_gpu_is_asked_for_where_one_is_needed() -> None:
    shared = np.arange(5)
    tasks = [Task(f"task {i}", one_of_many, (shared, 1000 + i), gpus=i % 2) for i in range(3)]
    recorder = Recorder()
    send = _Sender(recorder, tasks)
    for i in range(3):
        send(i)
    [place] = [i for i, value in enumerate(recorder.puts) if value is shared]
    assert [sent[-2:] for sent in recorder.sent] == [(f"reference {place}", 1000 + i) for i in range(3)]
    assert recorder.asked == [{"max_retries": 0, "num_cpus": 1}, {"num_gpus": 1}]


def test_workers_limit_what_a_cluster_of_others_runs_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RayEngine, "slots", lambda self, gpus=0: self.workers or 8)
    assert [RayEngine(*given)._most(0) for given in (("h:1", 3), ("h:1", None), ("ray", 3))] == [3, 16, 6]


def test_a_cluster_that_is_not_there_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"^Ray cluster 127\.0\.0\.1:1: can't be used: .*set RAY_AUTH_MODE=token$"):
        RayEngine("127.0.0.1:1").slots()


PLAN = """
[data]
source = "baskets"
rows = 400
classes = 2
[trainer]
kind = "sklearn"
estimator = "sklearn.linear_model:LogisticRegression"
[shadow]
count = 200
[attacks]
names = ["loss", "lira"]
[preflight]
override = ["one-sided-class"]
"""


def test_a_command_that_is_ended_keeps_what_was_finished_and_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "numpy.py").write_text("raise ImportError")  # a module of the working folder: nobody's
    words = [sys.executable, "-P", "-m", "gnomon", "audit", "plan.toml", "--to", "run"]
    with tempfile.TemporaryDirectory(prefix="gnomon-ray-", dir="/tmp") as short:  # names of sockets have a limit
        environment = {**os.environ, "RAY_TMPDIR": short, "HOME": str(tmp_path)}
        command = subprocess.Popen(
            [*words, "--engine", "ray", "--workers", "2"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
        )
        store, deadline = tmp_path / "run" / "store", time.monotonic() + 100
        while not list(store.glob("*/*.json")) and command.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        command.terminate()
        said = command.communicate(timeout=60)[1].decode()
        assert command.returncode == 143, said
        assert said.splitlines()[-1].startswith("gnomon: ended by a signal; what was finished is kept")
        assert not _processes_of(short)
    assert not (tmp_path / ".ray").exists()
    assert list(store.glob("*/*.json"))


def _processes_of(word: str) -> list[str]:
    """Command lines of processes that name a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(place.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if word in line]
