"""Mistakes in `gnomon study`: one line on standard error, exit code 2, nothing written."""

from pathlib import Path

import pytest

from gnomon.cli.app import run

PLAN = '[data]\nsource = "digits"\n[trainer]\nkind = "torch"\nepochs = 1\n'


@pytest.mark.parametrize(
    ("plan", "arguments", "words"),
    [
        (PLAN, ["--vary", "trainer.epoch=1,2"], 'did you mean "epochs"'),
        (PLAN, ["--vary", "trainer.epochs=1,-2"], "trainer.epochs"),
        (PLAN, ["--vary", "trainer.epochs"], "expected KEY=VALUE"),
        (PLAN, ["--vary", "trainer.epochs=1", "--vary", "trainer.epochs=2"], "given twice"),
        (PLAN, ["--vary", "trainer=@nowhere.toml"], "nowhere.toml"),
        (PLAN, ["--vary", "seed=1,2"], "repeats"),
        (PLAN, ["--repeats", "0"], "1 or more"),
        (PLAN + "[study]\nrepeat = 3\n", [], 'did you mean "repeats"'),
        (PLAN + '[study]\nrepeats = "three"\n', [], "study.repeats"),
        (PLAN + '[study.vary]\n"trainer.epochs" = 5\n', [], "list of values"),
        (PLAN + "[[study.cells]]\nseed = 1\n", [], "needs a name"),
        ("[data\n", [], "not valid TOML"),
        ('[trainer]\nkind = "torch"\n', [], '"data" is missing'),
    ],
)
def test_a_mistake_gets_one_line_and_exit_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], plan: str, arguments: list[str], words: str
) -> None:
    (tmp_path / "plan.toml").write_text(plan)
    out = tmp_path / "out"
    assert run(["study", str(tmp_path / "plan.toml"), *arguments, "--to", str(out)]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(lines) == 1, lines
    assert words in lines[0]
    assert not out.exists()


def test_a_missing_plan_gets_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "nowhere.toml"]) == 2
    assert "no such plan file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shokri2016"], 'did you mean "shokri2017"'),
        (["shokri2017", "--budget", "soon"], "--budget"),
        (["shokri2017", "--budget", "0m"], "more than no time"),
        (["shokri2017", "--seeds", "0"], "1 or more"),
        (["shokri2017", "--budgets", "5m"], "budget"),
    ],
)
def test_a_mistake_in_reproduce_gets_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["reproduce", *arguments, "--to", str(tmp_path / "out")]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(lines) == 1, lines
    assert words in lines[0]
    assert not (tmp_path / "out").exists()
