"""Bars on a terminal, one for each stage; nothing elsewhere."""

import io

import pytest
from rich.console import Console

from gnomon.cli import progress
from gnomon.cli.progress import TerminalProgress


def test_nothing_is_printed_where_standard_error_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress() as bars:
        bars.stage("training", 3)(2)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    return text


@pytest.mark.parametrize("reuse", [False, True])
def test_a_stage_of_the_same_title_takes_the_same_bar_only_if_told_to(screen: io.StringIO, reuse: bool) -> None:
    with TerminalProgress(reuse=reuse) as bars:
        for total in (4, 5):
            step = bars.stage("training", total)
            for _ in range(total):
                step(1)
    last = screen.getvalue().rpartition("training")[0]
    shown = screen.getvalue()
    assert "5/5" in shown
    assert ("4/4" in shown.rpartition("5/5")[0][-400:]) == (not reuse)
    assert "training" in last
