"""`gnomon reproduce`: what is refused before anything runs."""

from pathlib import Path

import pytest

from gnomon.cli.app import run


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
