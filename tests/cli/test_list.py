"""`gnomon list` names everything there is, wherever it is printed."""

import pytest

from gnomon.attacks import ATTACKS
from gnomon.cli.app import run
from gnomon.datasets import SOURCES
from gnomon.mitigations import MITIGATIONS


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("attacks", [a.name for a in ATTACKS]),
        ("datasets", [s.name for s in SOURCES]),
        ("mitigations", [m.name for m in MITIGATIONS]),
    ],
)
def test_every_name_starts_a_line(
    what: str, names: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["list", what]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines if line and line[0] in names] == names


def test_another_word_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "attack"]) == 2
    assert "attack" in capsys.readouterr().err
