"""The report on a terminal: verdict, findings and a compact table, in 80 columns."""

from __future__ import annotations

import io
from collections.abc import Callable

from rich.box import HEAVY, SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from gnomon.core.record import Record
from gnomon.report.people import Chapter
from gnomon.report.tables import Table
from gnomon.report.view import NOTHING_FOUND, Notice, View, view

_STYLES = {"leaks": "red", "leaks_some": "yellow", "undecided": "magenta", "none_found": "blue", "invalid": "red"}
_SEVERITIES = {"error": "bold red", "warning": "bold yellow", "note": "bold blue"}
WIDTH = 80
_ATTACKS = 12  # the other reports hold them all
_EXPOSED = 5
_SLICES = 6  # rows, and columns, of a table on persons, slices or risk
_COLUMNS = 5


def print_terminal(record: Record, console: Console) -> None:
    """Prints the record's verdict, findings, attacks and most exposed records.

    Args:
        record: what to show.
        console: where to; its width and colours are respected.
    """
    shown = view(record)
    console.print(_verdict(shown))
    console.print()
    if shown.answers:
        console.print(Text(shown.answers, style="dim"))
        console.print()
    if shown.mitigated:
        console.print(Text(shown.mitigated))
        console.print()
    for notice in shown.alarms:
        console.print(_notice(notice))
    if shown.attacks.rows:
        console.print(grid(shown.attacks, len(shown.attacks.columns), _ATTACKS))
        _print_notes(shown, console)
    if shown.unfinished:
        for row in shown.unfinished.rows:
            console.print(Text.assemble((row[0].text, "bold"), f", {row[1].text}: {row[2].text}"))
        console.print()
    _print_panels(shown, console)
    if shown.exposed and shown.level not in NOTHING_FOUND:
        console.print(Text("Most exposed records", style="bold"))
        console.print(grid(shown.exposed, len(shown.exposed.columns), _EXPOSED))
        console.print()
    for chapter in shown.people:
        _print_chapter(chapter, console)
    if shown.not_tried:
        console.print(Text("Not tried", style="bold"))
    for line in shown.not_tried:
        console.print(Padding(Text(f"- {line}"), (0, 0, 0, 2)))


def _print_chapter(chapter: Chapter, console: Console) -> None:
    console.print(Text(chapter.title, style="bold"))
    console.print(grid(chapter.table, _COLUMNS, _SLICES))
    if len(chapter.table.rows) > _SLICES or chapter.rest:
        console.print(Text("The HTML and Markdown reports hold them all.", style="dim"))
    console.print()


def render_terminal(record: Record) -> str:
    """What `print_terminal` prints, as plain text of 80 columns."""
    return plain_text(lambda console: print_terminal(record, console))


def plain_text(show: Callable[[Console], None]) -> str:
    """What ``show`` prints to a console of 80 columns, without colours."""
    buffer = io.StringIO()
    show(Console(file=buffer, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _verdict(shown: View) -> Panel:
    lines = [Text(shown.headline, style="bold"), Text(), *(Text(sentence) for sentence in shown.sentences)]
    caveat = " ".join(filter(None, (shown.caveat, shown.choice)))
    style = _STYLES[shown.level]
    return Panel(
        Text("\n").join([*lines, Text(), Text(caveat, style="dim")]),
        title=Text(f" {shown.level_label} ", style=f"bold {style}"),
        title_align="left",
        subtitle=Text(f" {shown.name} "),
        subtitle_align="right",
        border_style=style,
        box=HEAVY,
        padding=(1, 2),
    )


def _notice(notice: Notice) -> Text:
    overridden = ", overridden in the plan" if notice.overridden else ""
    return Text.assemble(
        (f"{notice.severity.capitalize()}{overridden}: ", _SEVERITIES[notice.severity]),
        (notice.title, "bold"),
        f" ({notice.code})\n{notice.explanation}\nWhat to do: {notice.remedy}\n",
    )


def grid(table: Table, columns: int, most: int) -> Grid:
    """A table for the terminal: its first columns and rows, the small lines below a cell left out."""
    grid = Grid(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for i, column in enumerate(table.columns[:columns]):
        title = column.title.replace("TPR at ", "TPR\n@ ").replace("\N{NO-BREAK SPACE}FPR", "")
        grid.add_column(
            Text(title), justify="right" if column.numeric else "left", overflow="fold", ratio=None if i else 1
        )
    for i, row in enumerate(table.rows[:most]):
        cells = [Text(f"{cell.text} ({cell.mark})" if cell.mark else cell.text) for cell in row[:columns]]
        grid.add_row(*cells, style="bold" if i in table.strong else "")
    return grid


def _print_panels(shown: View, console: Console) -> None:
    for panel in shown.panels:
        if panel.terminal_table:
            console.print(Text(panel.terminal_table.title, style="bold"))
            console.print(grid(panel.terminal_table, len(panel.terminal_table.columns), _ATTACKS))
            console.print()
        for line in panel.terminal_lines:
            console.print(Text(line))
            console.print()


def _print_notes(shown: View, console: Console) -> None:
    hidden = len(shown.attacks.rows) - _ATTACKS
    if hidden > 0:
        console.print(Text(f"... and {hidden} more; the HTML and Markdown reports hold them all.", style="dim"))
    for letter, note in shown.attacks.notes:
        console.print(Text(f"({letter}) {note}", style="dim"))
    console.print()
