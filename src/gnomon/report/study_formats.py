"""A study's report in four formats: one HTML page, Markdown with its pictures beside it, JSON, a terminal table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from gnomon.core.record import write_text
from gnomon.core.study import Study
from gnomon.report.facts import Fact
from gnomon.report.formats import format_of
from gnomon.report.html import page_template
from gnomon.report.ink import standalone
from gnomon.report.markdown import escape, markdown_table
from gnomon.report.panel import Panel
from gnomon.report.panel_plots import Drawing
from gnomon.report.study_plots import draw_study
from gnomon.report.study_view import StudyView, study_view
from gnomon.report.tables import Table
from gnomon.report.terminal import grid, plain_text

_TERMINAL_ROWS = 24


def write_study(study: Study, path: Path) -> None:
    """Writes the report in the format that the path's ending asks for, atomically; Markdown's pictures go beside it.

    Raises:
        UsageError: an extension that no format has; nothing is written.
    """
    kind = format_of(path)
    if kind == "md":
        text, pictures = study_markdown(study, path.stem)
        write_pictures(pictures, path.parent)
    else:
        text = {"html": study_html, "json": study_json, "terminal": study_terminal}[kind](study)
    write_text(path, text)


def write_pictures(pictures: dict[str, str], folder: Path) -> None:
    """Writes SVG files: name -> content."""
    for name, svg in pictures.items():
        write_text(folder / name, svg)


def study_json(study: Study) -> str:
    """The document itself."""
    return study.model_dump_json(indent=1) + "\n"


def study_html(study: Study) -> str:
    """The study as a self-contained page that needs no script."""
    shown = study_view(study)
    drawings = {panel.key: _safe(draw_study(panel, study)) for panel in shown.panels}
    return page_template("study.html").render(view=shown, drawings=drawings) + "\n"


def _safe(drawings: tuple[Drawing, ...]) -> list[tuple[Drawing, Markup]]:
    """The one place where text enters the page as it is: our own drawings, escaped by matplotlib and `ink`."""
    return [(drawing, Markup(drawing.svg)) for drawing in drawings]


def study_markdown(study: Study, stem: str) -> tuple[str, dict[str, str]]:
    """GitHub-flavoured Markdown, and the pictures that it shows: file name -> SVG."""
    shown, pictures = study_view(study), dict[str, str]()
    blocks = [block for block in _blocks(shown, study, stem, pictures) if block]
    return "\n\n".join(blocks) + "\n", pictures


def _blocks(shown: StudyView, study: Study, stem: str, pictures: dict[str, str]) -> Iterator[str]:
    yield f"# {escape(shown.title)}"
    yield escape(shown.question)
    yield markdown_facts(shown.facts)
    yield escape(shown.intervals)
    if shown.failed:
        yield f"## {shown.failed.title}"
        yield markdown_table(shown.failed)
    for panel in shown.panels:
        yield from panel_blocks(panel, draw_study(panel, study), stem, pictures, shown.folded.get(panel.key, ()))
    yield "## Where the figures come from"
    yield markdown_facts(shown.provenance)


def panel_blocks(
    panel: Panel,
    drawings: tuple[Drawing, ...],
    stem: str,
    pictures: dict[str, str],
    folded: tuple[Table, ...] = (),
    level: str = "##",
) -> Iterator[str]:
    """A panel as Markdown; its pictures are added to ``pictures``."""
    yield f"{level} {escape(panel.title)}"
    yield escape(panel.lead)
    yield from map(escape, panel.sentences)
    shown = []
    for drawing in drawings:
        name = f"{stem}-{panel.key}-{drawing.title}".lower()
        name = "".join(c if c.isalnum() else "-" for c in name).strip("-") + ".svg"
        pictures[name] = standalone(drawing.svg, drawing.title, drawing.series)
        shown.append(f"![{escape(drawing.title)}]({name})")
    yield "\n".join(shown)
    for table in panel.tables:
        yield f"{level}# {escape(table.title)}"
        yield markdown_table(table)
    for table in folded:
        body = markdown_table(table)
        yield f"<details><summary>{escape(table.title)}</summary>\n\n{body}\n\n</details>"


def markdown_facts(facts: tuple[Fact, ...]) -> str:
    """Facts as a list."""
    return "\n".join(f"- {escape(fact.label)}: {escape(fact.value)}" for fact in facts)


def print_study(study: Study, console: Console) -> None:
    """Prints a table for each varied key, and what could not be carried out.

    Args:
        study: what to show.
        console: where to; its width and colours are respected.
    """
    shown = study_view(study)
    console.print(Text(shown.title, style="bold"))
    if shown.question:
        console.print(Text(shown.question))
    console.print()
    for panel in shown.panels:
        if panel.terminal_table is not None:
            table = panel.terminal_table
            console.print(Text(table.title))
            console.print(grid(table, len(table.columns), _TERMINAL_ROWS))
            console.print()
    if shown.intervals:
        console.print(Text(f"{shown.intervals} The HTML report shows them.", style="dim"))
    if shown.failed:
        console.print(Text(shown.failed.title, style="bold red"))
        for row in shown.failed.rows:
            console.print(Text(f"- {row[0].text}, seeds {row[1].text}: {row[2].text}"))


def study_terminal(study: Study) -> str:
    """What `print_study` prints, as plain text of 80 columns."""
    return plain_text(lambda console: print_study(study, console))
