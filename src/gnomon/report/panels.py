"""All panels of a report, in their order."""

from __future__ import annotations

from gnomon.core.record import Record
from gnomon.report.canaries import canaries
from gnomon.report.ladder import agreement, by_shadows, ladder
from gnomon.report.panel import Panel
from gnomon.report.sources import sources


def panels(record: Record) -> tuple[Panel, ...]:
    """The panels that this record has figures for: what the attacker knows, his models, his rows, his attacks."""
    made = (ladder(record), by_shadows(record), sources(record), agreement(record), canaries(record))
    return tuple(panel for panel in made if panel)
