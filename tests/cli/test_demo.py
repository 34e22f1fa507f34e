"""`gnomon demo`: the plan that comes along, carried out into the folder that was named."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from gnomon.auditing.settings import Settings
from gnomon.cli import demo as module
from gnomon.cli.app import run
from gnomon.core.plan import make_plan


def test_the_plan_that_comes_along_is_a_plan() -> None:
    text = resources.files("gnomon.cli").joinpath("demo.toml").read_text(encoding="utf-8")
    plan = make_plan(tomllib.loads(text))
    assert (plan.name, plan.data.source, plan.data.train_size, plan.shadow.count) == ("demo", "baskets", 3000, 16)


def test_folder_and_workers_reach_the_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(module, "carry_out", lambda *given: seen.append(given) or "outcome")
    monkeypatch.setattr(module, "print_outcome", lambda outcome, folder, json: seen.append((outcome, folder)) or 0)
    assert run(["demo", "--to", str(tmp_path / "here"), "--workers", "3"]) == 0
    (values, plan, folder, settings), printed = seen
    assert (values["name"], plan, folder, settings) == ("demo", None, tmp_path / "here", Settings(workers=3))
    assert printed == ("outcome", tmp_path / "here")
