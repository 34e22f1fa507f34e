"""`gnomon init` writes a plan that `gnomon check` passes, from flags and from answers; what it offers can be used."""

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
from tests.cli.test_app_bad_input import folder as folder

from gnomon.cli.app import run
from gnomon.core.plan import make_plan, read_plan

MODEL = ["--model", "m.skops", "--members", "in.csv", "--nonmembers", "out.csv", "--label", "kind"]
ANSWERS = ["--member-answers", "in_answers.npz", "--nonmember-answers", "out_answers.npz", *MODEL[2:]]


@pytest.mark.parametrize("flags", [MODEL, ANSWERS, ["--source", "digits"]], ids=["model", "answers", "source"])
def test_what_is_written_passes_the_check(folder: Path, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "plans/mine.toml", *flags]) == 0
    assert "next: gnomon audit plans/mine.toml --to runs/mine" in capsys.readouterr().out
    assert run(["check", "plans/mine.toml"]) == 0
    plan = read_plan("plans/mine.toml")
    assert plan.name == "mine"
    assert plan.trainer.kind == ("sklearn" if "--source" in flags else "clone")
    text = Path("plans/mine.toml").read_text(encoding="utf-8")
    if flags is MODEL:
        assert 'members = "../in.csv"' in text
        assert "# file of the rows that the target was trained on" in text


@pytest.mark.parametrize("flags", [MODEL, ["--source", "digits"]], ids=["model", "source"])
def test_every_key_that_is_offered_can_be_taken(folder: Path, flags: list[str]) -> None:
    run(["init", "plan.toml", *flags])
    lines = Path("plan.toml").read_text(encoding="utf-8").splitlines()
    offered = [i for i, line in enumerate(lines) if re.match(r"# \w+ = ", line)]
    assert len(offered) >= 6
    for i in offered:
        taken = [*lines[:i], lines[i][2:], *lines[i + 1 :]]
        make_plan(tomllib.loads("\n".join(taken)))


def answers(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    left = iter(words)
    monkeypatch.setattr("builtins.input", lambda: next(left))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (
            ["x", "1", "", "m.skops", "in.csv", "out.csv", "kind", "", "labels"],
            {"model": "m.skops", "reveals": "labels"},
        ),
        (
            ["2", "in.csv", "out.csv", "kind", "", "in_answers.npz", "out_answers.npz", ""],
            {"member_answers": "in_answers.npz", "nonmember_answers": "out_answers.npz"},
        ),
        (["3", "digits"], {}),
    ],
)
def test_answers_to_questions_do_the_same(
    folder: Path, words: list[str], target: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, *words)
    assert run(["init"]) == 0
    values = tomllib.loads(Path("plan.toml").read_text(encoding="utf-8"))
    assert values["target"] == target


def test_questions_leave_standard_output_to_the_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, "3", "digits")
    assert run(["init", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["target"] == "trained here"
    assert said.err.startswith("What do you have?")


@pytest.mark.parametrize("given", [[], ["1", "m.skops"]])
def test_input_that_ends_among_the_questions_is_one_line(
    folder: Path, given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = iter(given)

    def typed() -> str:
        for word in left:
            return word
        raise EOFError

    answers(monkeypatch)
    monkeypatch.setattr("builtins.input", typed)
    assert run(["init"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("gnomon: no answer: give --members")
    assert not Path("plan.toml").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["init"], "no answer: give --members"),
        (["init", "plan.toml", *MODEL[:2]], "expected either source"),
        (["init", "plan.toml", *MODEL[:4], "--nonmembers", "no.csv", "--label", "kind"], "no.csv"),
        (["init", "in.csv", *MODEL], "exists already"),
    ],
)
def test_wrong_input_is_one_line_and_nothing_is_written(
    folder: Path, words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    assert run(words) == 2
    assert expected in " ".join(capsys.readouterr().err.split())
    assert sorted(folder.rglob("*")) == before


def test_a_plan_whose_audit_would_stop_is_written_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    swapped = [word.replace("out.csv", "in.csv") for word in MODEL]
    assert run(["init", "plan.toml", *swapped, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert "members-overlap" in {f["code"] for f in found["findings"]}
    assert Path("plan.toml").exists()
