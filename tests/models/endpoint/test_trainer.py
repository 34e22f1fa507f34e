"""A service that trains: found again after a kill, never begun twice, cleaned up also after a failure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier
from tests.models.endpoint.training_server import Trainings, training

pytest.importorskip("httpx")
pytest.importorskip("tenacity")

from gnomon.cli.app import run
from gnomon.core.documents.endpoint import RequestsPlan
from gnomon.core.errors import GnomonError, ModelError, UsageError
from gnomon.models.endpoint.trainer import ServiceTrainer

SECRET = "payl0ad-secret"
ROWS = np.arange(40)


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).round(4)
    return x, (x[:, 0] + rng.normal(size=n) > 0).astype(np.int64)


def trainer(url: str, **more: Any) -> ServiceTrainer:
    headers = {"Authorization": "Bearer env:TRAINER_TOKEN"}
    given = {"poll": 0.02, "requests": RequestsPlan(backoff=0.01, timeout=5), "headers": headers, **more}
    return ServiceTrainer(url, **given).for_labels(("no", "yes"), ("no", "yes"))


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINER_TOKEN", SECRET)


def test_a_service_gives_what_the_same_training_gives_here_and_is_left_empty() -> None:
    x, y = rows(60)
    service = Trainings(seconds=0.05)
    with training(service) as url:
        [model] = trainer(url).train(x, y, 2, [ROWS], [5])
        tree = DecisionTreeClassifier(random_state=5, max_features=2).fit(x[:40], y[:40])
        np.testing.assert_array_equal(np.exp(model.log_probs(x)), tree.predict_proba(x))
        assert len(service.jobs) == 1
        del model
    assert service.jobs == {}
    assert service.headers[0]["Authorization"] == f"Bearer {SECRET}"


def test_a_training_that_runs_is_found_again_and_not_begun_twice(tmp_path: Path) -> None:
    x, y = rows(60)
    service = Trainings(seconds=0.3)
    with training(service) as url:
        asked = trainer(url, folder=tmp_path, timeout=0.05, max_jobs=1)
        service.harm = lambda method, _: "500" if method == "DELETE" else ""  # as where the run was killed
        with pytest.raises(ModelError, match=r"took longer than 0\.05 s"):
            asked.train(x, y, 2, [ROWS], [5])
        service.harm = lambda *_: ""
        [model] = trainer(url, folder=tmp_path, max_jobs=1).train(x, y, 2, [ROWS], [5])
        assert len(model.log_probs(x)) == 60
        assert len(service.begun) == 1
        del model
    assert service.jobs == {}


def test_errors_on_the_way_are_tried_again_and_begin_nothing_twice(tmp_path: Path) -> None:
    x, y = rows(60)
    service = Trainings(harm=lambda method, number: "503" if number % 2 == 0 and method != "train" else "")
    with training(service) as url:
        models = trainer(url, folder=tmp_path).train(x, y, 2, [ROWS, ROWS + 5], [1, 2])
        assert all(len(model.log_probs(x)) == 60 for model in models)
        assert len(service.begun) == 2
        del models
    assert service.jobs == {}


def test_max_jobs_is_never_passed_over_all_runs(tmp_path: Path) -> None:
    x, y = rows(60)
    service = Trainings()
    with training(service) as url:
        for seed in (1, 2):
            trainer(url, folder=tmp_path, max_jobs=2).train(x, y, 2, [ROWS], [seed])
        with pytest.raises(UsageError, match=r"trainer\.max_jobs = 2"):
            trainer(url, folder=tmp_path, max_jobs=2).train(x, y, 2, [ROWS], [3])
    assert len(service.begun) == 2
    assert service.jobs == {}


def test_a_failed_training_is_removed_and_its_message_hides_secrets(tmp_path: Path) -> None:
    x, y = rows(60)
    service = Trainings(harm=lambda method, _: "yes" if method == "train" else "")
    with training(service) as url:
        with pytest.raises(ModelError, match="could not train a model on 40 rows: no memory for") as error:
            trainer(url, folder=tmp_path).train(x, y, 2, [ROWS], [1])
        assert SECRET not in str(error.value)
        assert service.jobs == {}
        service.harm = lambda *_: ""
        [model] = trainer(url, folder=tmp_path).train(x, y, 2, [ROWS], [1])
        assert len(model.log_probs(x)) == 60


@pytest.mark.parametrize("status", ["400", "401", "500"])
def test_a_service_that_refuses_stops_all_and_shows_no_secret(status: str, tmp_path: Path) -> None:
    x, y = rows(60)
    with training(Trainings(harm=lambda *_: status)) as url:
        asked = trainer(url, folder=tmp_path, requests=RequestsPlan(tries=2, backoff=0.01, timeout=5))
        with pytest.raises(UsageError, match=f"can't be used: endpoint .*status {status}") as error:
            asked.train(x, y, 2, [ROWS], [1])
    assert SECRET not in str(error.value)
    assert SECRET not in repr(asked)
    assert SECRET not in json.dumps(asked.recipe())


def test_what_was_left_is_removed_by_the_next_run(tmp_path: Path) -> None:
    x, y = rows(60)
    service = Trainings()
    with training(service) as url:
        asked = trainer(url, folder=tmp_path, requests=RequestsPlan(tries=1, timeout=5))
        service.harm = lambda method, _: "500" if method == "DELETE" else ""
        asked.train(x, y, 2, [ROWS], [1])
        assert len(service.jobs) == 1
        service.harm = lambda *_: ""
        asked.tidy()
    assert service.jobs == {}


PLAN = """
[data]
members = "in.npz"
nonmembers = "out.npz"
[target]
member_answers = "in_answers.npz"
nonmember_answers = "out_answers.npz"
[trainer]
kind = "service"
address = "{url}"
headers = {{ Authorization = "Bearer env:TRAINER_TOKEN" }}
poll = 0.05
max_jobs = {most}
[shadow]
count = 6
[attacks]
names = ["gap", "loss", "lira"]
rehearsals = 1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("in", "out")):
        x, y = rows(120, seed)
        np.savez(f"{name}.npz", x=x, y=np.array(["no", "yes"])[y])
        second = np.where(y == 1, 0.8, 0.3) if name == "in" else np.full(120, 0.6)
        np.savez(f"{name}_answers.npz", answers=np.column_stack([1 - second, second]))
    return tmp_path


