"""Panel: what stands beside an audit's main figures, with a lead, tables and sentences, and perhaps a picture."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.report.tables import Table


@dataclass(frozen=True)
class Panel:
    """A section of its own: what it tells, its tables, and what a terminal shows of it."""

    key: str
    title: str
    short: str  # in the table of contents
    lead: str
    tables: tuple[Table, ...]
    sentences: tuple[str, ...] = ()  # what the figures say, above them
    notes: tuple[str, ...] = ()  # below them
    terminal_table: Table | None = None
    terminal_lines: tuple[str, ...] = ()
