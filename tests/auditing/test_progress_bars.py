"""Bars on a terminal, one for each stage; nothing elsewhere."""

import io
import sys
import types

import pytest
from rich.console import Console

from gnomon.auditing import settings as progress
from gnomon.auditing.settings import TerminalProgress, following


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


class Cell:
    """What IPython shows, in the order in which it is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def module(self) -> types.ModuleType:
        made = types.ModuleType("IPython.display")
        made.HTML = str  # type: ignore[attr-defined]
        made.display = self.display  # type: ignore[attr-defined]
        return made

    def display(self, html: str, display_id: bool) -> "Cell":
        assert display_id
        self.update(html)
        return self

    def update(self, html: str) -> None:
        self.shown.append(html)


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    made = Cell()
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", made.module())
    monkeypatch.setattr(progress, "Console", lambda: types.SimpleNamespace(is_jupyter=True))
    return made


def test_a_notebook_gets_a_line_a_stage_that_ends_full(cell: Cell) -> None:
    with following(True) as told:
        step = told.stage("shadow <models>", 3)
        for _ in range(3):
            step(1)
        told.stage("unknown", None)(1)
    assert '<progress value="3" max="3">' in cell.shown[-3]
    assert "shadow &lt;models&gt;" in cell.shown[0]
    assert "left" not in cell.shown[-3]
    assert len(cell.shown) <= 6


def test_nobody_is_told_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with following(False) as told:
        told.stage("training", 3)(2)
    assert capsys.readouterr() == ("", "")
