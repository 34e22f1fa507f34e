"""`gnomon check` says in seconds what an audit would say first, and trains nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.test_app_bad_input import folder as folder

from gnomon.auditing.check_plan import PlanCheck
from gnomon.cli.app import run
from gnomon.models.sklearn import SklearnTrainer

FILES = '[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "kind"\n[target]\nmodel = "m.skops"\n'


@pytest.fixture(autouse=True)
def nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object, **__: object) -> None:
        raise AssertionError("a check must not train")

    monkeypatch.setattr(SklearnTrainer, "train", train)


def plan(folder: Path, text: str) -> str:
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return str(folder / "plan.toml")


def test_a_good_plan_says_what_it_comes_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", plan(folder, FILES), "--json"]) == 0
    found = PlanCheck.model_validate_json(capsys.readouterr().out)
    assert (found.target, found.shadows, found.data.classes, found.stops) == ("given", 16, 2, False)
    assert found.name == "plan"
    kept_out = {a.name for a in found.attacks if a.refused is not None}
    assert {"boundary", "gradient_norm", "nasr", "nasr_insider", "trajectory"} <= kept_out  # no network to look into
    assert "lira" not in kept_out
    assert run(["check", plan(folder, FILES)]) == 0
    said = capsys.readouterr().out
    assert "16 shadow models of" in said
    assert "nothing that was checked stops the audit; nothing was trained or queried" in said
    assert not (folder / "runs").exists()


def test_an_error_that_would_stop_the_audit_is_code_1_unless_overridden(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = np.loadtxt("in.csv", delimiter=",", dtype=str)
    np.savetxt("out.csv", rows, fmt="%s", delimiter=",")  # the members once more
    assert run(["check", plan(folder, FILES)]) == 1
    said = capsys.readouterr().out
    assert "members-overlap" in said
    assert "would stop at the first error" in said
    codes = [f.code for f in _findings(folder, capsys) if f.severity == "error"]
    override = f"[preflight]\noverride = {json.dumps(codes)}\n"
    assert run(["check", plan(folder, FILES + override)]) == 0
    assert "error, overridden" in capsys.readouterr().out


def _findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> list:  # type: ignore[type-arg]
    run(["check", str(folder / "plan.toml"), "--json"])
    return PlanCheck.model_validate_json(capsys.readouterr().out).findings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FILES.replace("in.csv", "no.csv"), "no.csv"),
        (FILES.replace("m.skops", "m.pkl"), "m.pkl"),
        (FILES + "[shadow]\nsize = 5000\n", "5000"),
        (FILES + '[statistics]\nslices = ["age"]\n', "age"),
        (FILES + '[attacks]\nnames = ["lirra"]\n', 'did you mean "lira"'),
        ('[data]\nsource = "digits"\n', "trainer"),
    ],
)
def test_what_would_end_an_audit_in_one_line_ends_a_check(
    folder: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", plan(folder, text)]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
