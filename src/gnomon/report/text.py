"""A page as text: on a terminal in 80 columns, and as Markdown.

A terminal shows verdict, findings and compact tables. The Markdown twin of the HTML report has the same sections, and
figures as files next to it or in words.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from rich.box import HEAVY, SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from gnomon.report.formatting import clean, clean_lines
from gnomon.report.sections import Cell, Fact, Figure, Page, Remark, Section, Table

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


_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$&#!])")


def escape(text: str) -> str:
    r"""Text from outside as Markdown that shows it and means nothing else.

    >>> print(escape("a|b <script> *c*"))
    a\|b \<script\> \*c\*
    """
    return _SPECIAL.sub(r"\\\1", " ".join(clean(text).split()))


def render_markdown(page: Page, prefix: str | None = None) -> str:
    """The page as GitHub-flavoured Markdown.

    Args:
        page: what to show.
        prefix: of the files that hold its figures (see `pictures`); None: there are none, and the text says what they
            show.
    """
    return "\n\n".join(block for block in _blocks(page, prefix) if block) + "\n"


def pictures(page: Page, prefix: str) -> dict[str, Figure]:
    """The figures that the Markdown shows, by the names of their files."""
    found = [figure for section in page.sections for part in (section, *section.parts) for figure in part.figures]
    return {_file(figure, prefix): figure for figure in found if figure.paint or figure.svg}


def _file(figure: Figure, prefix: str) -> str:
    return f"{prefix}{figure.key}.svg"


def _blocks(page: Page, prefix: str | None) -> Iterator[str]:
    yield f"# {escape(page.headline)}"
    if page.label:
        yield f"**{page.label}** · {page.kind}: {escape(page.name)}"
    for label, value in page.summary:
        lines = [f"- {_paragraph(line)}" for line in str(value or "").split("\n") if line]
        yield "\n".join([f"**{escape(label)}**\n", *lines]) if lines else ""
    yield from map(_paragraph, page.sentences)
    yield f"*{page.caveat}*" if page.caveat else ""
    yield page.notice
    yield _facts(page.facts)
    for section in (s for s in page.sections if not s.appendix):
        yield from _section_lines(section, prefix, "##")
    if any(s.appendix for s in page.sections):
        yield "# Appendix"
    for section in (s for s in page.sections if s.appendix):
        yield from _section_lines(section, prefix, "##")


def _section_lines(section: Section, prefix: str | None, level: str) -> Iterator[str]:
    yield f"{level} {escape(section.title)}"
    yield _paragraph(section.lead)
    yield from map(_paragraph, section.sentences)
    yield "\n".join(map(_remark, section.remarks))
    for figure in section.figures:
        yield _figure(figure, prefix)
        if figure.table is not None and figure.table.rows:
            yield _folded(figure.table.title, _table(figure.table)) if figure.table.folded else _table(figure.table)
    yield _facts(section.facts)
    for table in section.tables:
        if table.folded and table.rows:
            yield _folded(_summary(table), _table(table))
        elif table.rows:
            yield f"{level}# {escape(table.title)}" if table.title != section.title else ""
            yield _paragraph(table.lead)
            yield _table(table)
    yield "\n".join(f"- {_paragraph(note)}" for note in section.notes)
    for title, text in section.texts:
        yield _folded(title, _fenced(clean_lines(text)))
    for part in section.parts:
        yield from _section_lines(part, prefix, f"{level}#")


def _paragraph(text: str) -> str:
    # a full stop after a leading number, or a leading dash, would begin a list
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", escape(text)))


def _remark(remark: Remark) -> str:
    code = f" ({escape(remark.code)})" if remark.code else ""
    lines = [f"- **{remark.label}: {escape(remark.title)}**{code}", *map(_paragraph, remark.texts)]
    return "  \n  ".join(line for line in lines if line)


def _figure(figure: Figure, prefix: str | None) -> str:
    said = f"**{escape(figure.title)}**" + (f": {escape(figure.lead)}" if figure.lead else "")
    if not (figure.paint or figure.svg):
        return said
    if prefix is not None:
        return f"{said}\n\n![{escape(figure.text or figure.title)}]({_file(figure, prefix)})"
    return f"{said} {escape(figure.text)}" if figure.text else said


def _facts(facts: tuple[Fact, ...]) -> str:
    shown = [(label, f"{value:,}" if isinstance(value, int) else value) for label, value in facts]
    return "\n".join(f"- {escape(label)}: {escape(value)}" for label, value in shown if value)


def _summary(table: Table) -> str:
    """What is clicked to see a table, spelt out."""
    return (
        table.title if table.folded in table.title else f"{table.title}: {table.folded[:1].lower()}{table.folded[1:]}"
    )


def _table(table: Table) -> str:
    """A table as GitHub-flavoured Markdown, its footnotes below."""
    titles = " | ".join(escape(column.title) for column in table.columns)
    rule = " | ".join("---:" if column.numeric else "---" for column in table.columns)
    rows = [" | ".join(map(_cell, row)) for row in table.rows]
    notes = "\n".join(f"({letter}) {escape(note)}  " if letter else f"{escape(note)}  " for letter, note in table.notes)
    return "\n".join(f"| {row} |" for row in (titles, rule, *rows)) + (f"\n\n{notes.rstrip()}" if notes else "")


def _cell(cell: Cell) -> str:
    text = f"**{escape(cell.text)}** ({cell.tag})" if cell.tag else escape(cell.text)
    mark = f" ({cell.mark})" if cell.mark else ""
    details = [f"[{escape(line)}]({cell.href})" if cell.href else escape(line) for line in cell.detail]
    return "<br>".join([text + mark, *details])


def _folded(title: str, body: str) -> str:
    name = re.sub(r"[<>&\[\]`$]", lambda match: f"&#{ord(match[0])};", clean(title))  # HTML, and no link in it
    return f"<details><summary>{name}</summary>\n\n{body}\n\n</details>"


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"
