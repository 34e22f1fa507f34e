"""MLServer and MLflow themselves: what they answer over HTTP gives the record of the same model here.

Their environments are made under the folder that GNOMON_REAL_SERVERS names, and kept there: minutes the first time.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("httpx")
pytest.importorskip("tenacity")

from gnomon.cli.app import run

FOLDER = os.environ.get("GNOMON_REAL_SERVERS")
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),  # MLflow's own, in colour
    pytest.mark.skipif(
        not FOLDER,
        reason="real servers are installed and started only where GNOMON_REAL_SERVERS names a folder for them",
    ),
]
MAKE = """
import joblib, pandas as pd, sys
from sklearn.ensemble import RandomForestClassifier
table = pd.read_csv("in.csv")
model = RandomForestClassifier(20, random_state=0).fit(table.drop(columns="label"), table["label"])
if "mlflow" in sys.argv:
    import mlflow.sklearn
    mlflow.sklearn.save_model(
        model, "model", pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle"
    )
joblib.dump(model, "model.joblib")
"""
AUDIT = [
    "--members",
    "in.csv",
    "--nonmembers",
    "out.csv",
    "--label",
    "label",
    "--attacks",
    "gap,loss",
    "--workers",
    "1",
]


def environment(name: str, packages: Sequence[str]) -> Path:
    """The folder of programs of an environment with these packages; made once."""
    place = Path(str(FOLDER)) / name
    if not (place / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        done = subprocess.run(
            [str(place / "bin" / "pip"), "install", "-q", *packages], capture_output=True, text=True, timeout=1800
        )
        if done.returncode != 0:
            pytest.skip(f"{name} can't be installed here (offline?): {done.stderr[-300:]}")
        (place / "complete").touch()
    return place / "bin"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def started(command: Sequence[str], folder: Path, ready: str, programs: Path) -> Iterator[None]:
    """A server in a process of its own, ended as a group."""
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "PATH": path}, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 300
            while not answers(ready):
                assert process.poll() is None, (folder / "log.txt").read_text()[-2000:]
                assert time.monotonic() < deadline, (folder / "log.txt").read_text()[-2000:]
                time.sleep(0.3)
            yield
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pd = pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("abcd"))
    table["label"] = np.where(table["a"] + rng.normal(size=400) > 0, "ill", "well")
    table[:200].to_csv("in.csv", index=False)
    table[200:].to_csv("out.csv", index=False)
    (tmp_path / "make.py").write_text(MAKE)
    return tmp_path


def mlserver(folder: Path) -> tuple[list[str], str, str, str, Path]:
    programs = environment("mlserver", ["mlserver", "mlserver-sklearn", "pandas"])
    subprocess.run([str(programs / "python"), "make.py"], check=True)
    ports = [free_port() for _ in range(3)]
    settings = {"name": "risk", "implementation": "mlserver_sklearn.SKLearnModel"}
    (folder / "model-settings.json").write_text(json.dumps({**settings, "parameters": {"uri": "./model.joblib"}}))
    server = dict(zip(("http_port", "grpc_port", "metrics_port"), ports, strict=True))
    (folder / "settings.json").write_text(json.dumps({"host": "127.0.0.1", "parallel_workers": 0, **server}))
    root = f"http://127.0.0.1:{ports[0]}/v2/models/risk"
    return [str(programs / "mlserver"), "start", "."], f"{root}/ready", f"{root}/infer", "predict_proba", programs


def mlflow(folder: Path) -> tuple[list[str], str, str, str, Path]:
    programs = environment("mlflow", ["mlflow"])
    subprocess.run([str(programs / "python"), "make.py", "mlflow"], check=True)
    port = free_port()
    serve = ["models", "serve", "-m", "model", "-h", "127.0.0.1", "-p", str(port), "--env-manager", "local"]
    root = f"http://127.0.0.1:{port}"
    return [str(programs / "mlflow"), *serve], f"{root}/ping", f"{root}/invocations", "", programs


@pytest.mark.parametrize(("make", "protocol"), [(mlserver, "oip"), (mlflow, "invocations")])
def test_a_real_server_gives_the_record_of_the_same_model_here(
    make: Callable[[Path], tuple[list[str], str, str, str, Path]], protocol: str, folder: Path
) -> None:
    command, ready, url, output, programs = make(folder)
    requests = f'output = "{output}"' if output else ""
    (folder / "plan.toml").write_text(
        f'[target]\nendpoint = "{url}"\nprotocol = "{protocol}"\n[target.requests]\n{requests}\n'
        '[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "label"\n[attacks]\nnames = ["gap", "loss"]\n'
    )
    assert run(["audit", "--model", "model.joblib", "--trust", *AUDIT, "--shadows", "0", "--to", "here"]) == 0
    with started(command, folder, ready, programs):
        assert run(["audit", "plan.toml", "--to", "there"]) == 0
    here, there = (json.loads((folder / name / "record.json").read_text()) for name in ("here", "there"))
    assert timeless(here["attacks"]) == timeless(there["attacks"])
    for name, digest in there["provenance"]["fingerprints"].items():
        assert here["provenance"]["fingerprints"][name] == digest, name
    assert there["endpoint"]["queries"] == 404


def test_a_mitigated_model_served_by_mlflow_leaks_what_the_bench_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment is made from the requirements in the model's own folder."""
    pytest.importorskip("mlflow", reason="MLflow (extra mlflow) is not installed")
    programs = environment("mlflow", ["mlflow"])
    subprocess.run([str(programs / "python"), "make.py"], check=True)
    (folder / "plan.toml").write_text(
        '[target]\nmodel = "model.joblib"\n[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "label"\n'
        'reference_size = 40\n[shadow]\ncount = 0\n[attacks]\nnames = ["gap", "loss"]\n'
    )
    apply = ["--apply", "round1", "--as", "mlflow", "--to", "served", "--trust", "--workers", "1"]
    assert run(["defend", "plan.toml", *apply]) == 0
    own = environment("served", ["-r", str(folder / "served" / "requirements.txt")])
    port = free_port()
    serve = ["models", "serve", "-m", "served", "-h", "127.0.0.1", "-p", str(port), "--env-manager", "local"]
    root = f"http://127.0.0.1:{port}"
    (folder / "over-http.toml").write_text(
        f'[target]\nendpoint = "{root}/invocations"\nprotocol = "invocations"\nreveals = "rounded:1"\n'
        '[target.requests]\nanswers = "map"\n'
        '[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "label"\nreference_size = 40\n'
        '[shadow]\ncount = 0\n[attacks]\nnames = ["gap", "loss"]\n'
    )
    with started([str(own / "mlflow"), *serve], folder, f"{root}/ping", own):
        assert run(["audit", "over-http.toml", "--to", "there"]) == 0
    bench = json.loads((folder / "runs" / "plan-defend" / "audits" / "round1" / "record.json").read_text())
    there = json.loads((folder / "there" / "record.json").read_text())
    aucs = [{a["name"]: a["auc"]["value"] for a in record["attacks"] if a["auc"]} for record in (bench, there)]
    assert {name: aucs[0][name] for name in ("gap", "loss")} == pytest.approx(
        {name: aucs[1][name] for name in ("gap", "loss")}, abs=1e-6
    )


def timeless(attacks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**attack, "seconds": 0} for attack in attacks]
