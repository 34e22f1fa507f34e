"""The Markdown twin of the HTML report: the same view, its tables and no pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gnomon.core.record import Record
from gnomon.report.facts import Fact
from gnomon.report.tables import Cell, Table
from gnomon.report.view import Notice, View, view

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$&#!])")


def escape(text: str) -> str:
    r"""Text from outside as Markdown that shows it and means nothing else.

    >>> print(escape("a|b <script> *c*"))
    a\|b \<script\> \*c\*
    """
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def render_markdown(record: Record) -> str:
    """The record as GitHub-flavoured Markdown."""
    blocks = [block for block in _blocks(view(record)) if block]
    return "\n\n".join(blocks) + "\n"


def _blocks(shown: View) -> Iterator[str]:
    yield f"# {escape(shown.headline)}"
    yield f"**{shown.level_label}** · membership-inference audit of {escape(shown.name)}"
    yield from map(_paragraph, shown.sentences)
    yield f"*{shown.caveat}*" + (f" {shown.choice}" if shown.choice else "")
    yield _facts(shown.facts)
    yield from _notices("Findings", shown.alarms)
    yield from _figures(shown)
    yield from _panels(shown)
    if shown.exposed:
        yield "## The most exposed records"
        yield shown.exposed_lead
        yield markdown_table(shown.exposed)
        if shown.exposed_rest:
            yield _folded(f"Further {len(shown.exposed_rest.rows)} records", markdown_table(shown.exposed_rest))
    for chapter in shown.people:
        yield f"## {escape(chapter.title)}"
        yield _paragraph(chapter.lead)
        yield markdown_table(chapter.table)
        if chapter.rest:
            yield _folded(chapter.rest_title, markdown_table(chapter.rest))
    yield "## Threat model"
    yield from map(_paragraph, shown.threat_sentences)
    yield _facts((*shown.threat_facts, *shown.mitigation_facts))
    if shown.not_tried:
        yield "## What was not tried"
        yield "\n".join(f"- {_paragraph(line)}" for line in shown.not_tried)
    yield from _notices("Notes", shown.remarks)
    yield "## Where the figures come from"
    yield _facts((*shown.data_facts, *shown.shadow_facts, *shown.provenance))
    for title, text in shown.documents:
        yield _folded(title, _fenced(text))


def _figures(shown: View) -> Iterator[str]:
    if shown.dots:
        dots = shown.dots
        yield (
            f"{escape(dots.attack)}, set so that it wrongly accuses {dots.rate}: **{dots.found_text} of 100** training "
            f"records found (interval {dots.interval}). Guessing at that rate finds {dots.guessing} of 100."
        )
    if shown.gap:
        yield "## Training rows and rows that the model never saw"
        rows = [(title, bar.label, bar.text, bar.detail) for title, bars in shown.gap for bar in bars]
        yield _rows(("Model", "Accuracy", "", "Range"), (False, False, True, True), rows)
    yield "## All attacks"
    yield (markdown_table(shown.attacks) + f"\n\n{shown.confidence}") if shown.attacks.rows else "No attack finished."
    for table in (shown.unfinished, shown.decisions, shown.priors, shown.percentiles):
        if table and table.rows:
            yield f"### {table.title}"
            yield markdown_table(table)
    folded = (shown.other_priors, shown.other_percentiles, shown.classes, shown.costs)
    for table in folded:
        if table and table.rows:
            suffix = ", the other attacks" if table.key.startswith("other") else ""
            yield _folded(table.title + suffix, markdown_table(table))
    for title, text in shown.tracebacks:
        yield _folded(f"Traceback of {title}", _fenced(text))


def _panels(shown: View) -> Iterator[str]:
    for panel in shown.panels:
        yield f"## {escape(panel.title)}"
        yield _paragraph(panel.lead)
        yield from map(_paragraph, panel.sentences)
        for table in panel.tables:
            yield f"### {escape(table.title)}"
            yield markdown_table(table)
        if panel.notes:
            yield "\n".join(f"- {_paragraph(note)}" for note in panel.notes)


def _paragraph(text: str) -> str:
    # a full stop after a leading number, or a leading dash, would begin a list
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", escape(text)))


def _notices(title: str, notices: tuple[Notice, ...]) -> Iterator[str]:
    if not notices:
        return
    yield f"## {title}"
    for notice in notices:
        overridden = ", overridden in the plan" if notice.overridden else ""
        yield (
            f"- **{notice.severity.capitalize()}{overridden}: {escape(notice.title)}** ({escape(notice.code)})  \n"
            f"  {_paragraph(notice.explanation)}  \n"
            f"  What to do: {escape(notice.remedy)}"
        )


def _facts(facts: tuple[Fact, ...]) -> str:
    return _rows(("", ""), (False, False), [(fact.label, fact.value) for fact in facts]) if facts else ""


def markdown_table(table: Table) -> str:
    """A table as GitHub-flavoured Markdown, its footnotes below."""
    columns = tuple(column.title for column in table.columns)
    numeric = tuple(column.numeric for column in table.columns)
    text = _raw(
        tuple(map(escape, columns)),
        numeric,
        (
            tuple(_cell(cell, i in table.strong and first) for first, cell in _with_first(row))
            for i, row in enumerate(table.rows)
        ),
    )
    notes = "\n".join(f"({letter}) {escape(note)}  " for letter, note in table.notes)
    return f"{text}\n\n{notes}".rstrip()


def _with_first(row: tuple[Cell, ...]) -> Iterator[tuple[bool, Cell]]:
    return ((i == 0, cell) for i, cell in enumerate(row))


def _cell(cell: Cell, strong: bool) -> str:
    text = f"**{escape(cell.text)}** (headline)" if strong else escape(cell.text)
    mark = f" ({cell.mark})" if cell.mark else ""
    details = [f"[{escape(line)}]({cell.href})" if cell.href else escape(line) for line in cell.detail]
    return "<br>".join([text + mark, *details])


def _rows(titles: tuple[str, ...], numeric: tuple[bool, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return _raw(tuple(map(escape, titles)), numeric, (tuple(map(escape, row)) for row in rows))


def _raw(titles: tuple[str, ...], numeric: tuple[bool, ...], rows: Iterable[tuple[str, ...]]) -> str:
    rule = tuple("---:" if right else "---" for right in numeric)
    return "\n".join(f"| {' | '.join(row)} |" for row in (titles, rule, *rows))


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{_entities(title)}</summary>\n\n{body}\n\n</details>"


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"
