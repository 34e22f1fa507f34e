"""An audit over HTTP: the same record as without, one bill, and one line for each mistake."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.tree import DecisionTreeClassifier
from tests.models.endpoint.servers import Service, serving

pytest.importorskip("httpx")
pytest.importorskip("tenacity")

from gnomon.cli.app import run

N = 300
SECRET = "payload-s3cret"
FILES = ["--members", "in.csv", "--nonmembers", "out.csv", "--label", "kind", "--workers", "1"]
ATTACKS = ["--attacks", "gap,loss,confidence,modified_entropy"]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKEN", SECRET)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(2 * N, 3)).round(5), columns=["a", "b", "c"])
    frame["kind"] = np.where(frame["a"] + rng.normal(size=2 * N) > 0, "yes", "no")
    frame[:N].to_csv("in.csv", index=False)
    frame[N:].to_csv("out.csv", index=False)
    model = DecisionTreeClassifier(min_samples_leaf=3, random_state=0).fit(
        frame[["a", "b", "c"]][:N], frame["kind"][:N]
    )
    skops.io.dump(model, "m.skops")
    return Service(lambda rows: model.predict_proba(pd.DataFrame(rows, columns=["a", "b", "c"])))


def over_http(url: str, *more: str, to: str = "http") -> list[str]:
    given = ["--endpoint", f"{url}/invocations", "--protocol", "invocations", "--header", "Authorization=env:TOKEN"]
    return ["audit", *given, *FILES, *ATTACKS, *more, "--to", to]


def record(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(folder) / "record.json").read_text())
    return found


def test_an_audit_over_http_gives_the_record_of_the_same_model_here(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "--model", "m.skops", *FILES, *ATTACKS, "--shadows", "0", "--to", "here"]) == 0
    capsys.readouterr()
    with serving(service) as url:
        assert run(over_http(url)) == 0
    said = capsys.readouterr()
    assert "an answer is probabilities of 2 classes in the order no, yes" in said.err
    assert "an attacker spends 604 queries" in " ".join(said.out.split())
    here, there = record("here"), record("http")
    for key in ("attacks", "verdict", "target", "data", "exposed", "ladder", "risk", "slices"):
        for part in here["attacks"], there["attacks"]:
            for attack in part:
                attack["seconds"] = 0
        assert here[key] == there[key], key
    for name, digest in there["provenance"]["fingerprints"].items():
        assert here["provenance"]["fingerprints"][name] == digest, name
    assert set(service.answered.values()) <= {1, 2}
    assert sum(service.answered.values()) == 2 * N + 4
    facts = there["endpoint"]
    assert (facts["queries"], facts["records"], facts["twice"], facts["changed"]) == (2 * N + 4, 2 * N, 4, 0)
    page = Path("http/report.html").read_text()
    assert "604 queries" in page
    assert service.headers[0]["Authorization"] == SECRET
    assert SECRET not in said.err + said.out
    for file in Path("http").rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes()


def test_a_killed_audit_queries_nothing_twice(service: Service) -> None:
    service.delay = 0.05
    with serving(service) as url:
        plan = {"batch": 10, "concurrency": 2, "twice": 0}
        lines = "\n".join(f"{key} = {value}" for key, value in plan.items())
        Path("plan.toml").write_text(
            f'[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "kind"\n[target]\nendpoint = '
            f'"{url}/invocations"\nprotocol = "invocations"\nquery_budget = 640\n[target.requests]\n{lines}\n'
            '[attacks]\nnames = ["gap", "loss"]\n'
        )
        command = [sys.executable, "-m", "gnomon", "audit", "plan.toml", "--to", "run"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 120
            while len(service.answered) < 150 and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.2)
        before = service.received
        assert 150 <= before < 2 * N
        service.delay = 0.0
        assert run(["audit", "plan.toml", "--to", "run"]) == 0
    on_their_way = service.received - 2 * N  # sent before the kill, and lost with it
    assert 0 <= on_their_way <= 20
    assert sum(v - 1 for v in service.answered.values()) <= 20
    facts = record("run")["endpoint"]
    assert facts["records"] == 2 * N
    assert facts["kept"] >= before - 20
    assert service.received <= facts["queries"] <= 640


def test_a_budget_that_the_audited_records_alone_would_pass(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(service) as url:
        Path("plan.toml").write_text(
            '[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "kind"\n'
            f'[target]\nendpoint = "{url}/x"\nprotocol = "tf"\nquery_budget = 599\n'
        )
        assert run(["audit", "plan.toml", "--to", "run"]) == 2
        assert "600 more records to send, 599 of 599 are left" in capsys.readouterr().err
        assert service.requests == 0


def test_attacks_that_query_share_what_the_budget_leaves(service: Service) -> None:
    for name in ("in", "out"):
        frame = pd.read_csv(f"{name}.csv")
        np.savez(f"{name}.npz", x=frame[["a", "b", "c"]].to_numpy(), y=frame["kind"].to_numpy(str))
    with serving(service) as url:
        Path("plan.toml").write_text(
            '[data]\nmembers = "in.npz"\nnonmembers = "out.npz"\n'
            f'[target]\nendpoint = "{url}/x"\nprotocol = "tf"\nquery_budget = 1900\n'
            '[attacks]\nnames = ["gap", "boundary"]\n'
        )
        assert run(["audit", "plan.toml", "--to", "run"]) == 0
    attack = next(a for a in record("run")["attacks"] if a["name"] == "boundary")
    assert attack["status"] == "ok", attack["reason"]
    assert 600 <= attack["queries"] <= 1900 - 604
    assert 604 + 600 <= service.received <= 1900


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--endpoint", "ftp://h/x", "--protocol", "tf"], "expected an address such as http://"),
        (["--endpoint", "http://me:payload-s3cret@h/x", "--protocol", "tf"], "no user name or password"),
        (["--endpoint", "http://h/x?token=payload-s3cret", "--protocol", "tf"], "its query may hold a secret"),
        (["--endpoint", "http://h/x"], "protocol is missing"),
        (["--endpoint", "http://h/x", "--protocol", "grpc"], "'oip', 'invocations', 'tf' or 'template'"),
        (["--protocol", "tf", "--model", "m.skops"], "protocol is for a model behind an endpoint"),
        (["--endpoint", "http://h/x", "--protocol", "tf", "--model", "m.skops"], "endpoint or model, not both"),
        (["--endpoint", "http://h/x", "--protocol", "tf", "--header", "A=payload-s3cret"], "which is not repeated"),
        (["--endpoint", "http://h/x", "--protocol", "tf", "--header", "payload-s3cret"], "expected NAME=env:VARIABLE"),
        (["--endpoint", "http://h/x", "--protocol", "tf", "--header", "A=env:NONE"], "NONE, which is not set"),
        (["--endpoint", "http://h/x", "--protocol", "template"], "requests.request is missing"),
        (["--endpoint", "http://h/infer2", "--protocol", "oip"], "ends with /infer"),
    ],
)
def test_a_wrong_flag_is_one_line(
    service: Service, flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", *flags, *FILES, *ATTACKS, "--to", "run"]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1
    assert SECRET not in said
    assert not Path("run/record.json").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('form = "csv"', '"csv" is no form of protocol = "tf"'),
        ("batch = 0", "requests.batch"),
        ("concurrency = 0", "requests.concurrency"),
        ("per_second = 0", "requests.per_second"),
        ("timeout = 0", "requests.timeout"),
        ("timeout = inf", "requests.timeout: input should be a finite number, got inf"),
        ("timeout = 1e300", "requests.timeout: input should be less than or equal to 86400"),
        ("backoff = 1e300", "requests.backoff: input should be less than or equal to 86400"),
        ("per_second = 1e-300", "requests.per_second"),
        ("tries = 0", "requests.tries"),
        ("backoff = 0", "requests.backoff"),
        ("twice = -1", "requests.twice"),
        ('answers = "logits"', "requests.answers"),
        ('output = "p"', 'requests.output is for protocol = "oip"'),
        ('request = "{}"', 'requests.request is for protocol = "template"'),
        ('answer_ids = "a"', 'requests.answer_ids is for protocol = "template"'),
        ('answer = "a["', "no JMESPath"),
        ('classes = ["a"]', "2 or more different classes"),
        ("bach = 3", 'did you mean "batch"'),
    ],
)
def test_a_wrong_key_is_one_line(service: Service, line: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("jmespath")
    Path("plan.toml").write_text(
        '[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "kind"\n'
        f'[target]\nendpoint = "http://127.0.0.1:9/x"\nprotocol = "tf"\n[target.requests]\n{line}\n'
    )
    assert run(["audit", "plan.toml", "--to", "run"]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said
    assert len(said.splitlines()) == 1


def test_mitigations_of_the_answers_are_tried_on_an_endpoint_and_others_are_one_line(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = (
        '[target]\nendpoint = "{url}/invocations"\nprotocol = "invocations"\n[data]\nmembers = "in.csv"\n'
        'nonmembers = "out.csv"\nlabel = "kind"\n[shadow]\ncount = 0\n[attacks]\nnames = ["gap", "loss"]\n'
    )
    with serving(service) as url:
        Path("plan.toml").write_text(plan.format(url=url))
        assert run(["defend", "plan.toml", "--try", "labels,l2:1e-3", "--to", "bench", "--workers", "1"]) == 0
        asked = sum(service.answered.values())
        capsys.readouterr()
        assert run(["defend", "plan.toml", "--apply", "labels"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a mitigation needs the model itself, but the plan gives an endpoint" in said
    rows = {row["label"]: row for row in json.loads(Path("bench/defence.json").read_text())["results"]}
    assert rows["labels"]["status"] == "ok"
    assert rows["l2:0.001"]["status"] == "not applicable"
    plain, labels = (record(f"bench/audits/{name}")["attacks"] for name in ("none", "labels"))
    aucs = [{a["name"]: a["auc"]["value"] for a in part if a["auc"]} for part in (plain, labels)]
    assert aucs[0]["gap"] == aucs[1]["gap"]
    assert aucs[0]["loss"] > aucs[1]["loss"]
    assert asked == sum(service.answered.values())
