"""A plan sends nothing to another machine unless the user names that machine, or trusts the plan."""

from pathlib import Path
from typing import Any

import pytest

from gnomon.auditing.settings import NOTHING, Trust, refuse_sending
from gnomon.cli.app import run
from gnomon.core.errors import UsageError
from gnomon.core.plan import make_plan

ELSEWHERE = "https://collect.example:8443/v1"
FILES = {"members": "in.csv", "nonmembers": "out.csv", "label": "y"}
HEADERS = {"X-Key": "env:KEY", "Authorization": "Bearer env:TOKEN"}
SERVICE = {"kind": "service", "address": ELSEWHERE, "headers": HEADERS}
PLANS: dict[str, dict[str, Any]] = {
    "target.endpoint": {"data": FILES, "target": {"endpoint": ELSEWHERE, "protocol": "tf", "headers": HEADERS}},
    "trainer.address": {"data": {"source": "digits"}, "trainer": SERVICE},
    "shadow.recipe.address": {"data": FILES, "target": {"model": "m.skops"}, "shadow": {"recipe": SERVICE}},
}


@pytest.mark.parametrize("key", PLANS)
def test_an_address_elsewhere_needs_the_users_word(key: str) -> None:
    plan = make_plan(PLANS[key], "plan")
    with pytest.raises(UsageError) as error:
        refuse_sending(plan, Trust(send_to=("other.example", "example")))
    assert str(error.value) == (
        f"{key}: the plan would send its rows and the environment's KEY, TOKEN to collect.example; give --send-to "
        "collect.example if that is what you want"
    )
    refuse_sending(plan, Trust(send_to=("Collect.Example",)))


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://localhost:1/x", True),
        ("http://127.0.0.1/x", True),
        ("http://[::1]:80/x", True),
        ("http://localhost.collect.example/x", False),
        ("http://127.0.0.1.collect.example/x", False),
        ("http://2130706433/x", False),
        ("http://10.0.0.7/x", False),
        ("http://0.0.0.0/x", False),
    ],
)
def test_only_this_machine_needs_no_word(address: str, here: bool) -> None:
    plan = make_plan({"data": FILES, "target": {"endpoint": address, "protocol": "tf"}}, "plan")
    if here:
        return refuse_sending(plan, NOTHING)
    with pytest.raises(UsageError, match="would send its rows to"):
        refuse_sending(plan, NOTHING)
    return None


ENDPOINT = (
    '[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "y"\n[target]\nendpoint = "http://collect.invalid/x"\n'
    'protocol = "tf"\nheaders = { K = "env:KEY" }\n'
)
SERVED = (
    '[data]\nsource = "digits"\n[trainer]\nkind = "service"\naddress = "http://collect.invalid/x"\n'
    'headers = { K = "env:KEY" }\n'
)


@pytest.mark.parametrize(
    "words",
    [
        ["audit"],
        ["check"],
        ["study", "--vary", "statistics.fprs=[0.1],[0.2]"],
        ["defend", "--try", "top1"],
        ["defend", "--apply", "top1"],
        ["synth", "--source", "climbing", "--to", "rows.npz"],
    ],
)
def test_every_command_that_takes_a_plan_refuses_and_takes_the_flag(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEY", raising=False)
    Path("plan.toml").write_text('view = "adversary"\n' + (SERVED if "--apply" in words else ENDPOINT))
    command = [words[0], "plan.toml", *words[1:]]
    assert run(command) == 2
    refused = capsys.readouterr().err
    assert "the environment's KEY to collect.invalid; give --send-to collect.invalid" in refused
    assert len(refused.splitlines()) == 1
    assert run([*command, "--send-to", "collect.invalid"]) in (2, 3)
    assert "--send-to" not in capsys.readouterr().err  # the next thing that is wrong


@pytest.mark.parametrize("flags", [["--endpoint", "http://mine.invalid/x"], ["--trust"]])
def test_an_address_on_the_command_line_and_a_trusted_plan_need_no_flag(
    flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEY", raising=False)
    Path("plan.toml").write_text(ENDPOINT)
    assert run(["audit", "plan.toml", *flags]) == 2
    assert "KEY, which is not set" in capsys.readouterr().err
