"""A reproduction's report: one HTML page, Markdown with its pictures beside it, JSON, and what a terminal shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from gnomon.core.record import write_text
from gnomon.core.reproduction import ExperimentResult, Reproduction
from gnomon.report.formats import format_of
from gnomon.report.html import page_template
from gnomon.report.markdown import escape, markdown_table
from gnomon.report.panel_plots import Drawing
from gnomon.report.reproduction_plots import draw_overview
from gnomon.report.reproduction_view import ReproductionView, Section, reproduction_view
from gnomon.report.study_formats import markdown_facts, panel_blocks, write_pictures
from gnomon.report.study_plots import draw_study
from gnomon.report.study_view import study_view
from gnomon.report.terminal import plain_text

_STYLES = {"holds": "green", "holds in part": "green", "does not hold": "red", "not shown": "yellow"}


def write_reproduction(made: Reproduction, path: Path) -> None:
    """Writes the report in the format that the path's ending asks for, atomically; Markdown's pictures go beside it.

    Raises:
        UsageError: an extension that no format has; nothing is written.
    """
    kind = format_of(path)
    if kind == "md":
        text, pictures = reproduction_markdown(made)
        write_pictures(pictures, path.parent)
    else:
        renderers = {"html": reproduction_html, "json": reproduction_json, "terminal": reproduction_terminal}
        text = renderers[kind](made)
    write_text(path, text)


def reproduction_json(made: Reproduction) -> str:
    """The document itself."""
    return made.model_dump_json(indent=1) + "\n"


def reproduction_html(made: Reproduction) -> str:
    """The reproduction as a self-contained page that needs no script."""
    shown = reproduction_view(made)
    results = {e.key: e for e in made.experiments}
    drawings = {
        panel.key: [(d, Markup(d.svg)) for d in _drawings(results[section.key], i)]  # our own, escaped by `ink`
        for section in shown.sections
        for panel, i in section.panels
    }
    if shown.overview is not None:
        drawings[shown.overview.key] = [(d, Markup(d.svg)) for d in draw_overview(made)]
    return page_template("reproduction.html").render(view=shown, drawings=drawings) + "\n"


def _drawings(experiment: ExperimentResult, panel: int) -> tuple[Drawing, ...]:
    assert experiment.study is not None
    own = study_view(experiment.study).panels[panel]
    return draw_study(own, experiment.study, prefix=f"{experiment.key}-", only=experiment.show)


def reproduction_markdown(made: Reproduction) -> tuple[str, dict[str, str]]:
    """GitHub-flavoured Markdown, and the pictures that it shows: file name -> SVG."""
    shown, pictures = reproduction_view(made), dict[str, str]()
    results = {e.key: e for e in made.experiments}
    blocks = [block for block in _head(shown) if block]
    if shown.overview is not None:
        blocks += panel_blocks(replace(shown.overview, tables=()), draw_overview(made), "", pictures)
        folded = markdown_table(shown.overview.tables[0])
        blocks.append(f"<details><summary>{shown.overview.tables[0].title}</summary>\n\n{folded}\n\n</details>")
    for section in shown.sections:
        blocks += [block for block in _section(section, results[section.key], pictures) if block]
    if shown.left_out is not None:
        blocks += [f"## {shown.left_out.title}", markdown_table(shown.left_out)]
    blocks += ["## Where the figures come from", markdown_facts(shown.provenance)]
    return "\n\n".join(blocks) + "\n", pictures


def _head(shown: ReproductionView) -> Iterator[str]:
    yield "# Reproduction"
    yield escape(shown.title)
    yield escape(shown.lead)
    yield markdown_facts(shown.facts)
    yield "The paper's figures stand with how far they were confirmed: " + "; ".join(map(escape, shown.sources)) + "."
    yield f"## {shown.summary.title}"
    yield markdown_table(shown.summary)


def _section(section: Section, experiment: ExperimentResult, pictures: dict[str, str]) -> Iterator[str]:
    yield f"## {escape(section.title)}"
    yield f"*{escape(section.question)}*"
    yield "\n".join(f"- {escape(note)}" for note in section.notes)
    yield "\n".join(f"- **{s.verdict}**: {escape(s.says)}. {escape(s.evidence)}." for s in section.statements)
    if section.compared is not None:
        yield f"### {section.compared.title}"
        yield markdown_table(section.compared)
    yield escape(section.intervals)
    for panel, i in section.panels:
        yield from panel_blocks(panel, _drawings(experiment, i), "", pictures, level="###")
    for table in section.tables:
        yield f"<details><summary>{escape(table.title)}</summary>\n\n{markdown_table(table)}\n\n</details>"
    if section.failed is not None:
        yield f"### {section.failed.title}"
        yield markdown_table(section.failed)


def print_reproduction(made: Reproduction, console: Console) -> None:
    """Prints every statement with its verdict, and what was left out.

    Args:
        made: what to show.
        console: where to; its width and colours are respected.
    """
    shown = reproduction_view(made)
    console.print(Text(shown.title, style="bold"))
    console.print(Text(shown.lead))
    console.print()
    for section in shown.sections:
        if section.statements:
            console.print(Text(section.title, style="bold"))
        for said in section.statements:
            console.print(Text.assemble((f"  {said.verdict}: ", _STYLES[said.verdict]), said.says))
            console.print(Text(f"    {said.evidence}", style="dim"))
    if shown.left_out is not None:
        console.print()
        console.print(Text(shown.left_out.title, style="bold"))
        for row in shown.left_out.rows:
            console.print(Text(f"  {row[0].text}: {row[2].text}; it takes {row[3].text}"))


def reproduction_terminal(made: Reproduction) -> str:
    """What `print_reproduction` prints, as plain text of 80 columns."""
    return plain_text(lambda console: print_reproduction(made, console))
