"""The sources of the shadow models' rows, side by side: what they cost the attacker, and what they bring him."""

from __future__ import annotations

from gnomon.core.record import Record, ShadowSourceFacts, SourceAttack
from gnomon.report import wording
from gnomon.report.panel import Panel
from gnomon.report.tables import NONE, Cell, Column, Table, figure_cell, share_cell

_NAMED_CLASSES = 12


def sources(record: Record) -> Panel | None:
    """What the attacker's rows cost him and bring him, source by source; nothing where he simply holds real rows."""
    found = record.shadow_sources
    if not found or [s.source for s in found] == ["real"]:
        return None
    several, name = len(found) > 1, attack_of_sources(record)
    lead = (
        "An attacker without records like the model’s own can make some. For each source of his rows: what they cost "
        "him, and what an attack achieves that was trained on them."
        if several
        else "The attacker made the rows of his shadow models himself."
    )
    return Panel(
        key="sources",
        title="Where the shadow models’ rows come from",
        short="Shadow rows",
        lead=lead,
        tables=(_source_costs(found), *([_source_attacks(record)] if several and name else [])),
        notes=tuple(wording.clean(f"{s.source}: {note}.").replace("..", ".") for s in found for note in s.notes),
        terminal_table=_source_brief(found, name, record) if several and name else None,
    )


def attack_of_sources(record: Record) -> str | None:
    """The attack that sources are compared by: Shokri's if it ran, otherwise the first that learned from shadows."""
    names = [attack.name for source in record.shadow_sources for attack in source.attacks]
    return "shokri" if "shokri" in names else next(iter(names), None)


def title_of(record: Record, name: str) -> str:
    """What the report calls an attack."""
    return wording.clean(next((a.title for a in record.attacks if a.name == name), name))


def result_of(source: ShadowSourceFacts, name: str | None) -> SourceAttack | None:
    """One attack's figures on shadows of a source."""
    return next((attack for attack in source.attacks if attack.name == name), None)


def _source_costs(found: list[ShadowSourceFacts]) -> Table:
    rows = tuple(
        (
            Cell(wording.clean(s.source)),
            Cell(wording.count(s.rows)),
            Cell(wording.count(s.queries)),
            _optional(None if s.queries_per_record is None else f"{s.queries_per_record:,.1f}"),
            Cell(wording.count(len(s.unreached)), _names(s.unreached)),
            _optional(None if s.shadow_test_accuracy is None else wording.share(s.shadow_test_accuracy)),
            Cell(wording.duration(s.seconds)),
        )
        for s in found
    )
    titles = (
        "Rows",
        "Queries to the target",
        "Queries a record",
        "Classes not reached",
        "Shadows’ test accuracy",
        "Time to make",
    )
    columns = (Column("Source", numeric=False), *map(Column, titles))
    return Table("sources", "What the rows cost the attacker", columns, rows)


def _source_attacks(record: Record) -> Table:
    rows = tuple(
        (
            Cell(wording.clean(source.source)),
            Cell(title_of(record, attack.name)),
            share_cell(attack.accuracy),
            share_cell(attack.precision),
            share_cell(attack.recall),
            figure_cell(attack.auc),
        )
        for source in record.shadow_sources
        for attack in source.attacks
    )
    titles = ("Balanced accuracy", "Precision", "Recall", "AUC")
    columns = (Column("Source", numeric=False), Column("Attack", numeric=False), *map(Column, titles))
    return Table("source-attacks", "What attacks trained on them achieve", columns, rows)


def _source_brief(found: list[ShadowSourceFacts], name: str | None, record: Record) -> Table:
    rows = []
    for source in found:
        result = result_of(source, name)
        figures = (None, None, None) if result is None else (result.accuracy, result.precision, result.recall)
        cells = [share_cell(figure) for figure in figures]
        area = figure_cell(None if result is None else result.auc)
        queries = Cell(wording.count(source.queries))
        rows.append((Cell(wording.clean(source.source)), Cell(wording.count(source.rows)), queries, *cells, area))
    titles = ("Rows", "Queries", "Accuracy", "Precision", "Recall", "AUC")
    title = f"{title_of(record, name or '')}, by source of the shadow models’ rows"
    return Table("sources-brief", title, (Column("Source", numeric=False), *map(Column, titles)), tuple(rows))


def _optional(text: str | None) -> Cell:
    return Cell(NONE, muted=True) if text is None else Cell(text)


def _names(classes: list[str]) -> tuple[str, ...]:
    if not classes:
        return ()
    more = f" and {len(classes) - _NAMED_CLASSES} more" if len(classes) > _NAMED_CLASSES else ""
    return (", ".join(map(wording.clean, classes[:_NAMED_CLASSES])) + more,)