def test_an_audit_with_a_service_is_killed_and_goes_on(folder: Path) -> None:
    service = Trainings(seconds=0.4)
    with training(service) as url:
        (folder / "plan.toml").write_text(PLAN.format(url=url, most=6))
        command = [sys.executable, "-m", "gnomon", "audit", "plan.toml", "--to", "run", "--workers", "1"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 120
            while len(service.begun) < 3 and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
        assert len(service.begun) == 3
        service.seconds = 0.0
        assert run(["audit", "plan.toml", "--to", "run", "--workers", "2"]) == 0
    assert len(service.begun) == len(set(service.begun)) == 6, (
        "the one that ran when the audit was killed is gone on with"
    )
    assert service.jobs == {}
    record = json.loads((folder / "run" / "record.json").read_text())
    assert record["recipe"]["kind"] == "service"
    assert record["shadows"]["reused"] == 2
    for file in (folder / "run").rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("max_jobs = {most}", "max_jobs = 2", "trainer.max_jobs = 2: so many models were begun"),
        ("max_jobs = {most}", "max_jobs = 0", "trainer.max_jobs"),
        ("poll = 0.05", "poll = 0", "trainer.poll"),
        ("Bearer env:TRAINER_TOKEN", SECRET, "which is not repeated here"),
        ("Bearer env:TRAINER_TOKEN", "env:NO_SUCH", "trainer.headers: Authorization takes its value from the variable"),
        ('address = "{url}"', "", "trainer.address is missing"),
        ('address = "{url}"', 'address = "http://me@host"', "no user name or password"),
        ('kind = "service"', 'kind = "none"', 'trainer.address is for kind = "service"'),
    ],
)
def test_a_wrong_key_is_one_line_and_nothing_is_left_there(
    folder: Path, old: str, new: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service = Trainings()
    with training(service) as url:
        assert old in PLAN.replace("{{", "{").replace("}}", "}") or old in PLAN
        (folder / "plan.toml").write_text(PLAN.replace(old, new).format(url=url, most=6))
        assert run(["audit", "plan.toml", "--to", "run", "--workers", "1"]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1
    assert SECRET not in said
    assert service.jobs == {}
    assert len(service.begun) <= 2


def test_a_service_that_is_not_there_is_one_line() -> None:
    with training(Trainings()) as url:
        pass
    x, y = rows(60)
    with pytest.raises(GnomonError, match="the connection failed"):
        trainer(url, requests=RequestsPlan(tries=1, timeout=5)).train(x, y, 2, [ROWS], [1])
