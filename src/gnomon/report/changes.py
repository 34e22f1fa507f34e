"""A comparison of two runs, rendered: HTML, Markdown, JSON, terminal. Like reports, it computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rich.box import HEAVY
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from gnomon.core.comparison import AttackChange, Comparison, FigureChange, RunFacts
from gnomon.core.record import write_text
from gnomon.report import wording
from gnomon.report.formats import format_of, renderer_of
from gnomon.report.html import page_template
from gnomon.report.markdown import escape, markdown_table
from gnomon.report.tables import NONE, Cell, Column, Table
from gnomon.report.terminal import grid, plain_text

LABELS = {
    "worse": "Leaks more than before",
    "better": "Leaks less than before",
    "within noise": "Within noise",
    "mixed": "Mixed",
    "not comparable": "Not comparable",
}
_STYLES = {"worse": "red", "better": "green", "within noise": "blue", "mixed": "yellow", "not comparable": "red"}
# the page's styles know the levels of a verdict
_LEVELS = {
    "worse": "leaks",
    "better": "none_found",
    "within noise": "none_found",
    "mixed": "leaks_some",
    "not comparable": "invalid",
}
_TERMINAL_ATTACKS = 12


@dataclass(frozen=True)
class ComparisonView:
    """What every renderer of a comparison shows."""

    level: str
    level_label: str
    name: str
    headline: str
    sentences: tuple[str, ...]
    runs: Table
    overall: Table
    attacks: Table
    differences: tuple[str, ...]


def comparison_view(comparison: Comparison) -> ComparisonView:
    """The view that all renderers share; all text in it is on one line and free of control characters."""
    clean = wording.clean
    return ComparisonView(
        level=_LEVELS[comparison.change],
        level_label=LABELS[comparison.change],
        name=f"{clean(comparison.first.name)} → {clean(comparison.second.name)}",
        headline=clean(comparison.headline),
        sentences=tuple(map(clean, comparison.sentences)),
        runs=_runs(comparison),
        overall=_changes("overall", "The strongest attack of each run", [comparison.overall]),
        attacks=_changes("attacks", "Every attack in both runs", comparison.attacks),
        differences=tuple(map(clean, comparison.differences)),
    )


def _runs(comparison: Comparison) -> Table:
    def column(run: RunFacts) -> list[str]:
        accuracy = [NONE if a is None else wording.share(a) for a in (run.train_accuracy, run.test_accuracy)]
        return [
            wording.clean(run.name),
            wording.moment(run.created),
            wording.clean(run.attack or "none"),
            f"{wording.count(run.members)} and {wording.count(run.nonmembers)}",
            wording.count(run.train_size),
            *accuracy,
            wording.count(run.shadows),
        ]

    labels = (
        "Name",
        "Made",
        "Strongest attack",
        "Audited members and non-members",
        "Rows that the model was trained on",
        "Accuracy on training rows",
        "Accuracy on rows it never saw",
        "Shadow models",
    )
    rows = zip(labels, column(comparison.first), column(comparison.second), strict=True)
    columns = (Column("", numeric=False), Column("First run", numeric=False), Column("Second run", numeric=False))
    return Table("runs", "The two runs", columns, tuple(tuple(map(Cell, row)) for row in rows))


def _changes(key: str, title: str, attacks: list[AttackChange]) -> Table:
    # a rate that too few non-members were audited for in every attack needs no column
    names = list(dict.fromkeys(f.figure for attack in attacks for f in attack.figures if f.difference is not None))
    rows = []
    for attack in attacks:
        found = {f.figure: f for f in attack.figures}
        reason = (wording.clean(attack.reason),) if attack.reason else ()
        cells = [_cell(found.get(name)) for name in names]
        rows.append((Cell(wording.clean(attack.title)), Cell(attack.change, reason), *cells))
    columns = (Column("Attack", numeric=False), Column("Change", numeric=False), *map(Column, names))
    return Table(key, title, columns, tuple(rows))


def _cell(figure: FigureChange | None) -> Cell:
    if figure is None or figure.difference is None or figure.first is None or figure.second is None:
        reason = (wording.clean(figure.refused),) if figure and figure.refused else ()
        return Cell(NONE if figure is None else "refused", reason, muted=True)
    area = figure.figure == "AUC"
    spell: Callable[[float], str] = wording.figure if area else wording.share
    gap: Callable[[float], str] = wording.figure if area else wording.points
    spread = figure.retrained or figure.difference
    sign, unit = "+" if spread.value >= 0 else "", "" if area else " points"
    return Cell(
        f"{spell(figure.first)} → {spell(figure.second)}",
        (f"{sign}{gap(spread.value)}{unit}", f"{gap(spread.low)} to {gap(spread.high)}", figure.change),
    )


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Prints verdict, the two runs and every attack's change.

    Args:
        comparison: what to show.
        console: where to; its width and colours are respected.
    """
    shown, style = comparison_view(comparison), _STYLES[comparison.change]
    lines = [Text(shown.headline, style="bold"), Text(), *(Text(sentence) for sentence in shown.sentences)]
    console.print(
        Panel(
            Text("\n").join(lines),
            title=Text(f" {shown.level_label} ", style=f"bold {style}"),
            title_align="left",
            subtitle=Text(f" {shown.name} "),
            subtitle_align="right",
            border_style=style,
            box=HEAVY,
            padding=(1, 2),
        )
    )
    for table in (shown.runs, shown.overall, shown.attacks):
        console.print()
        console.print(Text(table.title, style="bold"))
        console.print(grid(table, len(table.columns), _TERMINAL_ATTACKS))
    if shown.differences:
        console.print()
        console.print(Text("What else is different", style="bold"))
    for line in shown.differences:
        console.print(Padding(Text(f"- {line}"), (0, 0, 0, 2)))


def _terminal(comparison: Comparison) -> str:
    return plain_text(lambda console: print_comparison(comparison, console))


def _markdown(comparison: Comparison) -> str:
    return "\n\n".join(_blocks(comparison_view(comparison))) + "\n"


def _blocks(shown: ComparisonView) -> Iterator[str]:
    yield f"# {escape(shown.headline)}"
    yield f"**{shown.level_label}** · {escape(shown.name)}"
    yield from map(escape, shown.sentences)
    for table in (shown.runs, shown.overall, shown.attacks):
        yield f"## {table.title}"
        yield markdown_table(table)
    if shown.differences:
        yield "## What else is different"
        yield "\n".join(f"- {escape(line)}" for line in shown.differences)


def _html(comparison: Comparison) -> str:
    return page_template("changes.html").render(view=comparison_view(comparison)) + "\n"


def _json(comparison: Comparison) -> str:
    return comparison.model_dump_json(indent=1) + "\n"


_RENDERERS: MappingProxyType[str, Callable[[Comparison], str]] = MappingProxyType(
    {"html": _html, "json": _json, "md": _markdown, "terminal": _terminal}
)


def render_comparison(comparison: Comparison, format: str) -> str:
    """The comparison as text in one format: "html", "md", "json" or "terminal".

    Raises:
        UsageError: an unknown format.

    >>> render_comparison(None, "htlm")
    Traceback (most recent call last):
    gnomon.core.errors.UsageError: expected a comparison's format, got "htlm" (did you mean "html"?)
    """
    return renderer_of("comparison", format, _RENDERERS)(comparison)


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Writes the comparison in the format that the path's extension asks for, atomically.

    Raises:
        UsageError: an extension that no format has; nothing is written.
    """
    write_text(path, render_comparison(comparison, format_of(path)))
