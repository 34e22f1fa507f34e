"""`gnomon reproduce`: what is refused before anything runs, and what it takes for a time."""

import math
from pathlib import Path

import pytest

from gnomon.cli.app import run
from gnomon.cli.reproduce import parse_duration
from gnomon.core.errors import UsageError


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["shokri2017", "--seeds", "0"], "--seeds: expected 1 or more, got 0"),
        (["shokri2017", "--budget", "soon"], "soon"),
        (["shokri2071"], "shokri2017"),
        (["no-such-folder"], "no-such-folder"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    words: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["reproduce", *words, "--workers", "1"]) == 2
    said = [each for each in capsys.readouterr().err.splitlines() if each.strip()]
    assert len(said) == 1
    assert line in said[0]
    assert not any(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("60m", 3600), ("1h30m", 5400), ("90s", 90), ("45", 45), ("1.5h", 5400), ("1h 5m", 3900)]
)
def test_durations(text: str, seconds: float) -> None:
    assert math.isclose(parse_duration(text), seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 minutes", "-5m", "0", "1m2", "1..5m"])
def test_what_is_no_duration_is_said_so(text: str) -> None:
    with pytest.raises(UsageError, match="--budget"):
        parse_duration(text)
