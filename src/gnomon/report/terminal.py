"""A page on a terminal: verdict, findings and compact tables, in 80 columns."""

from __future__ import annotations

import io

from rich.box import HEAVY, SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from gnomon.report.formatting import clean
from gnomon.report.sections import Page, Remark, Section, Table

_STYLES = {"leaks": "red", "leaks_some": "yellow", "undecided": "magenta", "none_found": "blue", "invalid": "red"}
_TONES = {"error": "bold red", "warning": "bold yellow", "note": "bold blue", "good": "bold green"}
_WIDTH = 80


def show(page: Page, console: Console) -> None:
    """Prints the verdict, and of each section what it has for a terminal."""
    if page.label:
        console.print(_verdict(page))
    else:
        console.print(_text(page.headline, "bold"))
        for sentence in page.sentences:
            console.print(_text(sentence))
    for section in page.sections:
        if section.brief:
            _section(section, console)


def render_terminal(page: Page) -> str:
    """What `show` prints, as plain text of 80 columns."""
    buffer = io.StringIO()
    show(page, Console(file=buffer, width=_WIDTH, color_system=None, force_terminal=False, legacy_windows=False))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _verdict(page: Page) -> Panel:
    style = _STYLES[page.level]
    lines = [_text(page.headline, "bold"), Text()]
    for label, value in page.summary:
        if value:
            lines.append(_text(f"{label}:", "bold"))
            lines += [_text(line) for line in str(value).split("\n")]
    lines += [*([Text()] if page.summary else []), *map(_text, page.sentences)]
    if page.caveat:
        lines += [Text(), _text(page.caveat, "dim")]
    if page.notice:
        lines += [Text(), _text(page.notice, "dim")]
    return Panel(
        Text("\n").join(lines),
        title=_text(f" {page.label} ", f"bold {style}"),
        title_align="left",
        subtitle=_text(f" {page.name} "),
        subtitle_align="right",
        border_style=style,
        box=HEAVY,
        padding=(1, 2),
    )


def _section(section: Section, console: Console) -> None:
    console.print()
    console.print(_text(section.title, "bold"))
    for item in section.brief:
        for line in _item(item, section):
            console.print(line)


def _item(item: Table | Remark | str, section: Section) -> list[RenderableType]:
    if isinstance(item, str):
        words = item.lstrip(" ")
        return [Padding(_text(words), (0, 0, 0, len(item) - len(words)))]
    if isinstance(item, Remark):
        code = f" ({item.code})" if item.code else ""
        label = (clean(f"{item.label}: "), _TONES[item.tone])
        return [Text.assemble(label, (clean(item.title), "bold"), clean(code)), *map(_text, item.texts)]
    lines: list[RenderableType] = [_text(item.title)] if item.title != section.title else []
    lines.append(_grid(item))
    if item.hidden:
        lines.append(_text(f"... and {item.hidden} more; the HTML and Markdown reports hold them all.", "dim"))
    return lines + [_text(f"({letter}) {note}" if letter else note, "dim") for letter, note in item.notes]


def _grid(table: Table) -> Grid:
    """A table without the small lines below its cells."""
    grid = Grid(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for i, column in enumerate(table.columns):
        title = column.title.replace("TPR at ", "TPR\n@ ").replace("\N{NO-BREAK SPACE}FPR", "")
        title = "\n".join(map(clean, title.split("\n")))
        grid.add_column(
            Text(title), justify="right" if column.numeric else "left", overflow="fold", ratio=None if i else 1
        )
    for row in table.rows:
        cells = [_text(f"{cell.text} ({cell.mark})" if cell.mark else cell.text) for cell in row]
        grid.add_row(*cells, style="bold" if row[0].tag else "")
    return grid


def _text(text: str, style: str = "") -> Text:
    return Text(clean(text), style=style)
